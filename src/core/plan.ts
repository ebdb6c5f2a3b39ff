import { z } from 'zod';
import type { Condition, FailureValues, GateCondition } from './condition.ts';
import type { ExtensionModule } from './extension-module.ts';
import type { FaultId, HostName, ProbeId, ProbeName, RoleName } from './ids.ts';
import type { ProbeLane } from './probe-lane.ts';
import type { DurationMs } from './time.ts';

/** JSON as the event log stores it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Stored data of a type that allows changes, read-only. */
export type DeepReadonly<T> = Json extends T
  ? T
  : T extends string | number
    ? T
    : T extends object
      ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
      : T;

/** Parses any JSON value. */
export const jsonSchema: z.ZodType<Json> = z.json();

/**
 * What a drill will do, with every default filled in. The planner builds it from scenario and target, and it
 * is stored in the log's first event. The analysis reads nothing else of the two files. Plain JSON; secrets
 * appear only as references.
 */
export interface Plan {
  readonly scenario: {
    readonly name: string;
    readonly title: string;
    readonly path: string;
    readonly sha256: string;
    /** The scenario's variables with the values of this drill, including matrix values. */
    readonly variables: Readonly<Record<string, Scalar>>;
    /** The file's text; absent in logs of older versions. */
    readonly text?: string;
  };
  /** Seed and round of the random offsets of faults with a jitter; absent if no fault has one. */
  readonly draw?: { readonly seed: number; readonly round: number };
  readonly target: {
    readonly name: string;
    readonly environment: string;
    readonly path: string;
    readonly sha256: string;
  };
  /** The extensions of the target, in the order of the file; absent if it has none. */
  readonly extensions?: readonly PlannedExtension[];
  readonly hosts: readonly PlannedHost[];
  /**
   * The probes that run: those that the drill uses and those that the target marks `always`, or all with
   * `--all-probes`.
   */
  readonly probes: readonly PlannedProbe[];
  /** Names of the target's other probes, which do not run in this drill; absent if all of them run. */
  readonly probesLeftOut?: readonly ProbeName[];
  /** The writers whose rows a check needs; no others write. */
  readonly writers: readonly PlannedWriter[];
  readonly roles: Readonly<Record<string, Condition>>;
  /** Things that exactly one host should own: for each, the sides from which its owner is observed. */
  readonly ownership: Readonly<Record<string, Sides>>;
  /** Settings from which times are predicted, by name. */
  readonly models: Readonly<Record<string, Model>>;
  /**
   * Changes made before the wait for the steady state; undone after the faults are healed, in reverse order.
   * Their outages do not count for the drill.
   */
  readonly prepare: readonly PlannedFault[];
  readonly steady: Gate;
  /** Limits that stop the drill; everything is healed then. */
  readonly limits: Limits;
  /**
   * Protects the last host on which this condition holds from a fault; absent if the target does not define a
   * healthy node.
   */
  readonly healthy?: Condition;
  /** The scenario allows a fault on the last healthy node. */
  readonly leavesNoHealthyNode?: true;
  readonly faults: readonly PlannedFault[];
  /** Steps that the stack needs after its faults are healed and does not do by itself; never undone. */
  readonly repair: readonly PlannedFault[];
  readonly recovery: Recovery;
  /** `predicted` counts from the fault's effect, or from a stage, like a stage after the last one. */
  readonly redundancy: Gate & { readonly predicted?: PredictedBy };
  readonly checks: readonly Check[];
  /** The stages of the recovery, from the fault's effect to the recovery that held. */
  readonly stages: readonly StageRule[];
  /** The stages of the return, from the beginning of the heal to restored redundancy. */
  readonly returnStages: readonly StageRule[];
}

/** An extension that a drill uses, with what the analysis needs to know about its kinds. */
export interface PlannedExtension extends ExtensionModule {
  /** Fault kinds by name. */
  readonly faults: Readonly<Record<string, FaultFacts>>;
  /** Probe kinds by name. */
  readonly probes: Readonly<Record<string, { readonly lane: ProbeLane }>>;
}

