import { controlSampleFields } from './control.ts';
import {
  count,
  duration,
  flag,
  list,
  object,
  type ObjectOf,
  oneOf,
  optional,
  present,
  reading,
  record,
  runTime,
  signedDuration,
  signedRunTime,
  text,
  texts,
  wallTime,
  textOf,
  textsOf,
} from './field-kinds.ts';
import type { FaultId, HostName, ProbeId, RoleName } from './ids.ts';
import type { Json, Plan, PlannedProbe } from './plan.ts';
import { sampleFields } from './sample.ts';
import type { RunMs } from './time.ts';

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

const stallFields = { somePct: reading, fullPct: reading };

/**
 * Share of time in which some tasks, or all tasks, of a machine waited for a resource (Linux PSI), 0 to 100.
 * null: not read.
 */
export type Stall = ObjectOf<typeof stallFields>;

const pressureFields = {
  /** The beginning of its boot id: hosts with the same kernel are one machine. */
  machine: text,
  /** firedrill runs on it. */
  prober: flag,
  /** The target's hosts on it, in the plan's order. */
  hosts: textsOf<HostName>(),
  overMs: duration,
  cpu: object({
    somePct: reading,
    /** CPU time in use, percent of all cores, without `stealPct`. */
    busyPct: reading,
    /** CPU time that the hypervisor gave to other machines, percent of all cores. */
    stealPct: reading,
    /** Tasks that are running or ready to run. */
    runQueue: reading,
    cores: reading,
  }),
  memory: object(stallFields),
  io: object(stallFields),
  /**
   * CPU time of the control groups of `hosts`, percent of one core, so it may exceed 100. null: unknown for
   * at least one of them, or there are no hosts.
   */
  targetCpuPct: reading,
  /** The hosts whose CPU time was not read this time; `targetCpuPct` excludes them. Absent: none. */
  unreadHosts: optional(textsOf<HostName>()),
  /**
   * CPU time that was read now for hosts that were in `unreadHosts` before, ms since their last reading.
   * `targetCpuPct` excludes it.
   */
  readLate: optional(list(object({ host: textOf<HostName>(), usedMs: duration }))),
  /**
   * CPU time of firedrill and its child processes, percent of one core; absent on machines other than the
   * prober's.
   */
  harnessCpuPct: optional(reading),
};

/** Use of a machine during the `overMs` before the event. A value that could not be read is null, never 0. */
export type MachinePressure = ObjectOf<typeof pressureFields>;

const costFields = {
  /** CPU time of firedrill's process with all its threads, ms. */
  cpuMs: duration,
  /**
   * CPU time of its ended child processes on its own machine, ms; absent if the system does not report it.
   */
  childCpuMs: optional(duration),
  /** Samples of all probes of the target. */
  samples: count,
  /** Connections that probes opened. */
  newConnections: count,
  /** Commands run, followed, and piped on hosts, by probes and faults. */
  commands: count,
};

/** Cost of probing and of the harness since the run's start. */
export type HarnessCost = ObjectOf<typeof costFields>;

const host = textOf<HostName>();
const role = textOf<RoleName>();
const probe = textOf<ProbeId>();
/** Also the id of a preparation or a repair. */
const fault = textOf<FaultId>();

/**
 * The fields of each type of event, in addition to `t` and `type`. The types of the events and the check of a log
 * that is read follow from them.
 */
