import type { Json, Plan, PlannedProbe } from './plan.ts';
import type { Sample } from './sample.ts';
import type { ControlSample } from './control.ts';
import type { WriteOutcome } from './writer.ts';

/** Version of the event log's format; raised when an event changes its meaning. */
export const eventSchemaVersion = 1;

/** The parts of a drill, in order; those with nothing to do are left out. `watch` has only `watching`. */
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

/** When rows are read: by a reader beside the writing clients, while the fault is still there, or once everything is mended. */
export type ReadMoment = 'beside' | 'before-heal' | 'end';

/** The share of time in which some, or all, tasks of a machine waited for a resource (Linux PSI), 0 to 100. null: not read. */
export interface Stall {
  readonly somePct: number | null;
  readonly fullPct: number | null;
}

/** How much of a machine was in use over the `overMs` before the event. What could not be read is null, never 0. */
export interface MachinePressure {
  /** The beginning of its boot id: hosts with one kernel are one machine. */
  readonly machine: string;
  /** firedrill runs on it. */
  readonly prober: boolean;
  /** Hosts of the target on it, in the plan's order. */
  readonly hosts: readonly string[];
  readonly overMs: number;
  readonly cpu: {
    readonly somePct: number | null;
    /** CPU time in use, percent of all cores, without `stealPct`. */
    readonly busyPct: number | null;
    /** CPU time that the hypervisor gave to others, percent of all cores. */
    readonly stealPct: number | null;
    /** Tasks that run or could run. */
    readonly runQueue: number | null;
    readonly cores: number | null;
  };
  readonly memory: Stall;
  readonly io: Stall;
  /** CPU time that the control groups of `hosts` used, percent of one core; above 100 for several. null: of none, or not of all. */
  readonly targetCpuPct: number | null;
  /** Of `hosts`, those whose CPU time was not read this time: `targetCpuPct` is without theirs. Absent: none. */
  readonly unreadHosts?: readonly string[];
  /** CPU time that hosts used while they were among `unreadHosts`, and until now, ms: read now. `targetCpuPct` is without it. */
  readonly readLate?: readonly { readonly host: string; readonly usedMs: number }[];
  /** The same of firedrill and its child processes; absent on other machines than the prober's. */
  readonly harnessCpuPct?: number | null;
}

