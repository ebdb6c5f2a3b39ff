import { DrillError } from '../core/errors.ts';
import { type EventOf, eventSchemaVersion, type EventType, type PhaseName } from '../core/event.ts';
import type { Json, Plan, PlannedFault, PlannedProbe, PlannedWriter } from '../core/plan.ts';
import { ParallelReads } from './parallel-reads.ts';
import { ControlProbeReader, type ControlProbeRecord } from './control-probe-record.ts';
import { ControlReader, type ControlRecord } from './control-record.ts';
import { type KeptSample, RetentionWindows, retentionRadiusMs, SampleCompactor } from './kept-samples.ts';
import { HealthyLatency, type LatencyModel } from './latency-model.ts';
import { MachineRecord } from './machine-record.ts';
import { badLine, upgradePlan } from './log-event.ts';
import { maxBackwardsMs } from '../core/log-limits.ts';
import { RowColumns } from './row-columns.ts';
import { type LostSlots, SlotTracker } from './slots.ts';
import { LogScanner, type LogSink, type OtherEvent, type SampleEvent } from './scan-log.ts';

/** The wall time at an offset of the run clock. Both in ms. */
export interface Anchor {
  readonly t: number;
  readonly wallMs: number;
}

/** The samples of one probe instance in a run. */
export interface ProbeSeries {
  readonly probe: PlannedProbe;
  /** In send order, not in the order of the answers. Samples that repeat their neighbors are not stored. */
  readonly samples: readonly KeptSample[];
  readonly latency: LatencyModel;
  /**
   * Slots that were not sent, in the order of the log. `paced`: the target took longer to answer than
   * the interval.
   */
  readonly dropped: readonly { readonly slot: number; readonly dueMs: number; readonly paced: boolean }[];
  /** Slots without an event in the log: their lines are lost. In order. */
  readonly lost: readonly LostSlots[];
  /** Message or cause of the last sample that was not ok; absent if all were ok. */
  readonly lastError?: string;
}

/**
 * Removes `onFailure` from a probe without a good sample: nothing proves that the probe is set up correctly, so its failures
 * show no state. For example, a wrong port is refused, too.
 */
function provenProbe(probe: PlannedProbe, samples: readonly KeptSample[]): PlannedProbe {
  if (probe.onFailure === undefined || samples.some((s) => s.status === 'ok')) return probe;
  const { onFailure: _, ...rest } = probe;
  return rest;
}

/** The rows and reads of one writer in a run. */
export interface WriterRecord {
  readonly planned: PlannedWriter;
  readonly written: RowColumns;
  /** The reads while the clients wrote. */
  readonly parallel: ParallelReads;
  /** The reads at other moments: once or twice per path, in the order of the log. */
  readonly readBack: readonly EventOf<'rows.read'>[];
}

