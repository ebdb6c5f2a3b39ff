import { DrillError } from '../core/errors.ts';
import { type EventOf, eventSchemaVersion, type PhaseName } from '../core/event.ts';
import { maxBackwardsMs } from '../core/log-limits.ts';
import { type RunMs, runMs } from '../core/time.ts';
import { ControlProbeReader } from './control-probe-record.ts';
import { ControlReader } from './control-record.ts';
import { FaultRecords } from './fault-records.ts';
import { InvalidEvent, upgradePlan } from './log-event.ts';
import { MachineRecord } from './machine-record.ts';
import { operationClients, readSample, writeSample } from './operation-series.ts';
import { ParallelReads } from './parallel-reads.ts';
import { RowColumns } from './row-columns.ts';
import type { Anchor, RunLog, WriterRecord } from './run-log.ts';
import { SampleSeries } from './sample-series.ts';
import type { OtherEvent, SampleEvent } from './scan-log.ts';

interface OpenWriter extends WriterRecord {
  readonly readBack: EventOf<'rows.read'>[];
  /** Number of parallel reads so far, by path. */
  readonly reads: Map<string, number>;
}

/**
 * Folds the events of one run into its RunLog: construct it with the first event, pass the others in the order of the log, then
 * `finish` once. Written rows and the reads parallel to them are stored in columns of numbers. An event that does not fit to
 * the ones before throws InvalidEvent.
 */
export class RunFold {
  readonly #start: EventOf<'run.started'>;
  #endMs: RunMs;
  /** The highest `t` so far. */
  #latestMs = runMs(0);
  #ended = false;
  #aborted: RunLog['aborted'] = null;
  readonly #anchors: [Anchor, ...Anchor[]];
  readonly #series: SampleSeries;
  readonly #operations: SampleSeries;
  readonly #faults: FaultRecords;
  readonly #phases: { t: RunMs; phase: PhaseName }[] = [];
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

