import type { Json, Plan, PlannedProbe } from './plan.ts';
import type { Sample } from './sample.ts';
import type { ControlSample } from './control.ts';
import type { WriteOutcome } from './writer.ts';

/** Version of the event log's format; raised when the meaning of an event changes. */
export const eventSchemaVersion = 2;

/** The phases of a drill, in order; phases without work are left out. `watch` has only `watching`. */
export type PhaseName =
  | 'prepare'
  | 'steady'
  | 'fault'
  | 'recovery'
  | 'heal'
  | 'undo-preparations'
  | 'repair'
  | 'redundancy'
  | 'read-back'
  | 'watching';

/**
 * When rows are read: by a reader in parallel to the writing clients, before the heal, or after all heals and
 * repairs.
 */
export type ReadMoment = 'parallel' | 'before-heal' | 'end';

/**
 * Share of time in which some tasks, or all tasks, of a machine waited for a resource (Linux PSI), 0 to 100.
 * null: not read.
 */
export interface Stall {
  readonly somePct: number | null;
  readonly fullPct: number | null;
}

/** Use of a machine during the `overMs` before the event. A value that could not be read is null, never 0. */
export interface MachinePressure {
  /** The beginning of its boot id: hosts with the same kernel are one machine. */
  readonly machine: string;
  /** firedrill runs on it. */
  readonly prober: boolean;
  /** The target's hosts on it, in the plan's order. */
  readonly hosts: readonly string[];
  readonly overMs: number;
  readonly cpu: {
    readonly somePct: number | null;
    /** CPU time in use, percent of all cores, without `stealPct`. */
    readonly busyPct: number | null;
    /** CPU time that the hypervisor gave to other machines, percent of all cores. */
    readonly stealPct: number | null;
    /** Tasks that are running or ready to run. */
    readonly runQueue: number | null;
    readonly cores: number | null;
  };
  readonly memory: Stall;
  readonly io: Stall;
  /**
   * CPU time of the control groups of `hosts`, percent of one core, so it may exceed 100. null: unknown for
   * at least one of them, or there are no hosts.
   */
  readonly targetCpuPct: number | null;
  /** The hosts whose CPU time was not read this time; `targetCpuPct` excludes them. Absent: none. */
  readonly unreadHosts?: readonly string[];
  /**
   * CPU time that was read now for hosts that were in `unreadHosts` before, ms since their last reading.
   * `targetCpuPct` excludes it.
   */
  readonly readLate?: readonly { readonly host: string; readonly usedMs: number }[];
  /**
   * CPU time of firedrill and its child processes, percent of one core; absent on machines other than the
   * prober's.
   */
  readonly harnessCpuPct?: number | null;
}

/**
 * One event in events.ndjson: one JSON object per line, `t` first. `t` is the time of recording, ms on the
 * run clock.
 */