/** The interval in which a fault took effect. Offsets in ms. */
export interface EffectBounds {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The events of one fault. Offsets in ms; null if the event is missing. */
export interface FaultRecord {
  readonly id: string;
  readonly kind: string;
  /** null: the fault's role was not resolved to a host. */
  readonly host: string | null;
  readonly params: Json;
  readonly issuedMs: number | null;
  readonly ackedMs: number | null;
  /**
   * When the connection to the host broke before the acknowledgment, so that the fault's outcome is
   * unknown.
   */
  readonly unansweredMs: number | null;
  readonly effect: EffectBounds | null;
  readonly failure: string | null;
  readonly healStartedMs: number | null;
  readonly healedMs: number | null;
  readonly healFailure: string | null;
}

/** An event log in memory, by type of event. Offsets in ms. */
export interface RunLog {
  readonly runId: string;
  readonly plan: Plan;
  readonly versions: { readonly firedrill: string; readonly node: string };
  /** Value of `--label`, such as the drilled release; undefined without the option. */
  readonly label: string | undefined;
  /** Never empty: the first anchor is in `run.started`. */
  readonly anchors: readonly [Anchor, ...Anchor[]];
  readonly startMs: number;
  /** The latest time in the log. */
  readonly endMs: number;
  /** False if the log has no `run.ended`: firedrill was killed, or its disk was full. */
  readonly ended: boolean;
  readonly aborted: {
    readonly t: number;
    readonly reason: string;
    readonly refused: boolean;
    /** firedrill itself failed. */
    readonly broken: boolean;
  } | null;
  /** True if the last line is incomplete and was ignored. */
  readonly torn: boolean;
  /** By probe id, one per planned instance, in the plan's order. */
  readonly series: ReadonlyMap<string, ProbeSeries>;
  readonly phases: readonly { readonly t: number; readonly phase: PhaseName }[];
  readonly gates: readonly EventOf<'gate'>[];
  readonly marks: readonly EventOf<'mark'>[];
  /** By writer id, one per planned writer. */
  readonly writing: ReadonlyMap<string, WriterRecord>;
  readonly rates: readonly EventOf<'rate.changed'>[];
  readonly roles: readonly EventOf<'role.resolved'>[];
  /** In the order of their first event. Ids that are in no list of the plan are faults, too. */
  readonly faults: readonly FaultRecord[];
  /** Changes before the steady state. They are undone after the faults are healed. */
  readonly preparations: readonly FaultRecord[];
  /**
   * Steps after the faults are healed. They are never undone. Only a repair without an acknowledgment
   * has effect events.
   */
  readonly repairs: readonly FaultRecord[];
  readonly health: readonly EventOf<'prober.health'>[];
  /** The control probe (the HTTP control of 0.1 logs); null in logs of other versions. */
  readonly controlProbe: ControlProbeRecord | null;
  /** The last `harness.cost` event; null in logs of older versions. */
  readonly cost: EventOf<'harness.cost'> | null;
  /** null in logs of older versions. */
  readonly control: ControlRecord | null;
  /** In the order of their first reading; empty in logs of older versions. */
  readonly machines: readonly MachineRecord[];
  readonly clockSteps: readonly EventOf<'clock.stepped'>[];
  readonly logs: readonly EventOf<'log'>[];
}

interface OpenSeries {
  readonly compactor: SampleCompactor;
  readonly slots: SlotTracker;
  readonly dropped: { slot: number; dueMs: number; paced: boolean }[];
}

interface OpenWriter extends WriterRecord {
  readonly readBack: EventOf<'rows.read'>[];
}

/** Frequent events whose times do not matter: samples around them need not be stored. */
const nonTransitionEvents: ReadonlySet<string> = new Set<EventType>([
  'prober.health',
  'harness.cost',
  'clock.anchor',
  'clock.stepped',
  'control_probe.started',
  'control.started',
  'control.sample',
  'machine.pressure',
  'lease.renewed',
  'log',
  'mark',
  'sample.dropped',
  'row.written',
  'rows.read',
]);

/** Events of a preparation after which the target may behave differently. */
const actingTypes: ReadonlySet<string> = new Set<EventType>([
  'fault.issued',
  'fault.acked',
  'fault.outcome_unknown',
]);

type FaultEvent = EventOf<
  | 'fault.issued'
  | 'fault.acked'
  | 'fault.outcome_unknown'
  | 'fault.effect'
  | 'fault.failed'
  | 'heal.started'
  | 'heal.proven'
  | 'heal.failed'
>;

type OpenFault = { -readonly [K in keyof FaultRecord]: FaultRecord[K] };

/**
 * Reads an event log: `push` its bytes in pieces of any size, then `finish` once. Memory grows with the number of changes and
 * not with the number of samples. Written rows and the reads parallel to them are stored in columns of numbers.
 */
class LogReader implements LogSink {
  readonly #scanner = new LogScanner(this);
  readonly #follower: LogSink | undefined;
  #start: EventOf<'run.started'> | undefined;
  #planned: ReadonlyMap<string, PlannedFault> = new Map();
  #endMs = 0;
  /** The highest `t` so far. */
  #latestMs = 0;
  #ended = false;
  #aborted: RunLog['aborted'] = null;
  readonly #anchors: Anchor[] = [];
  readonly #series = new Map<string, OpenSeries>();
  readonly #faults = new Map<string, OpenFault>();
  readonly #phases: { t: number; phase: PhaseName }[] = [];
  readonly #gates: EventOf<'gate'>[] = [];
  readonly #marks: EventOf<'mark'>[] = [];
  readonly #writing = new Map<string, OpenWriter>();
  readonly #rates: EventOf<'rate.changed'>[] = [];
  readonly #roles: EventOf<'role.resolved'>[] = [];
  #cost: EventOf<'harness.cost'> | null = null;
  readonly #health: EventOf<'prober.health'>[] = [];
  readonly #logs: EventOf<'log'>[] = [];
  readonly #clockSteps: EventOf<'clock.stepped'>[] = [];
  #controlProbe: ControlProbeReader | undefined;
  #control: ControlReader | undefined;
  readonly #machines = new Map<string, MachineRecord>();
  /** One for all probes in a drill, one per probe in a watch. Empty until the plan is known. */
  #retention: readonly RetentionWindows[] = [];
  #retentionRadiusMs = 0;
  #settledMs = 0;
  /** Faults that are issued and whose effect is not confirmed yet. */
  readonly #acting = new Set<string>();

