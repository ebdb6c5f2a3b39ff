import { DrillError } from '../core/errors.ts';
import { type DrillEvent, eventSchemaVersion, type PhaseName } from '../core/event.ts';
import type { Json, Plan, PlannedFault, PlannedProbe, PlannedWriter } from '../core/plan.ts';
import { BesideReads } from './beside-reads.ts';
import { CanaryReader, type CanaryRecord } from './canary-record.ts';
import { ControlReader, type ControlRecord } from './control-record.ts';
import { type KeptSample, LoudTimes, reachMs, SampleKeeper } from './kept-samples.ts';
import { HealthyLatency, type LatencyModel } from './latency-model.ts';
import { MachineRecord } from './machine-record.ts';
import { badLine, completed } from './log-event.ts';
import { maxBackwardsMs } from './log-limits.ts';
import { RowColumns } from './row-columns.ts';
import type { SampleLine } from './sample-line.ts';
import { type LostSlots, SlotTracker } from './slots.ts';
import { LogScanner, type LogSink, type OtherEvent } from './scan-log.ts';

/** The event of one type. */
type EventOf<T extends DrillEvent['type']> = Extract<DrillEvent, { type: T }>;

/** Wall time read at an offset of the run clock. Both in ms. */
export interface Anchor {
  readonly t: number;
  readonly wallMs: number;
}

/** All that one probe instance did in a run. */
export interface ProbeSeries {
  readonly probe: PlannedProbe;
  /** In send order, whatever the order in which the answers came; without those that say nothing new. */
  readonly samples: readonly KeptSample[];
  readonly latency: LatencyModel;
  /** Slots that were not sent, in the order of the log; `paced`: the target was slower to answer than it was to be asked. */
  readonly dropped: readonly { readonly slot: number; readonly dueMs: number; readonly paced: boolean }[];
  /** Slots of which the log says nothing: lines of it are lost. In order. */
  readonly lost: readonly LostSlots[];
  /** What the last sample that was not ok said; absent where there was none. */
  readonly lastError?: string;
}

/**
 * The probe as its samples allow it to be read: where none was good, nothing shows that it asks the right thing, so that
 * its failures stand for no value (a wrong port is refused, too).
 */
function provenProbe(probe: PlannedProbe, samples: readonly KeptSample[]): PlannedProbe {
  if (probe.onFailure === undefined || samples.some((s) => s.status === 'ok')) return probe;
  const { onFailure: _, ...rest } = probe;
  return rest;
}

/** All that one writer did in a run. */
export interface WriterRecord {
  readonly planned: PlannedWriter;
  readonly written: RowColumns;
  /** The reads while the clients wrote. */
  readonly beside: BesideReads;
  /** What was read at the other moments: once or twice for each path, in the order of the log. */
  readonly readBack: readonly EventOf<'rows.read'>[];
}