/** What the analysis needs to know about a fault kind of an extension, which it does not load. */
export interface FaultFacts {
  /** Needs the machine's power switch or its cloud server, so its effect turns the machine off. */
  readonly takesPower?: true;
  /** Ends only with its heal. */
  readonly untilHealed?: true;
  readonly changesNetwork?: true;
}

/**
 * For each side, the condition (without a count) that holds on a host that owns the thing, as that side
 * reports it.
 */
export type Sides = Readonly<Record<string, Condition>>;

/**
 * Settings of a thing that takes time in a recovery, from which that time is computed, or its measured time.
 */
export type Model =
  KeepalivedModel | CheckModel | RetriesModel | TimerModel | FixedModel | MeasuredModel | CompositeModel;

/** keepalived's settings. */
export interface KeepalivedModel {
  readonly kind: 'keepalived';
  /** Version of VRRP. */
  readonly version: 2 | 3;
  readonly advertIntervalMs: DurationMs;
  /** Base priority of each host of the virtual router, 1 to 254. */
  readonly priorities: Readonly<Record<string, number>>;
  /** Hosts that take over from a master with a lower priority (no `nopreempt`). */
  readonly preempt: readonly string[];
  /** The tracked health script; absent if there is none. */
  readonly script?: {
    readonly intervalMs: DurationMs;
    readonly fall: number;
    readonly rise: number;
    readonly weight: number;
    /** Duration of a failing run; for a run that hangs, its timeout. */
    readonly runtimeMs: DurationMs;
  };
}

/** A repeated check: `fall` consecutive failures, or `rise` consecutive successes, change its state. */
export interface CheckModel {
  readonly kind: 'check';
  readonly intervalMs: DurationMs;
  readonly fall: number;
  readonly rise: number;
  /** Duration of a failing check; for a check that hangs, its timeout. */
  readonly runtimeMs: DurationMs;
}

/** Consecutive attempts with a pause between them. */
export interface RetriesModel {
  readonly kind: 'retries';
  readonly attempts: number;
  readonly intervalMs: DurationMs;
  /** How long an attempt waits for a missing answer. */
  readonly timeoutMs: DurationMs;
}

/** A timer that acts at every tick, independent of events between the ticks. */
export interface TimerModel {
  readonly kind: 'timer';
  readonly intervalMs: DurationMs;
}

/** A time that is itself a setting. */
export interface FixedModel {
  readonly kind: 'fixed';
  readonly timeMs: DurationMs;
}

/** A measured time that follows from no setting. */
export interface MeasuredModel {
  readonly kind: 'measured';
  /** Source of the figures. */
  readonly source: string;
  readonly times:
    | { readonly minMs: DurationMs; readonly modeMs: DurationMs; readonly maxMs: DurationMs }
    /** From the shortest to the longest, at equal steps of probability. */
    | { readonly quantilesMs: readonly DurationMs[] };
}

/** Models in sequence, or in parallel until the last one is done. */
export interface CompositeModel {
  readonly kind: 'sequence' | 'parallel';
  readonly of: readonly ModelUse[];
}

/** The part of a model whose time is predicted, for models with more than one part. */
export type PredictionStep =
  | 'script-fall'
  | 'script-rise'
  | 'master-down'
  | 'priority-zero'
  | 'preemption'
  | 'fall'
  | 'rise'
  | 'refused'
  | 'silent';

/** A model, or the sum of some of its steps. */
export interface ModelUse {
  readonly model: string;
  /** Absent for kinds without steps. */
  readonly steps?: readonly PredictionStep[];
}

/** Predicted duration of a stage or of the whole. */
export interface Prediction extends ModelUse {
  /**
   * Start of the prediction: the end of this stage, or with `start` the beginning of the chain. Default: the
   * end of the previous stage.
   */
  readonly from?: string;
}

/** One prediction, or several of which the latest counts. */
export type PredictedBy = Prediction | readonly Prediction[];

/** Value of a scenario variable. */
export type Scalar = string | number | boolean;

const local = z.object({ kind: z.literal('local') });