  constructor(follower: LogSink | undefined) {
    this.#follower = follower;
  }

  push(piece: Uint8Array): void {
    this.#scanner.push(piece);
  }

  /** The log read so far. Throws DrillError `invalid-input` if there was no `run.started`. */
  finish(): RunLog {
    const { torn } = this.#scanner.end();
    const start = this.#start;
    if (start === undefined)
      throw new DrillError('invalid-input', 'the event log has no run.started event: there is no run in it');
    const first: Anchor = { t: start.t, wallMs: start.wallMs };
    const series = new Map(
      [...this.#series].map(([id, { compactor, slots, dropped }]): [string, ProbeSeries] => {
        const samples = compactor.finish();
        const probe = provenProbe(compactor.probe, samples);
        const { lastError } = compactor;
        const latency = compactor.healthy.finish();
        const lost = slots.lostBy(this.#endMs);
        const reported = lastError === undefined ? {} : { lastError };
        return [id, { probe, samples, latency, dropped, lost, ...reported }];
      }),
    );
    const records = [...this.#faults.values()];
    const among = (list: readonly PlannedFault[]) => {
      const ids = new Set(list.map((f) => f.id));
      return records.filter((f) => ids.has(f.id));
    };
    const preparations = among(start.plan.prepare);
    const repairs = among(start.plan.repair);
    return {
      runId: start.runId,
      plan: start.plan,
      versions: start.versions,
      label: start.label,
      anchors: [first, ...this.#anchors],
      startMs: start.t,
      endMs: this.#endMs,
      ended: this.#ended,
      aborted: this.#aborted,
      torn,
      series,
      phases: this.#phases,
      gates: this.#gates,
      marks: this.#marks.sort((a, b) => a.atMs - b.atMs),
      writing: this.#writing,
      rates: this.#rates,
      roles: this.#roles,
      faults: records.filter((f) => !preparations.includes(f) && !repairs.includes(f)),
      preparations,
      repairs,
      health: this.#health,
      controlProbe: this.#controlProbe?.finish() ?? null,
      cost: this.#cost,
      control: this.#control?.finish(this.#endMs) ?? null,
      machines: [...this.#machines.values()],
      clockSteps: this.#clockSteps,
      logs: this.#logs,
    };
  }

  event(event: OtherEvent): void {
    if (event.type === 'run.started') {
      this.#begin(event);
      this.#follower?.event(event);
      return;
    }
    this.#startBefore(event.type);
    this.#inOrder(event.t);
    this.#advance(event.t);
    if (!nonTransitionEvents.has(event.type))
      for (const retention of this.#retention) retention.mark(event.t);
    this.#take(event);
    this.#follower?.event(event);
  }

  #take(event: OtherEvent): void {
    switch (event.type) {
      case 'run.started':
      // The analysis does not use these: samples show the effect of an expired lease, and other events show
      // how a heal ended.
      case 'lease.renewed':
      case 'heal.attempted':
        return;
      case 'sample.dropped': {
        if (event.probe === this.#controlProbe?.id) return;
        const { dropped, slots } = this.#seriesOf(event.probe);
        dropped.push({ slot: event.slot, dueMs: event.dueMs, paced: event.reason === 'pace' });
        slots.note(event.slot, event.dueMs);
        return;
      }
      case 'row.written':
        this.#writerOf(event.writer, event.client).written.add(event);
        return;
      case 'rows.read': {
        const { parallel, readBack } = this.#writerOf(event.writer);
        if (event.moment === 'parallel') parallel.add(event);
        else readBack.push(event);
        return;
      }
      case 'clock.anchor':
        this.#anchors.push({ t: event.t, wallMs: event.wallMs });
        return;
      case 'clock.stepped':
        this.#clockSteps.push(event);
        return;
      case 'control_probe.started':
        this.#controlProbe = new ControlProbeReader(event.probe, this.#start?.t ?? 0);
        return;
      case 'control.started':
        this.#control ??= new ControlReader(event.t);
        return;
      case 'control.sample': {
        const suspicious = this.#control?.add(event);
        // Keep all samples of the time in which the machine may have been starved.
        if (suspicious !== undefined)
          for (const retention of this.#retention) retention.mark(suspicious.fromMs, suspicious.toMs);
        return;
      }
      case 'machine.pressure': {
        const machine = this.#machines.get(event.machine) ?? new MachineRecord(event);
        this.#machines.set(event.machine, machine);
        machine.add(event.t, event);
        return;
      }
      case 'phase.started':
        this.#phases.push({ t: event.t, phase: event.phase });
        if (event.phase === 'fault') this.#endHealthy();
        return;
      case 'gate':
        this.#gates.push(event);
        if (event.gate === 'steady' && event.state === 'met') this.#noteSteady(event.t);
        return;
      case 'mark':
        this.#marks.push(event);
        return;
      case 'rate.changed':
        this.#rates.push(event);
        return;
      case 'role.resolved':
        this.#roles.push(event);
        return;
      case 'prober.health':
        this.#health.push(event);
        return;
      case 'harness.cost':
        this.#cost = event;
        return;
      case 'log':
        this.#logs.push(event);
        return;
      case 'run.aborted':
        this.#aborted ??= {
          t: event.t,
          reason: event.reason,
          refused: event.refused === true,
          broken: event.broken === true,
        };
        return;
      case 'run.ended':
        this.#ended = true;
        return;
      case 'fault.issued':
      case 'fault.acked':
      case 'fault.outcome_unknown':
      case 'fault.effect':
      case 'fault.failed':
      case 'heal.started':
      case 'heal.proven':
      case 'heal.failed':
        this.#fault(event);
        return;
    }
    // Any other event is of a newer version and is ignored.
  }

  #begin(event: EventOf<'run.started'>): void {
    if (this.#start !== undefined)
      throw badLine(this.#scanner.lineNumber, 'a second run.started, but a log has only one');
    if (event.schemaVersion > eventSchemaVersion)
      throw new DrillError(
        'invalid-input',
        `the event log has schema version ${event.schemaVersion}; this firedrill reads up to ${eventSchemaVersion}`,
        { hint: 'Upgrade firedrill to the version that wrote the log, or to a newer one.' },
      );
    const plan = upgradePlan(event.plan);
    this.#start = { ...event, plan };
    this.#planned = new Map([...plan.faults, ...plan.prepare, ...plan.repair].map((f) => [f.id, f]));
    this.#endMs = event.t;
    for (const planned of plan.writers)
      this.#writing.set(planned.id, {
        planned,
        written: new RowColumns(),
        parallel: new ParallelReads(planned.paths.length * planned.clients),
        readBack: [],
      });
    this.#retentionRadiusMs = retentionRadiusMs(plan);
    this.#settledMs = event.t;
    // In a drill, an event of one probe makes the samples of all others relevant. In a watch, probes are
    // independent.
    const isDrill = plan.faults.length + plan.checks.length + plan.stages.length > 0;
    const shared = new RetentionWindows(this.#retentionRadiusMs);
    this.#retention = isDrill
      ? [shared]
      : plan.probes.map(() => new RetentionWindows(this.#retentionRadiusMs));
    for (const retention of this.#retention) retention.mark(event.t);
    for (const [index, probe] of plan.probes.entries()) {
      const healthy = new HealthyLatency(probe, plan.faults.length > 0);
      const compactor = new SampleCompactor(probe, healthy, this.#retention[index] ?? shared);
      this.#series.set(probe.id, { compactor, slots: new SlotTracker(probe.timeoutMs), dropped: [] });
    }
  }

  #writerOf(id: string, client?: number): OpenWriter {
    const writer = this.#writing.get(id);
    if (writer === undefined) throw badLine(this.#scanner.lineNumber, `writer "${id}" is not in the plan`);
    const { paths, clients } = writer.planned;
    if (client !== undefined && (client < 1 || client > paths.length * clients))
      throw badLine(this.#scanner.lineNumber, `writer "${id}" has no client ${client} in the plan`);
    return writer;
  }

  #seriesOf(id: string): OpenSeries {
    const series = this.#series.get(id);
    if (series === undefined) throw badLine(this.#scanner.lineNumber, `probe "${id}" is not in the plan`);
    return series;
  }

  sample(sample: SampleEvent): void {
    this.#startBefore('sample');
    this.#inOrder(sample.t);
    if (sample.probe === this.#controlProbe?.id) this.#addControlProbeSample(this.#controlProbe, sample);
    else {
      const { compactor, slots } = this.#seriesOf(sample.probe);
      slots.note(sample.slot, sample.dueMs);
      compactor.add(sample);
    }
    this.#advance(sample.t);
    if (sample.finishMs > this.#endMs) this.#endMs = sample.finishMs;
    this.#follower?.sample(sample);
  }

  #addControlProbeSample(controlProbe: ControlProbeReader, sample: SampleEvent): void {
    // Keep all samples of the time in which the control probe was bad.
    if (!controlProbe.add(sample))
      for (const retention of this.#retention) retention.mark(sample.sendMs, sample.finishMs);
  }

  /** Processes samples that are old enough by time `t` of the log. */
  #advance(t: number): void {
    if (t > this.#endMs) this.#endMs = t;
    if (t - this.#settledMs < this.#retentionRadiusMs / 4) return;
    this.#settledMs = t;
    for (const { compactor, slots } of this.#series.values()) {
      compactor.noteSilence(t);
      // Keep all samples around a lost one.
      for (const { fromMs, toMs } of slots.lostBy(t))
        if (toMs > t - 2 * this.#retentionRadiusMs) compactor.noteLost(fromMs, toMs);
    }
    for (const { compactor } of this.#series.values()) compactor.settle(t - this.#retentionRadiusMs);
    for (const retention of this.#retention) retention.forgetBefore(t - 2 * this.#retentionRadiusMs);
  }

  /** Checks that times ascend, except for small differences: the engine writes events as they happen. */
  #inOrder(t: number): void {
    if (this.#latestMs - t > maxBackwardsMs)
      throw badLine(
        this.#scanner.lineNumber,
        `its time of ${t} ms is before an earlier line's time of ${this.#latestMs} ms: lines are out of order`,
      );
    if (t > this.#latestMs) this.#latestMs = t;
  }

  #startBefore(type: string): void {
    if (this.#start === undefined)
      throw badLine(this.#scanner.lineNumber, `${type} before run.started, which must be the first event`);
  }

  #fault(event: FaultEvent): void {
    const record = this.#recordOf(event.fault);
    this.#noteActing(event);
    switch (event.type) {
      case 'fault.issued':
        record.kind = event.kind;
        record.host = event.host;
        record.params = event.params;
        record.issuedMs = event.t;
        return;
      case 'fault.acked':
        record.ackedMs = event.t;
        return;
      case 'fault.outcome_unknown':
        record.unansweredMs = event.t;
        return;
      case 'fault.effect':
        record.effect = { notBeforeMs: event.notBeforeMs, notAfterMs: event.notAfterMs };
        return;
      case 'fault.failed':
        record.failure = event.message;
        return;
      case 'heal.started':
        record.healStartedMs ??= event.t;
        return;
      case 'heal.proven':
        record.healedMs = event.t;
        record.healFailure = null;
        return;
      case 'heal.failed':
        record.healedMs = null;
        record.healFailure = event.message;
        return;
    }
  }

  /** The gate is met once its conditions have held for `steady.forMs`. */
  #noteSteady(t: number): void {
    const heldMs = this.#start?.plan.steady.forMs ?? 0;
    for (const { compactor } of this.#series.values()) compactor.healthy.steady(t - heldMs);
  }

  /** A fault may take effect at any moment until its effect is confirmed. */
  #noteActing({ type, fault, t }: FaultEvent): void {
    const { plan } = this.#start ?? {};
    const isRepair = plan?.repair.some((f) => f.id === fault) ?? false;
    const isPreparation = plan?.prepare.some((f) => f.id === fault) ?? false;
    if (type === 'fault.issued') {
      this.#acting.add(fault);
      for (const retention of this.#retention) retention.open(t);
    } else if (type === 'fault.effect' || type === 'fault.failed' || (type === 'fault.acked' && isRepair)) {
      this.#acting.delete(fault);
      if (this.#acting.size === 0) for (const retention of this.#retention) retention.close(t);
    }
    for (const { compactor } of this.#series.values()) {
      if (isPreparation && actingTypes.has(type)) compactor.healthy.prepared(t);
    }
    if (!isPreparation && !isRepair && type === 'fault.issued') this.#endHealthy();
  }

  #endHealthy(): void {
    for (const { compactor } of this.#series.values()) compactor.healthy.faulted();
  }

  #recordOf(id: string): OpenFault {
    const known = this.#faults.get(id);
    if (known !== undefined) return known;
    const planned = this.#planned.get(id);
    const record: OpenFault = {
      id,
      kind: planned?.kind ?? 'unknown',
      host: planned !== undefined && 'host' in planned.on ? planned.on.host : null,
      params: planned?.params ?? null,
      issuedMs: null,
      ackedMs: null,
      unansweredMs: null,
      effect: null,
      failure: null,
      healStartedMs: null,
      healedMs: null,
      healFailure: null,
    };
    this.#faults.set(id, record);
    return record;
  }
}

/**
 * Reads an event log from its bytes, in pieces of any size. Throws DrillError `invalid-input` with the line's number if a line
 * is not a valid event. An incomplete last line is ignored. `follower` gets each valid event, in the log's order.
 */
export function readLog(pieces: Iterable<Uint8Array>, follower?: LogSink): RunLog {
  const reader = new LogReader(follower);
  for (const piece of pieces) reader.push(piece);
  return reader.finish();
}

/**
 * An offset of the run clock as wall time, ISO 8601 with milliseconds. It uses the first anchor only,
 * so that durations between two such times stay correct if the wall clock is stepped.
 */
export function wallTime(log: RunLog, offsetMs: number): string {
  return wallTimeBy(log.anchors[0], offsetMs);
}

/** The same, by the anchor of `run.started`. */
export function wallTimeBy(anchor: Anchor, offsetMs: number): string {
  return new Date(Math.round(anchor.wallMs + offsetMs - anchor.t)).toISOString();
}

/** The interval of a probe at a moment: its burst interval while the burst is on. */
export function intervalAt(log: RunLog, probe: PlannedProbe, offsetMs: number): number {
  let burst = false;
  for (const rate of log.rates) {
    if (rate.t > offsetMs) break;
    burst = rate.burst;
  }
  return burst ? (probe.burstIntervalMs ?? probe.intervalMs) : probe.intervalMs;
}

/** Finish of the last sample of any probe: the end of the observed time. */
export function watchedUntil(log: RunLog): number {
  let last = log.startMs;
  for (const { samples } of log.series.values())
    for (const sample of samples) last = Math.max(last, sample.finishMs);
  return last;
}