/** The interval in which a fault became true. Offsets in ms. */
export interface EffectBounds {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The life of one fault, as far as the log tells it. Offsets in ms, null where it did not get there. */
export interface FaultRecord {
  readonly id: string;
  readonly kind: string;
  /** null when the fault's role could not be resolved to a host. */
  readonly host: string | null;
  readonly params: Json;
  readonly issuedMs: number | null;
  readonly ackedMs: number | null;
  /** When the way to the host broke in its place. */
  readonly unansweredMs: number | null;
  readonly effect: EffectBounds | null;
  readonly failure: string | null;
  readonly healStartedMs: number | null;
  readonly healedMs: number | null;
  readonly healFailure: string | null;
}

/** A whole event log in memory, sorted by what the analysis asks for. Offsets in ms. */
export interface RunLog {
  readonly runId: string;
  readonly plan: Plan;
  readonly versions: { readonly firedrill: string; readonly node: string };
  /** The release that was drilled; undefined where nobody named it. */
  readonly label: string | undefined;
  /** Never empty: the first comes from `run.started`. */
  readonly anchors: readonly [Anchor, ...Anchor[]];
  readonly startMs: number;
  /** The latest moment that the log knows of. */
  readonly endMs: number;
  /** False when the log stops without `run.ended`: the run was cut off. */
  readonly ended: boolean;
  readonly aborted: {
    readonly t: number;
    readonly reason: string;
    readonly refused: boolean;
    /** firedrill itself broke. */
    readonly broken: boolean;
  } | null;
  /** True when the last line was torn and left out. */
  readonly torn: boolean;
  /** By probe id, one for each planned instance, in the plan's order. */
  readonly series: ReadonlyMap<string, ProbeSeries>;
  readonly phases: readonly { readonly t: number; readonly phase: PhaseName }[];
  readonly gates: readonly EventOf<'gate'>[];
  readonly marks: readonly EventOf<'mark'>[];
  /** By writer id, one for each planned writer. */
  readonly writing: ReadonlyMap<string, WriterRecord>;
  readonly rates: readonly EventOf<'rate.changed'>[];
  readonly roles: readonly EventOf<'role.resolved'>[];
  /** In the order in which the log first names them; ids that no list of the plan has are faults. */
  readonly faults: readonly FaultRecord[];
  /** What was changed before the steady state, for the drill; undone after the faults are healed. */
  readonly preparations: readonly FaultRecord[];
  /** Steps taken after the faults were healed; they are never undone, and have effect events only where nothing was acknowledged. */
  readonly repairs: readonly FaultRecord[];
  readonly health: readonly EventOf<'prober.health'>[];
  /** null: the run had none, as those before 0.1 and since 0.2. */
  readonly canary: CanaryRecord | null;
  /** What firedrill itself had cost when it was last written; null in logs of older versions. */
  readonly cost: EventOf<'harness.cost'> | null;
  /** null: the run had none, as those of older versions. */
  readonly control: ControlRecord | null;
  /** In the order in which the log first names them; empty in logs of older versions. */
  readonly machines: readonly MachineRecord[];
  readonly clockSteps: readonly EventOf<'clock.stepped'>[];
  readonly logs: readonly EventOf<'log'>[];
}

interface OpenSeries {
  readonly keeper: SampleKeeper;
  readonly slots: SlotTracker;
  readonly dropped: { slot: number; dueMs: number; paced: boolean }[];
}

interface OpenWriter extends WriterRecord {
  readonly readBack: EventOf<'rows.read'>[];
}

/** Events that come all the time, and of whose moments the analysis asks nothing. */
const quietTypes: ReadonlySet<string> = new Set<DrillEvent['type']>([
  'prober.health',
  'harness.cost',
  'clock.anchor',
  'clock.stepped',
  'canary.started',
  'control.started',
  'control.sample',
  'machine.pressure',
  'lease.kept',
  'log',
  'mark',
  'sample.dropped',
  'row.written',
  'rows.read',
]);

/** Events of a preparation by which it may have changed how the system answers. */
const actingTypes: ReadonlySet<string> = new Set<DrillEvent['type']>([
  'fault.issued',
  'fault.acked',
  'fault.unanswered',
]);

type FaultEvent = EventOf<
  | 'fault.issued'
  | 'fault.acked'
  | 'fault.unanswered'
  | 'fault.effect'
  | 'fault.failed'
  | 'heal.started'
  | 'heal.proven'
  | 'heal.failed'
>;

type OpenFault = { -readonly [K in keyof FaultRecord]: FaultRecord[K] };

/**
 * Reads an event log: `push` its bytes in pieces of any size, then `finish` once. What it
 * holds grows with what happened, not with the samples. Rows that clients wrote, and the
 * reads alongside them, are kept in columns of numbers.
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
  #canary: CanaryReader | undefined;
  #control: ControlReader | undefined;
  readonly #machines = new Map<string, MachineRecord>();
  /** Of all probes together, or of each; once the plan is known. */
  #loud: readonly LoudTimes[] = [];
  #reachMs = 0;
  #settledMs = 0;
  /** Faults of which it is not known yet when they took effect. */
  readonly #acting = new Set<string>();

  constructor(follower: LogSink | undefined) {
    this.#follower = follower;
  }

  push(piece: Uint8Array): void {
    this.#scanner.push(piece);
  }

