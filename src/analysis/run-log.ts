import type { EventOf, PhaseName } from '../core/event.ts';
import type { FaultId, HostName, ProbeId } from '../core/ids.ts';
import type { Json, Plan, PlannedProbe, PlannedWriter } from '../core/plan.ts';
import type { ControlProbeRecord } from './control-probe-record.ts';
import type { ControlRecord } from './control-record.ts';
import type { KeptSample } from './kept-samples.ts';
import type { LatencyModel } from './latency-model.ts';
import type { MachineRecord } from './machine-record.ts';
import type { ParallelReads } from './parallel-reads.ts';
import type { RowColumns } from './row-columns.ts';
import type { LostSlots } from './slots.ts';
import { distantFuture, type DurationMs, earliest, latest, type RunMs, type WallMs } from '../core/time.ts';

/** The wall time at an offset of the run clock. Both in ms. */
export interface Anchor {
  readonly t: RunMs;
  readonly wallMs: WallMs;
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
  readonly dropped: readonly { readonly slot: number; readonly dueMs: RunMs; readonly paced: boolean }[];
  /** Slots without an event in the log: their lines are lost. In order. */
  readonly lost: readonly LostSlots[];
  /** Message or cause of the last sample that was not ok; absent if all were ok. */
  readonly lastError?: string;
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
  readonly notBeforeMs: RunMs;
  readonly notAfterMs: RunMs;
}

/** The events of one fault. Offsets in ms; null if the event is missing. */
export interface FaultRecord {
  readonly id: FaultId;
  readonly kind: string;
  /** null: the fault's role was not resolved to a host. */
  readonly host: HostName | null;
  readonly params: Json;
  readonly issuedMs: RunMs | null;
  readonly ackedMs: RunMs | null;
  /**
   * When the connection to the host broke before the acknowledgment, so that the fault's outcome is
   * unknown.
   */
  readonly unansweredMs: RunMs | null;
  readonly effect: EffectBounds | null;
  readonly failure: string | null;
  readonly healStartedMs: RunMs | null;
  readonly healedMs: RunMs | null;
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
  readonly startMs: RunMs;
  /** The latest time in the log. */
  readonly endMs: RunMs;
  /** False if the log has no `run.ended`: firedrill was killed, or its disk was full. */
  readonly ended: boolean;
  readonly aborted: {
    readonly t: RunMs;
    readonly reason: string;
    readonly refused: boolean;
    /** firedrill itself failed. */
    readonly broken: boolean;
  } | null;
  /** True if the last line is incomplete and was ignored. */
  readonly torn: boolean;
  /** By probe id, one per planned instance, in the plan's order. */
  readonly series: ReadonlyMap<ProbeId, ProbeSeries>;
  /** The operations of writers' clients and readers (operation-series.ts), by the client's id. */
  readonly operations: ReadonlyMap<ProbeId, ProbeSeries>;
  readonly phases: readonly { readonly t: RunMs; readonly phase: PhaseName }[];
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

/** When the first fault was issued; Infinity if none was. */
export function firstIssuedMs(log: Pick<RunLog, 'faults'>): RunMs {
  return earliest(...log.faults.map((fault) => fault.issuedMs ?? distantFuture));
}

/**
 * An offset of the run clock as wall time, ISO 8601 with milliseconds. It uses the first anchor only,
 * so that durations between two such times stay correct if the wall clock is stepped.
 */
export function wallTime(log: RunLog, offsetMs: RunMs): string {
  return wallTimeBy(log.anchors[0], offsetMs);
}

/** The same, by the anchor of `run.started`. */
export function wallTimeBy(anchor: Anchor, offsetMs: RunMs): string {
  return new Date(Math.round(anchor.wallMs + offsetMs - anchor.t)).toISOString();
}

/** The interval of a probe at a moment: its burst interval while the burst is on. */
export function intervalAt(log: RunLog, probe: PlannedProbe, offsetMs: RunMs): DurationMs {
  let burst = false;
  for (const rate of log.rates) {
    if (rate.t > offsetMs) break;
    burst = rate.burst;
  }
  return burst ? (probe.burstIntervalMs ?? probe.intervalMs) : probe.intervalMs;
}

/** Finish of the last sample of any probe: the end of the observed time. */
export function watchedUntil(log: RunLog): RunMs {
  let last = log.startMs;
  for (const { samples } of log.series.values())
    for (const sample of samples) last = latest(last, sample.finishMs);
  return last;
}