export type DrillEvent =
  | {
      readonly t: number;
      readonly type: 'run.started';
      readonly schemaVersion: number;
      readonly runId: string;
      /** Wall time at offset `t`, ms since the Unix epoch. */
      readonly wallMs: number;
      readonly plan: Plan;
      readonly versions: { readonly firedrill: string; readonly node: string };
      /** The release under test (`--label`). */
      readonly label?: string;
    }
  /** Wall time at offset `t`; written at intervals, so that a step of the clock shows. */
  | { readonly t: number; readonly type: 'clock.anchor'; readonly wallMs: number }
  /**
   * The wall clock changed by `byMs` relative to the run clock (positive: forward), detected at `atMs`: it
   * was set, or the machine slept.
   */
  | {
      readonly t: number;
      readonly type: 'clock.stepped';
      readonly atMs: number;
      readonly byMs: number;
      readonly cause: 'step' | 'suspend';
    }
  /**
   * Logs of 0.1: an HTTP server of firedrill on the prober's machine was probed as a control. Its samples do
   * not describe the target.
   */
  | { readonly t: number; readonly type: 'canary.started'; readonly probe: PlannedProbe }
  /** The control runs on the prober's machine from now on (core/control.ts). */
  | {
      readonly t: number;
      readonly type: 'control.started';
      readonly everyMs: number;
      readonly workMs: number;
    }
  | ({ readonly t: number; readonly type: 'control.sample' } & ControlSample)
  | ({ readonly t: number; readonly type: 'machine.pressure' } & MachinePressure)
  | { readonly t: number; readonly type: 'phase.started'; readonly phase: PhaseName }
  /** Outcome of a gate: met (at `t`), or not met within its time, with the unmet conditions. */
  | {
      readonly t: number;
      readonly type: 'gate';
      readonly gate: 'steady' | 'recovery' | 'redundancy';
      readonly state: 'met' | 'timeout';
      readonly unmet: readonly string[];
    }
  | ({ readonly t: number; readonly type: 'sample' } & Sample)
  /**
   * A slot that was not sent: too many samples were in flight, or (`pace`) the target answers too slowly for
   * the interval.
   */
  | {
      readonly t: number;
      readonly type: 'sample.dropped';
      readonly probe: string;
      readonly slot: number;
      readonly dueMs: number;
      readonly reason?: 'pace';
    }
  /**
   * A line in a host's log that a probe recognized. Times are on the run clock, with bounds if the line has
   * no exact time stamp.
   */
  | {
      readonly t: number;
      readonly type: 'mark';
      readonly probe: string;
      readonly host?: string;
      readonly name: string;
      /** The value in the line, if the mark's pattern captures one. */
      readonly value?: string;
      readonly atMs: number;
      readonly minMs?: number;
      readonly maxMs?: number;
      readonly text: string;
    }
  /** A writer's client wrote a row. If it was committed, then in [sendMs, finishMs]. */
  | {
      readonly t: number;
      readonly type: 'row.written';
      readonly writer: string;
      readonly client: number;
      readonly number: number;
      readonly sendMs: number;
      readonly finishMs: number;
      readonly outcome: WriteOutcome;
      readonly message?: string;
    }
  /**
   * The rows that existed at some instant in [sendMs, finishMs], read through a path or from the copy on the
   * path's own host. Numbers by client, as ranges (row-ranges.ts); absent if they could not be read.
   */
  | {
      readonly t: number;
      readonly type: 'rows.read';
      readonly writer: string;
      readonly path: string;
      readonly place: 'path' | 'copy';
      readonly moment: ReadMoment;
      readonly sendMs: number;
      readonly finishMs: number;
      readonly rows?: Readonly<Record<string, string>>;
      readonly message?: string;
    }
  /** From `t` on, probes with a burst interval use it, or use their base interval again. */
  | { readonly t: number; readonly type: 'rate.changed'; readonly burst: boolean }
  | { readonly t: number; readonly type: 'role.resolved'; readonly role: string; readonly host: string }
  /** On disk before the fault acts. `t` is the time of the request. */
  | {
      readonly t: number;
      readonly type: 'fault.issued';
      readonly fault: string;
      readonly kind: string;
      readonly host: string;
      readonly params: Json;
    }
  /** The fault's host undoes the fault by itself, not before `untilMs`, unless the lease is renewed again. */
  | { readonly t: number; readonly type: 'lease.renewed'; readonly fault: string; readonly untilMs: number }
  | { readonly t: number; readonly type: 'fault.acked'; readonly fault: string; readonly receipt: Json }
  /**
   * The connection to the host broke before it answered, so the fault's outcome is unknown. It is not
   * injected again; its effect is checked.
   */
  | {
      readonly t: number;
      readonly type: 'fault.outcome_unknown';
      readonly fault: string;
      readonly message: string;
    }
  /** The effect was observed: it began in [notBeforeMs, notAfterMs]. */
  | {
      readonly t: number;
      readonly type: 'fault.effect';
      readonly fault: string;
      readonly notBeforeMs: number;
      readonly notAfterMs: number;
    }
  | { readonly t: number; readonly type: 'fault.failed'; readonly fault: string; readonly message: string }
  | { readonly t: number; readonly type: 'heal.started'; readonly fault: string }
  /** The inverse was applied if needed, and was observed to hold. */
  | { readonly t: number; readonly type: 'heal.proven'; readonly fault: string }
  /**
   * An attempt of a heal that is not proven yet; the heal continues. `observed`: the host answered, and the
   * fault is still in effect; otherwise the host could not be checked. Attempts with the same result are not
   * all recorded.
   */
  | {
      readonly t: number;
      readonly type: 'heal.attempted';
      readonly fault: string;
      /** Counted from 1. */
      readonly attempt: number;
      readonly observed: boolean;
      readonly message: string;
    }
  | {
      readonly t: number;
      readonly type: 'heal.failed';
      readonly fault: string;
      readonly message: string;
      /** Whether the last attempt could check the host; absent in older logs. */
      readonly observed?: boolean;
    }
  /** The prober's own health since the last event of this type. */
  | {
      readonly t: number;
      readonly type: 'prober.health';
      readonly lane: string;
      readonly loopMaxMs: number;
      readonly loopP99Ms: number;
    }
  /** Cost of firedrill itself so far; the last one is near the run's end. */
  | ({ readonly t: number; readonly type: 'harness.cost' } & HarnessCost)
  | {
      readonly t: number;
      readonly type: 'log';
      readonly level: 'info' | 'warn' | 'error';
      readonly text: string;
    }
  /** The run was stopped from outside, or it broke. */
  | {
      readonly t: number;
      readonly type: 'run.aborted';
      readonly reason: string;
      /** A guard rail refused it. */
      readonly refused?: true;
      /** firedrill or its disk failed: no verdict. */
      readonly broken?: true;
    }
  | { readonly t: number; readonly type: 'run.ended' };

/** Cost of probing and of the harness since the run's start. */
export interface HarnessCost {
  /** CPU time of firedrill's process with all its threads, ms. */
  readonly cpuMs: number;
  /**
   * CPU time of its ended child processes on its own machine, ms; absent if the system does not report it.
   */
  readonly childCpuMs?: number;
  /** Samples of all probes of the target. */
  readonly samples: number;
  /** Connections that probes opened. */
  readonly newConnections: number;
  /** Commands run, followed, and piped on hosts, by probes and faults. */
  readonly commands: number;
}

/** Distributes `Omit` over the union. */
type WithoutTime<E> = E extends DrillEvent ? Omit<E, 't'> : never;

/** An event before the log stamps it. */
export type NewEvent = WithoutTime<DrillEvent>;