const docker = z.object({
  kind: z.literal('docker'),
  container: z.string(),
  context: z.string().exactOptional(),
});

const ssh = z.object({
  kind: z.literal('ssh'),
  /** A name or alias, as `ssh` takes it. */
  host: z.string(),
  user: z.string().exactOptional(),
  port: z.int().exactOptional(),
  /** The only key to use. */
  identityFile: z.string().exactOptional(),
  /** Replaces the user's own known_hosts. */
  knownHosts: z.string().exactOptional(),
  /** Replaces the user's and the system's ssh_config; `none`: no file. */
  config: z.string().exactOptional(),
  /** Jump hosts, as after `ssh -J`. */
  jump: z.string().exactOptional(),
  /** Runs commands as root with `sudo -n`. */
  sudo: z.boolean().exactOptional(),
});

/** The stored form of where an extension was loaded from. */
export const moduleSchema = z.object({ entry: z.string(), file: z.string() });

/** A transport of an extension, with the module that it came from. */
const extension = z.object({
  kind: z.literal('extension'),
  /** Name of the transport kind. */
  name: z.string(),
  /** Parsed by the kind's schema. */
  params: jsonSchema,
  /** How commands reach the host, in words. */
  text: z.string(),
  module: moduleSchema,
});

/** The stored form of a host of the target and its transport. */
export const hostSchema = z.object({
  name: z.string(),
  address: z.string().exactOptional(),
  transport: z.discriminatedUnion('kind', [local, docker, ssh, extension]),
  /**
   * The host's server in an OpenStack cloud: an entry of clouds.yaml (`openrc`: the OS_* variables) and the
   * server's id or name.
   */
  server: z
    .object({ cloud: z.string(), cloudsFile: z.string().exactOptional(), id: z.string() })
    .exactOptional(),
});

export type PlannedHost = DeepReadonly<z.output<typeof hostSchema>>;

/** How commands reach a host. */
export type Transport = PlannedHost['transport'];

/** Options for the `ssh` command; all others come from its configuration. Files by path. */
export type SshTransport = Extract<Transport, { kind: 'ssh' }>;

/** One probe instance: a target-file probe with `on: [a, b]` becomes two. */
export interface PlannedProbe {
  /** `name` or `name@host`. */
  readonly id: ProbeId;
  readonly name: ProbeName;
  /** The host that it checks. */
  readonly host?: HostName;
  /** The host on which its commands run; default: `host`. */
  readonly from?: HostName;
  readonly kind: string;
  /** Parsed by the kind's schema; times in ms. */
  readonly params: Json;
  readonly intervalMs: DurationMs;
  readonly timeoutMs: DurationMs;
  /** Interval from shortly before the fault until stable recovery. */
  readonly burstIntervalMs?: DurationMs;
  /**
   * For each cause of a failed sample, the value that such a failure stands for. Other failures have no
   * value.
   */
  readonly onFailure?: FailureValues;
  /** The target runs it in every drill, even if the drill does not use it. */
  readonly always?: true;
  /**
   * Why the drill needs it, such as `recovery` or `role primary`; absent outside of drills and in logs of
   * older versions.
   */
  readonly usedBy?: readonly string[];
}

/** Clients that write numbered rows as the stack's own clients do, from the steady state to the end. */
export interface PlannedWriter {
  readonly id: string;
  readonly kind: string;
  /** Paths into the stack, each with its own clients: one path per host of `on`. */
  readonly paths: readonly PlannedPath[];
  /** Number of clients per path. Clients are numbered from 1, path after path. */
  readonly clients: number;
  /** Time from one write of a client to its next write. */
  readonly intervalMs: DurationMs;
  readonly timeoutMs: DurationMs;
  /** Read interval of each path's reader. */
  readonly readIntervalMs: DurationMs;
  /** The rows stay when the run ends. */
  readonly keep?: true;
}

/** One path into the stack. */
export interface PlannedPath {
  /** `writer` or `writer@host`. */
  readonly id: string;
  readonly host?: HostName;
  /** Parsed by the kind's schema. */
  readonly params: Json;
}