/**
 * What happened, as it is appended to events.ndjson: one JSON object a line,
 * `t` first. `t` is the offset in ms on the run clock at which it was recorded.
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
      /** The release that was drilled, as `--label` names it. */
      readonly label?: string;
    }
  /** Wall time read at offset `t`; written now and then, shows a stepped clock. */
  | { readonly t: number; readonly type: 'clock.anchor'; readonly wallMs: number }
  /** The wall clock moved against the run clock by `byMs` (forwards if positive), found at `atMs`: it was set, or the machine slept. */
  | {
      readonly t: number;
      readonly type: 'clock.stepped';
      readonly atMs: number;
      readonly byMs: number;
      readonly cause: 'step' | 'suspend';
    }
  /** Logs of 0.1: a small HTTP server of firedrill on the prober's machine was probed as a control. Its samples say nothing of the target. */
  | { readonly t: number; readonly type: 'canary.started'; readonly probe: PlannedProbe }
  /** From here on the control works on the prober's machine (core/control.ts). */
  | {
      readonly t: number;
      readonly type: 'control.started';
      readonly everyMs: number;
      readonly workMs: number;
    }
  | ({ readonly t: number; readonly type: 'control.sample' } & ControlSample)
  | ({ readonly t: number; readonly type: 'machine.pressure' } & MachinePressure)
  | { readonly t: number; readonly type: 'phase.started'; readonly phase: PhaseName }
  /** A gate came out: met (at `t`), or not within its time, with what was missing. */
  | {
      readonly t: number;
      readonly type: 'gate';
      readonly gate: 'steady' | 'recovery' | 'redundancy';
      readonly state: 'met' | 'timeout';
      readonly unmet: readonly string[];
    }
  | ({ readonly t: number; readonly type: 'sample' } & Sample)
  /** A slot that was not sent: as many samples were in flight as may be, or (`pace`) the target answers more slowly than it is asked. */
  | {
      readonly t: number;
      readonly type: 'sample.dropped';
      readonly probe: string;
      readonly slot: number;
      readonly dueMs: number;
      readonly reason?: 'pace';
    }
  /** A line in a host's log that a probe recognized; times on the run clock, bounds where it was not stamped exactly. */
  | {
      readonly t: number;
      readonly type: 'mark';
      readonly probe: string;
      readonly host?: string;
      readonly name: string;
      /** What the line says, where the mark's pattern picks something out of it. */
      readonly value?: string;
      readonly atMs: number;
      readonly minMs?: number;
      readonly maxMs?: number;
      readonly text: string;
    }
  /** A writer's client wrote a row: committed, if at all, in [sendMs, finishMs]. */
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
   * What was there at some instant in [sendMs, finishMs]: through a path, or in the copy that the path's host itself
   * holds. Numbers by client, as ranges (row-ranges.ts); without them it could not be read.
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
  /** From `t` on, probes with a burst interval use it (or their base interval again). */
  | { readonly t: number; readonly type: 'rate.changed'; readonly burst: boolean }
  | { readonly t: number; readonly type: 'role.resolved'; readonly role: string; readonly host: string }
  /** Fsynced before the fault acts. `t` is the moment we asked. */
  | {
      readonly t: number;
      readonly type: 'fault.issued';
      readonly fault: string;
      readonly kind: string;
      readonly host: string;
      readonly params: Json;
    }
  /** The fault's host undoes it by itself, not before `untilMs`, unless that is put off again. */
  | { readonly t: number; readonly type: 'lease.kept'; readonly fault: string; readonly untilMs: number }
  | { readonly t: number; readonly type: 'fault.acked'; readonly fault: string; readonly receipt: Json }
  /** The way to the host broke before it answered: what it did is not known. It is not asked again; its effect is looked for. */
  | {
      readonly t: number;
      readonly type: 'fault.unanswered';
      readonly fault: string;
      readonly message: string;
    }
  /** The fault was seen to be true: it became true in [notBeforeMs, notAfterMs]. */
  | {
      readonly t: number;
      readonly type: 'fault.effect';
      readonly fault: string;
      readonly notBeforeMs: number;
      readonly notAfterMs: number;
    }
  | { readonly t: number; readonly type: 'fault.failed'; readonly fault: string; readonly message: string }
  | { readonly t: number; readonly type: 'heal.started'; readonly fault: string }
  /** The inverse was applied where needed and seen to hold. */
  | { readonly t: number; readonly type: 'heal.proven'; readonly fault: string }
  /**
   * An attempt to heal that proved nothing; the heal goes on. `observed`: the host answered, and the fault is still there;
   * otherwise it could not be checked. Attempts with the same result are not all recorded.
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
  /** The prober's own health over the time since the last such event. */
  | {
      readonly t: number;
      readonly type: 'prober.health';
      readonly lane: string;
      readonly loopMaxMs: number;
      readonly loopP99Ms: number;
    }
  /** What firedrill itself has cost so far; the last one is near the run's end. */
  | ({ readonly t: number; readonly type: 'harness.cost' } & HarnessCost)
  | {
      readonly t: number;
      readonly type: 'log';
      readonly level: 'info' | 'warn' | 'error';
      readonly text: string;
    }
  /** The run was cut short from outside, or broke. */
  | {
      readonly t: number;
      readonly type: 'run.aborted';
      readonly reason: string;
      /** A guard rail said no. */
      readonly refused?: true;
      /** firedrill itself broke, or its disk: no verdict. */
      readonly broken?: true;
    }
  | { readonly t: number; readonly type: 'run.ended' };

/** What probing and the harness cost since the run's start. */
export interface HarnessCost {
  /** CPU time of firedrill's process with all its threads, ms. */
  readonly cpuMs: number;
  /** CPU time of processes that it started on its own machine and that have ended, ms; absent where the system does not say. */
  readonly childCpuMs?: number;
  /** Of all probes of the target. */
  readonly samples: number;
  /** Connections that probes opened. */
  readonly newConnections: number;
  /** Commands run, followed and piped on hosts, by probes and faults. */
  readonly commands: number;
}

/** Distributes `Omit` over the union. */
type WithoutTime<E> = E extends DrillEvent ? Omit<E, 't'> : never;

/** An event before the log stamps it. */
export type NewEvent = WithoutTime<DrillEvent>;