  /** The log read so far. Throws DrillError `invalid-input` when there was no `run.started`. */
  finish(): RunLog {
    const { torn } = this.#scanner.end();
    const start = this.#start;
    if (start === undefined)
      throw new DrillError('invalid-input', 'the event log has no run.started event: there is no run in it');
    const first: Anchor = { t: start.t, wallMs: start.wallMs };
    const series = new Map(
      [...this.#series].map(([id, { keeper, slots, dropped }]): [string, ProbeSeries] => {
        const samples = keeper.finish();
        const probe = provenProbe(keeper.probe, samples);
        const { lastError } = keeper;
        const latency = keeper.healthy.finish();
        const lost = slots.lostBy(this.#endMs);
        const told = lastError === undefined ? {} : { lastError };
        return [id, { probe, samples, latency, dropped, lost, ...told }];
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
      label: typeof start.label === 'string' ? start.label : undefined,
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
      canary: this.#canary?.finish() ?? null,
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
    if (!quietTypes.has(event.type)) for (const loud of this.#loud) loud.mark(event.t);
    this.#take(event);
    this.#follower?.event(event);
  }

  #take(event: OtherEvent): void {
    switch (event.type) {
      case 'run.started':
      // For who looks on: what a lease that ran out did is seen by the probes, or found by the heal.
      case 'lease.kept':
      // And how a heal goes; how it came out is an event of its own.
      case 'heal.attempted':
        return;
      case 'sample.dropped': {
        if (event.probe === this.#canary?.id) return;
        const { dropped, slots } = this.#seriesOf(event.probe);
        dropped.push({ slot: event.slot, dueMs: event.dueMs, paced: event.reason === 'pace' });
        slots.note(event.slot, event.dueMs);
        return;
      }
      case 'row.written':
        this.#writerOf(event.writer, event.client).written.add(event);
        return;
      case 'rows.read': {
        const { beside, readBack } = this.#writerOf(event.writer);
        if (event.moment === 'beside') beside.add(event);
        else readBack.push(event);
        return;
      }
      case 'clock.anchor':
        this.#anchors.push({ t: event.t, wallMs: event.wallMs });
        return;
      case 'clock.stepped':
        this.#clockSteps.push(event);
        return;
      case 'canary.started':
        this.#canary = new CanaryReader(event.probe, this.#start?.t ?? 0);
        return;
      case 'control.started':
        this.#control ??= new ControlReader(event.t);
        return;
      case 'control.sample': {
        const suspicious = this.#control?.add(event);
        // What probes saw while the machine may have been starved is asked of one by one.
        if (suspicious !== undefined)
          for (const loud of this.#loud) loud.mark(suspicious.fromMs, suspicious.toMs);
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
      case 'fault.unanswered':
      case 'fault.effect':
      case 'fault.failed':
      case 'heal.started':
      case 'heal.proven':
      case 'heal.failed':
        this.#fault(event);
        return;
    }
    // An event of a newer version: nothing here asks for it.
  }

  #begin(event: EventOf<'run.started'>): void {
    if (this.#start !== undefined) throw badLine(this.#scanner.lineNumber, 'a second run.started');
    if (event.schemaVersion > eventSchemaVersion)
      throw new DrillError(
        'invalid-input',
        `the event log has schema version ${event.schemaVersion}; this firedrill reads up to ${eventSchemaVersion}`,
        { mend: 'Report on it with the firedrill that wrote it, or a newer one.' },
      );
    const plan = completed(event.plan);
    this.#start = { ...event, plan };
    this.#planned = new Map([...plan.faults, ...plan.prepare, ...plan.repair].map((f) => [f.id, f]));
    this.#endMs = event.t;
    for (const planned of plan.writers)
      this.#writing.set(planned.id, {
        planned,
        written: new RowColumns(),
        beside: new BesideReads(planned.paths.length * planned.clients),
        readBack: [],
      });
    this.#reachMs = reachMs(plan);
    this.#settledMs = event.t;
    // In a drill, what one probe saw is asked of at moments of the others; in a watch each is for itself.
    const isDrill = plan.faults.length + plan.checks.length + plan.stages.length > 0;
    const shared = new LoudTimes(this.#reachMs);
    this.#loud = isDrill ? [shared] : plan.probes.map(() => new LoudTimes(this.#reachMs));
    for (const loud of this.#loud) loud.mark(event.t);
    for (const [index, probe] of plan.probes.entries()) {
      const healthy = new HealthyLatency(probe, plan.faults.length > 0);
      const keeper = new SampleKeeper(probe, healthy, this.#loud[index] ?? shared);
      this.#series.set(probe.id, { keeper, slots: new SlotTracker(probe.timeoutMs), dropped: [] });
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

  sample(line: SampleLine): void {
    this.#startBefore('sample');
    if (line.finishMs < line.sendMs)
      throw badLine(this.#scanner.lineNumber, 'sample: "finishMs" is before "sendMs"');
    this.#inOrder(line.t);
    if (line.probe === this.#canary?.id) this.#seeCanary(this.#canary, line);
    else {
      const { keeper, slots } = this.#seriesOf(line.probe);
      slots.note(line.slot, line.dueMs);
      keeper.add(line);
    }
    this.#advance(line.t);
    if (line.finishMs > this.#endMs) this.#endMs = line.finishMs;
    this.#follower?.sample(line);
  }

  #seeCanary(canary: CanaryReader, line: SampleLine): void {
    // What others saw while it was not well is asked of one by one.
    if (!canary.add(line)) for (const loud of this.#loud) loud.mark(line.sendMs, line.finishMs);
  }

  /** The log has come to that moment: what lies far enough before it can be judged. */
  #advance(t: number): void {
    if (t > this.#endMs) this.#endMs = t;
    if (t - this.#settledMs < this.#reachMs / 4) return;
    this.#settledMs = t;
    for (const { keeper, slots } of this.#series.values()) {
      keeper.noteSilence(t);
      // What was seen around a lost sample is asked of one by one.
      for (const { fromMs, toMs } of slots.lostBy(t))
        if (toMs > t - 2 * this.#reachMs) keeper.noteLost(fromMs, toMs);
    }
    for (const { keeper } of this.#series.values()) keeper.settle(t - this.#reachMs);
    for (const loud of this.#loud) loud.forgetBefore(t - 2 * this.#reachMs);
  }

  /** Events are written as they happen. */
  #inOrder(t: number): void {
    if (this.#latestMs - t > maxBackwardsMs)
      throw badLine(
        this.#scanner.lineNumber,
        `its time, ${t} ms, is before that of a line above it, ${this.#latestMs} ms: lines are out of order`,
      );
    if (t > this.#latestMs) this.#latestMs = t;
  }

  #startBefore(type: string): void {
    if (this.#start === undefined)
      throw badLine(this.#scanner.lineNumber, `${type} before run.started, which must come first`);
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
      case 'fault.unanswered':
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

  /** The gate was met when all had held for its time. */
  #noteSteady(t: number): void {
    const heldMs = this.#start?.plan.steady.forMs ?? 0;
    for (const { keeper } of this.#series.values()) keeper.healthy.steady(t - heldMs);
  }

  /** Until its effect was seen, a fault may have taken effect at any moment. */
  #noteActing({ type, fault, t }: FaultEvent): void {
    const { plan } = this.#start ?? {};
    const isRepair = plan?.repair.some((f) => f.id === fault) ?? false;
    const isPreparation = plan?.prepare.some((f) => f.id === fault) ?? false;
    if (type === 'fault.issued') {
      this.#acting.add(fault);
      for (const loud of this.#loud) loud.open(t);
    } else if (type === 'fault.effect' || type === 'fault.failed' || (type === 'fault.acked' && isRepair)) {
      this.#acting.delete(fault);
      if (this.#acting.size === 0) for (const loud of this.#loud) loud.close(t);
    }
    for (const { keeper } of this.#series.values()) {
      if (isPreparation && actingTypes.has(type)) keeper.healthy.prepared(t);
    }
    if (!isPreparation && !isRepair && type === 'fault.issued') this.#endHealthy();
  }

  #endHealthy(): void {
    for (const { keeper } of this.#series.values()) keeper.healthy.faulted();
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
 * Reads an event log from its bytes, in pieces of any size. Throws DrillError
 * `invalid-input` with the line's number for what is no event log; a torn last line is
 * left out. `follower` is told of each event that was taken, in the log's order.
 */
export function readLog(pieces: Iterable<Uint8Array>, follower?: LogSink): RunLog {
  const reader = new LogReader(follower);
  for (const piece of pieces) reader.push(piece);
  return reader.finish();
}

/** An offset of the run clock as wall time, ISO 8601 with milliseconds, by the first anchor alone: durations between two such times stay true when the wall clock is stepped. */
export function wallTime(log: RunLog, offsetMs: number): string {
  return wallTimeBy(log.anchors[0], offsetMs);
}

/** The same by the anchor that `run.started` gives. */
export function wallTimeBy(anchor: Anchor, offsetMs: number): string {
  return new Date(Math.round(anchor.wallMs + offsetMs - anchor.t)).toISOString();
}

/** The interval at which a probe was sent at that moment: its burst interval while the log says so. */
export function intervalAt(log: RunLog, probe: PlannedProbe, offsetMs: number): number {
  let burst = false;
  for (const rate of log.rates) {
    if (rate.t > offsetMs) break;
    burst = rate.burst;
  }
  return burst ? (probe.burstIntervalMs ?? probe.intervalMs) : probe.intervalMs;
}

/** The finish of the last sample of any probe: up to here the run was watched. */
export function watchedUntil(log: RunLog): number {
  let last = log.startMs;
  for (const { samples } of log.series.values())
    for (const sample of samples) last = Math.max(last, sample.finishMs);
  return last;
}