/** Conditions that must all hold without interruption for `forMs`, reached `withinMs`. */
export interface Gate {
  readonly require: readonly GateCondition[];
  readonly forMs: DurationMs;
  readonly withinMs: DurationMs;
}

/** The probe whose failed windows are the outage, and how long to wait for its recovery. */
export interface Recovery {
  /** Probe name; it has exactly one instance, or with `onFaultHost` one on each host. */
  readonly probe: ProbeName;
  /** The outage is that of the probe's instance on the first fault's host. */
  readonly onFaultHost?: true;
  /** The outage is that of clients with a persistent connection: the probe keeps its own. */
  readonly keptConnection?: true;
  readonly withinMs: DurationMs;
  /** A recovery counts after it held this long without a bad sample. */
  readonly stableForMs: DurationMs;
  /**
   * If no sample fails after the faults, the wait for an outage ends after this time; absent in logs of
   * versions without this setting: 15 s.
   */
  readonly quietForMs?: DurationMs;
  /**
   * With `redundancy`, a recovery counts only if no bad sample comes between it and restored redundancy. A
   * service that a later step of the same recovery interrupts again has not recovered.
   */
  readonly until?: 'redundancy';
}

/** A fault; its `on` is still a role if the file says so. Preparations and repairs have the same shape. */
export interface PlannedFault {
  /** The id in the file, by default `fault-1`, `prepare-1`, `repair-1`, ... in file order. */
  readonly id: FaultId;
  readonly kind: string;
  /** With `fault`, the step acts on that fault's host, because roles may have moved since. */
  readonly on: { readonly host: HostName } | { readonly role: RoleName } | { readonly fault: FaultId };
  /**
   * When to inject, counted from the moment the steady-state gate is met; with `after`, from the end of that
   * fault's heal. Includes jitter.
   */
  readonly atMs: DurationMs;
  /** Id of the fault that must be healed first. */
  readonly after?: FaultId;
  /**
   * Heal this long after the effect, whatever the service does; by default the kind's `healAfter` decides.
   */
  readonly forMs?: DurationMs;
  /** `atMs` was drawn from [at, at + jitterMs). */
  readonly jitterMs?: DurationMs;
  /**
   * The host undoes the fault this long after the last renewal; absent if the host cannot, or need not, undo
   * it.
   */
  readonly leaseMs?: DurationMs;
  /**
   * May contain `${host}`, `${address}` (of the step's host), and `${address.NAME}` (of a host or role). They
   * are filled in just before the step.
   */
  readonly params: Json;
}

/** Longest durations, ms. */
export interface Limits {
  /** Any fault or preparation. */
  readonly faultMs: DurationMs;
  /** The recovery probe's outage; absent: no limit. */
  readonly outageMs?: DurationMs;
}