export const eventFields = {
  'run.started': {
    schemaVersion: count,
    runId: text,
    /** Wall time at offset `t`, ms since the Unix epoch. */
    wallMs: wallTime,
    plan: record<Plan>(),
    versions: object({ firedrill: text, node: text }),
    /** The release under test (`--label`). */
    label: optional(text),
  },
  /** Wall time at offset `t`; written at intervals, so that a step of the clock shows. */
  'clock.anchor': { wallMs: wallTime },
  /**
   * The wall clock changed by `byMs` relative to the run clock (positive: forward), detected at `atMs`: it
   * was set, or the machine slept.
   */
  'clock.stepped': { atMs: signedRunTime, byMs: signedDuration, cause: oneOf('step', 'suspend') },
  /**
   * Logs of 0.1: an HTTP server of firedrill on the prober's machine was probed as a control. Its samples do
   * not describe the target.
   */
  'control_probe.started': { probe: record<PlannedProbe>() },
  /** The control runs on the prober's machine from now on (core/control.ts). */
  'control.started': { everyMs: duration, workMs: duration },
  'control.sample': controlSampleFields,
  'machine.pressure': pressureFields,
  'phase.started': { phase: textOf<PhaseName>() },
  /** Outcome of a gate: met (at `t`), or not met within its time, with the unmet conditions. */
  gate: {
    gate: textOf<'steady' | 'recovery' | 'redundancy'>(),
    state: oneOf('met', 'timeout'),
    unmet: texts,
  },
  sample: sampleFields,
  /**
   * A slot that was not sent: too many samples were in flight, or (`pace`) the target answers too slowly for
   * the interval.
   */
  'sample.dropped': { probe, slot: count, dueMs: runTime, reason: optional(textOf<'pace'>()) },
  /**
   * A line in a host's log that a probe recognized. Times are on the run clock, with bounds if the line has
   * no exact time stamp.
   */
  mark: {
    probe,
    host: optional(host),
    name: text,
    /** The value in the line, if the mark's pattern captures one. */
    value: optional(text),
    atMs: signedRunTime,
    minMs: optional(signedRunTime),
    maxMs: optional(signedRunTime),
    text,
  },
  /** A writer's client wrote a row. If it was committed, then in [sendMs, finishMs]. */
  'row.written': {
    writer: text,
    client: count,
    number: count,
    sendMs: runTime,
    finishMs: runTime,
    /** Longest stall of firedrill itself meanwhile, ms; absent below 50 ms. */
    stallMs: optional(duration),
    outcome: oneOf('acked', 'refused', 'indeterminate'),
    message: optional(text),
  },
  /**
   * The rows that existed at some instant in [sendMs, finishMs], read through a path or from the copy on the
   * path's own host.
   */
  'rows.read': {
    writer: text,
    path: text,
    place: oneOf('path', 'copy'),
    moment: textOf<ReadMoment>(),
    sendMs: runTime,
    finishMs: runTime,
    /** Longest stall of firedrill itself meanwhile, ms; absent below 50 ms. */
    stallMs: optional(duration),
    /** Numbers by client, as ranges (row-ranges.ts); absent if they could not be read. */
    rows: optional(record<Readonly<Record<string, string>>>()),
    message: optional(text),
  },
  /** From `t` on, probes with a burst interval use it, or use their base interval again. */
  'rate.changed': { burst: flag },
  'role.resolved': { role, host },
  /** On disk before the fault acts. `t` is the time of the request. */
  'fault.issued': { fault, kind: text, host, params: present<Json>() },
  /** The fault's host undoes the fault by itself, not before `untilMs`, unless the lease is renewed again. */
  'lease.renewed': { fault, untilMs: signedRunTime },
  'fault.acked': { fault, receipt: present<Json>() },
  /**
   * The connection to the host broke before it answered, so the fault's outcome is unknown. It is not
   * injected again; its effect is checked.
   */
  'fault.outcome_unknown': { fault, message: text },
  /** The effect was observed: it began in [notBeforeMs, notAfterMs]. */
  'fault.effect': { fault, notBeforeMs: runTime, notAfterMs: runTime },
  'fault.failed': { fault, message: text },
  'heal.started': { fault },
  /** The inverse was applied if needed, and was observed to hold. */
  'heal.proven': { fault },
  /** An attempt of a heal that is not proven yet; the heal continues. Attempts with the same result are not all recorded. */
  'heal.attempted': {
    fault,
    /** Counted from 1. */
    attempt: count,
    /** The host answered, and the fault is still in effect; otherwise the host could not be checked. */
    observed: flag,
    message: text,
  },
  'heal.failed': {
    fault,
    message: text,
    /** Whether the last attempt could check the host; absent in older logs. */
    observed: optional(flag),
  },
  /** The prober's own health since the last event of this type. */
  'prober.health': { lane: text, loopMaxMs: duration, loopP99Ms: duration },
  /** Cost of firedrill itself so far; the last one is near the run's end. */
  'harness.cost': costFields,
  log: { level: oneOf('info', 'warn', 'error'), text },
  /** The run was stopped from outside, or it broke. */
  'run.aborted': {
    reason: text,
    /** A guard rail refused it. */
    refused: optional(oneOf(true)),
    /** firedrill or its disk failed: no verdict. */
    broken: optional(oneOf(true)),
  },
  'run.ended': {},
};

export type EventType = keyof typeof eventFields;

/** The events of these types. */
export type EventOf<T extends EventType> = {
  readonly [K in T]: { readonly t: RunMs; readonly type: K } & ObjectOf<(typeof eventFields)[K]>;
}[T];

/**
 * One event in events.ndjson: one JSON object per line, `t` first. `t` is the time of recording, ms on the
 * run clock.
 */
export type DrillEvent = EventOf<EventType>;

/** Distributes `Omit` over the union. */
type WithoutTime<E> = E extends DrillEvent ? Omit<E, 't'> : never;

/** An event before the log stamps it. */
export type NewEvent = WithoutTime<DrillEvent>;