  constructor(start: EventOf<'run.started'>) {
    if (start.schemaVersion > eventSchemaVersion)
      throw new DrillError(
        'invalid-input',
        `the event log has schema version ${start.schemaVersion}; this firedrill reads up to ${eventSchemaVersion}`,
        { hint: 'Upgrade firedrill to the version that wrote the log, or to a newer one.' },
      );
    const plan = upgradePlan(start.plan);
    this.#start = { ...start, plan };
    this.#anchors = [{ t: start.t, wallMs: start.wallMs }];
    this.#endMs = start.t;
    this.#series = new SampleSeries(plan, start.t);
    const clients = plan.writers.flatMap((writer) => operationClients(writer).map(({ probe }) => probe));
    this.#operations = new SampleSeries(plan, start.t, clients);
    this.#faults = new FaultRecords(plan);
    for (const planned of plan.writers)
      this.#writing.set(planned.id, {
        planned,
        written: new RowColumns(),
        parallel: new ParallelReads(planned.paths.length * planned.clients),
        readBack: [],
        reads: new Map(),
      });
  }

  sample(sample: SampleEvent): void {
    this.#inOrder(sample.t);
    if (sample.probe === this.#controlProbe?.id) this.#addControlProbeSample(this.#controlProbe, sample);
    else this.#series.add(sample);
    this.#advance(sample.t);
    if (sample.finishMs > this.#endMs) this.#endMs = sample.finishMs;
  }

  event(event: OtherEvent): void {
    this.#inOrder(event.t);
    this.#advance(event.t);
    this.#series.note(event);
    this.#operations.note(event);
    this.#take(event);
  }

  /** The log so far. `torn`: its last line is incomplete. */
  finish(torn: boolean): RunLog {
    return {
      runId: this.#start.runId,
      plan: this.#start.plan,
      versions: this.#start.versions,
      label: this.#start.label,
      anchors: this.#anchors,
      startMs: this.#start.t,
      endMs: this.#endMs,
      ended: this.#ended,
      aborted: this.#aborted,
      torn,
      series: this.#series.finish(this.#endMs),
      operations: this.#operations.finish(this.#endMs),
      phases: this.#phases,
      gates: this.#gates,
      marks: this.#marks.sort((a, b) => a.atMs - b.atMs),
      writing: this.#writing,
      rates: this.#rates,
      roles: this.#roles,
      ...this.#faults.finish(),
      health: this.#health,
      controlProbe: this.#controlProbe?.finish() ?? null,
      cost: this.#cost,
      control: this.#control?.finish(this.#endMs) ?? null,
      machines: [...this.#machines.values()],
      clockSteps: this.#clockSteps,
      logs: this.#logs,
    };
  }

  #take(event: OtherEvent): void {
    switch (event.type) {
      case 'run.started':
      // The analysis does not use these: samples show the effect of an expired lease, and other events show
      // how a heal ended.
      case 'lease.renewed':
      case 'heal.attempted':
        return;
      case 'sample.dropped':
        if (event.probe !== this.#controlProbe?.id) this.#series.addDropped(event);
        return;
      case 'row.written':
        this.#addWrite(event);
        return;
      case 'rows.read':
        this.#addRead(event);
        return;
      case 'clock.anchor':
        this.#anchors.push({ t: event.t, wallMs: event.wallMs });
        return;
      case 'clock.stepped':
        this.#clockSteps.push(event);
        return;
      case 'control_probe.started':
        this.#controlProbe = new ControlProbeReader(event.probe, this.#start.t);
        return;
      case 'control.started':
        this.#control ??= new ControlReader(event.t);
        return;
      case 'control.sample': {
        const suspicious = this.#control?.add(event);
        // Keep all samples of the time in which the machine may have been starved.
        if (suspicious !== undefined) this.#keepAround(suspicious.fromMs, suspicious.toMs);
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
        return;
      case 'gate':
        this.#gates.push(event);
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
        this.#faults.add(event);
        return;
    }
    // Any other event is of a newer version and is ignored.
  }

  #addWrite(event: EventOf<'row.written'>): void {
    const { planned, written } = this.#writerOf(event.writer, event.client);
    written.add(event);
    this.#operations.add(writeSample(event, planned));
  }

  #addRead(event: EventOf<'rows.read'>): void {
    const { planned, parallel, readBack, reads } = this.#writerOf(event.writer);
    if (event.moment !== 'parallel') {
      readBack.push(event);
      return;
    }
    if (!planned.paths.some(({ id }) => id === event.path))
      throw new InvalidEvent(`writer "${event.writer}" has no path "${event.path}" in the plan`);
    parallel.add(event);
    const slot = reads.get(event.path) ?? 0;
    reads.set(event.path, slot + 1);
    this.#operations.add(readSample(event, planned, slot));
  }

  #addControlProbeSample(controlProbe: ControlProbeReader, sample: SampleEvent): void {
    // Keep all samples of the time in which the control probe was bad.
    if (!controlProbe.add(sample)) this.#keepAround(sample.sendMs, sample.finishMs);
  }

  #advance(t: RunMs): void {
    if (t > this.#endMs) this.#endMs = t;
    this.#series.advance(t);
    this.#operations.advance(t);
  }

  #keepAround(fromMs: RunMs, toMs: RunMs): void {
    this.#series.keepAround(fromMs, toMs);
    this.#operations.keepAround(fromMs, toMs);
  }

  #writerOf(id: string, client?: number): OpenWriter {
    const writer = this.#writing.get(id);
    if (writer === undefined) throw new InvalidEvent(`writer "${id}" is not in the plan`);
    const { paths, clients } = writer.planned;
    if (client !== undefined && (client < 1 || client > paths.length * clients))
      throw new InvalidEvent(`writer "${id}" has no client ${client} in the plan`);
    return writer;
  }

  /** Checks that times ascend, except for small differences: the engine writes events as they happen. */
  #inOrder(t: RunMs): void {
    if (this.#latestMs - t > maxBackwardsMs)
      throw new InvalidEvent(
        `its time of ${t} ms is before an earlier line's time of ${this.#latestMs} ms: lines are out of order`,
      );
    if (t > this.#latestMs) this.#latestMs = t;
  }
}