/** A check: all must hold for the verdict pass. */
export type Check =
  | { readonly kind: 'rto'; readonly name: string; readonly maxMs: DurationMs }
  /**
   * Sum of a probe instance's failed windows after the fault; without `probe`, of the recovery probe. Has at
   * least one limit.
   */
  | {
      readonly kind: 'downtime';
      readonly name: string;
      /** Probe instance id, such as `lb-tcp` or `tcp@node-1`. */
      readonly probe?: ProbeId;
      readonly minMs?: DurationMs;
      readonly maxMs?: DurationMs;
    }
  | { readonly kind: 'redundancy'; readonly name: string; readonly maxMs: DurationMs }
  /**
   * The service must NOT recover by itself within `recovery.within`: for scenarios that disable its recovery
   * mechanism.
   */
  | { readonly kind: 'no-recovery'; readonly name: string }
  /** Sum of the recovery probe's failed windows from the beginning of the heal on. */
  | { readonly kind: 'heal-outage'; readonly name: string; readonly maxMs: DurationMs }
  /** From the beginning of the heal to restored redundancy. */
  | { readonly kind: 'return'; readonly name: string; readonly maxMs: DurationMs }
  /** Total time for which the condition held after the fault; `minMs` 0: at all. */
  | {
      readonly kind: 'happens';
      readonly name: string;
      readonly condition: Condition;
      readonly minMs: DurationMs;
      readonly maxMs?: DurationMs;
    }
  | { readonly kind: 'role-moved'; readonly name: string; readonly role: RoleName }
  | { readonly kind: 'role-stays'; readonly name: string; readonly role: RoleName }
  | { readonly kind: 'finally'; readonly name: string; readonly condition: Condition }
  | {
      readonly kind: 'never';
      readonly name: string;
      readonly condition: Condition;
      readonly toleranceMs: DurationMs;
    }
  /**
   * Total time after the fault in which none or multiple hosts owned it, as observed from a side, or in which
   * the owners differed from those of another side. Has at least one limit.
   */
  | ({
      readonly kind: 'ownership';
      readonly name: string;
      readonly of: string;
      readonly side: string;
      readonly minMs?: DurationMs;
      readonly maxMs?: DurationMs;
    } & ({ readonly state: OwnershipState } | { readonly differsFrom: string }))
  /**
   * Length of the time whose acknowledged writes were lost; `maxMs` 0: no write was lost. Has at least one
   * limit.
   */
  | {
      readonly kind: 'rpo';
      readonly name: string;
      readonly of: string;
      readonly minMs?: DurationMs;
      readonly maxMs?: DurationMs;
    }
  /** Number of a writer's rows with this outcome. Has at least one limit. */
  | {
      readonly kind: 'rows';
      readonly name: string;
      readonly of: string;
      readonly are: RowAnomaly;
      readonly min?: number;
      readonly max?: number;
    }
  /**
   * Total time for which reads missed rows that had been acknowledged before and were not lost. Has at least
   * one limit.
   */
  | {
      readonly kind: 'stale-reads';
      readonly name: string;
      readonly of: string;
      readonly minMs?: DurationMs;
      readonly maxMs?: DurationMs;
    }
  /**
   * Time in which a writer's clients got no operation done: all of them, or the one that was out for longest. Has at
   * least one limit.
   */
  | {
      readonly kind: 'write-outage' | 'read-outage';
      readonly name: string;
      readonly of: string;
      readonly clients: 'all' | 'any';
      readonly time: 'total' | 'longest';
      readonly minMs?: DurationMs;
      readonly maxMs?: DurationMs;
    }
  /**
   * Each change in a probe's marks (host and value) is delivered exactly once, in order for each host, within
   * `withinMs`.
   */
  | {
      readonly kind: 'delivered';
      readonly name: string;
      readonly changes: MarkSource;
      readonly deliveries: MarkSource;
      readonly withinMs: DurationMs;
    };

/**
 * Row anomalies. `lost`: acknowledged and missing. `duplicated`: present more than once. `phantom`: present
 * although refused or never sent.
 */
export type RowAnomaly = 'lost' | 'duplicated' | 'phantom';

/** Not exactly one owner: none or multiple. */
export type OwnershipState = 'none' | 'multiple';

/** Marks of a probe, by their names. */
export interface MarkSource {
  readonly probe: ProbeName;
  readonly marks: readonly string[];
}

/**
 * One stage of the recovery. It ends when `until` is first observed at or after the end of the previous
 * stage; the last stage ends with the recovery itself.
 */
export interface StageRule {
  readonly name: string;
  readonly until: StageEnd;
  /** Its predicted duration by the settings of what it waits for; of several, the latest ends the stage. */
  readonly predicted?: PredictedBy;
}

/** What ends a stage. */
export type StageEnd =
  | ({ readonly kind: 'condition'; readonly condition: Condition } & StageHosts)
  | ({ readonly kind: 'mark'; readonly probe: ProbeName; readonly mark: string } & StageHosts)
  | { readonly kind: 'recovered' };

/** Which hosts' instances count for the end of a stage; by default all. */
interface StageHosts {
  readonly excludeFaultHost: boolean;
  /** Only the fault's host. */
  readonly onlyFaultHost?: boolean;
}
