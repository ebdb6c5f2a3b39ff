import type { Condition, FailureValues, GateCondition } from './condition.ts';

/** JSON as it is stored in the event log. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * What a drill will do, with every default filled in: made by the planner from
 * scenario and target, stored as the first event of the log, and all that the
 * analysis knows of either file. Plain JSON; secrets appear by reference only.
 */
export interface Plan {
  readonly scenario: {
    readonly name: string;
    readonly title: string;
    readonly path: string;
    readonly sha256: string;
    /** Variables of the scenario with the values that this drill runs with, matrix values among them. */
    readonly variables: Readonly<Record<string, Scalar>>;
    /** The file as it was read; absent in logs of older versions. */
    readonly text?: string;
  };
  /** What drew the moments of faults with a jitter; absent where none has one. */
  readonly draw?: { readonly seed: number; readonly round: number };
  readonly target: {
    readonly name: string;
    readonly environment: string;
    readonly path: string;
    readonly sha256: string;
  };
  readonly hosts: readonly PlannedHost[];
  /** Those that run: what the drill uses, what the target marks `always`, or all with `--all-probes`. */
  readonly probes: readonly PlannedProbe[];
  /** Names of the target's other probes, which do not run in this drill; absent where all of them run. */
  readonly probesLeftOut?: readonly string[];
  /** Those whose rows a check asks for: no others write. */
  readonly writers: readonly PlannedWriter[];
  readonly roles: Readonly<Record<string, Condition>>;
  /** Things that exactly one host should own: for each, the sides from which its owner is seen. */
  readonly ownership: Readonly<Record<string, Sides>>;
  /** Settings from which times are predicted, by name. */
  readonly models: Readonly<Record<string, Model>>;
  /** Changes made before the steady state is waited for; undone after the faults are healed, in reverse. Their outages are not the drill's. */
  readonly prepare: readonly PlannedFault[];
  readonly steady: Gate;
  /** When a drill is cut short and everything healed. */
  readonly limits: Limits;
  /** Keeps a fault from hitting the last host on which the condition holds; absent where the target does not say what a healthy node is. */
  readonly healthy?: Condition;
  /** The scenario means to leave no healthy node. */
  readonly leavesNoHealthyNode?: true;
  readonly faults: readonly PlannedFault[];
  /** Steps that somebody has to take by hand once the faults are healed; never undone. */
  readonly repair: readonly PlannedFault[];
  readonly recovery: Recovery;
  /** `predicted` counts from the fault's effect on, or from a stage, as that of a stage after the last. */
  readonly redundancy: Gate & { readonly predicted?: PredictedBy };
  readonly checks: readonly Check[];
  /** The chain of the recovery, from the fault's effect to the recovery that held. */
  readonly stages: readonly StageRule[];
  /** The chain of the return, from the beginning of the heal to restored redundancy. */
  readonly returnStages: readonly StageRule[];
}

/** By side, the condition (without a count) that holds on a host which owns the thing as seen from there. */
export type Sides = Readonly<Record<string, Condition>>;

/** Settings of one thing that takes time in a recovery, as far as the time follows from them, or what it was measured to take. */
export type Model =
  KeepalivedModel | CheckModel | RetriesModel | TimerModel | FixedModel | MeasuredModel | CompositeModel;

/** keepalived's settings. */
export interface KeepalivedModel {
  readonly kind: 'keepalived';
  /** Of VRRP. */
  readonly version: 2 | 3;
  readonly advertIntervalMs: number;
  /** Base priority of each host of the virtual router, 1 to 254. */
  readonly priorities: Readonly<Record<string, number>>;
  /** Hosts that take over from a master of lower priority (no `nopreempt` there). */
  readonly preempt: readonly string[];
  /** The tracked health script; absent where there is none. */
  readonly script?: {
    readonly intervalMs: number;
    readonly fall: number;
    readonly rise: number;
    readonly weight: number;
    /** How long a run that fails takes; one that hangs, its time-out. */
    readonly runtimeMs: number;
  };
}

/** A check that is made again and again: `fall` failures, or `rise` successes, in a row count. */
export interface CheckModel {
  readonly kind: 'check';
  readonly intervalMs: number;
  readonly fall: number;
  readonly rise: number;
  /** How long a check that fails takes; one that hangs, its time-out. */
  readonly runtimeMs: number;
}

/** Attempts in a row with a pause between two. */
export interface RetriesModel {
  readonly kind: 'retries';
  readonly attempts: number;
  readonly intervalMs: number;
  /** How long an attempt waits for an answer that does not come. */
  readonly timeoutMs: number;
}

/** Something that acts at every tick, whatever happens between two. */
export interface TimerModel {
  readonly kind: 'timer';
  readonly intervalMs: number;
}

/** A time that is a setting itself. */
export interface FixedModel {
  readonly kind: 'fixed';
  readonly timeMs: number;
}

/** A time that no setting gives: measured. */
export interface MeasuredModel {
  readonly kind: 'measured';
  /** Where the figures are from. */
  readonly source: string;
  readonly times:
    | { readonly minMs: number; readonly modeMs: number; readonly maxMs: number }
    /** From the shortest to the longest, evenly spread in probability. */
    | { readonly quantilesMs: readonly number[] };
}

/** Models one after another, or side by side until the last is done. */
export interface CompositeModel {
  readonly kind: 'sequence' | 'parallel';
  readonly of: readonly ModelUse[];
}

/** What a model can be asked the time of, where that is more than one thing. */
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
  /** Absent for kinds that have none. */
  readonly steps?: readonly PredictionStep[];
}

/** How long something should take. */
export interface Prediction extends ModelUse {
  /** Counted from the end of this stage, or with `start` from the beginning of the chain; from the end of the stage before by default. */
  readonly from?: string;
}

/** One prediction, or several of which the latest counts. */
export type PredictedBy = Prediction | readonly Prediction[];

/** A value that a scenario variable can have. */
export type Scalar = string | number | boolean;

/** A host of the target and the way to it. */
export interface PlannedHost {
  readonly name: string;
  readonly address?: string;
  readonly transport: Transport;
  /** The host as a server of an OpenStack cloud: an entry of clouds.yaml (`openrc`: the OS_* variables) and the server's id or name. */
  readonly server?: { readonly cloud: string; readonly cloudsFile?: string; readonly id: string };
}

/** How commands reach a host. */
export type Transport =
  | { readonly kind: 'local' }
  | { readonly kind: 'docker'; readonly container: string; readonly context?: string }
  | SshTransport;

/** What the command `ssh` would be told; everything else is as its configuration has it. Files by path. */
export interface SshTransport {
  readonly kind: 'ssh';
  /** A name or alias, as `ssh` takes it. */
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  /** The only key to use. */
  readonly identityFile?: string;
  /** In place of the user's own known_hosts. */
  readonly knownHosts?: string;
  /** In place of the user's and the system's ssh_config; `none` for none. */
  readonly config?: string;
  /** Jump hosts, as after `ssh -J`. */
  readonly jump?: string;
  /** Commands run as root, by `sudo -n`. */
  readonly sudo?: boolean;
}

/** One probe instance: a target-file probe with `on: [a, b]` becomes two. */
export interface PlannedProbe {
  /** `name` or `name@host`. */
  readonly id: string;
  readonly name: string;
  /** The host that it is about. */
  readonly host?: string;
  /** The host on which its commands run; `host` by default. */
  readonly from?: string;
  readonly kind: string;
  /** Parsed by the kind's schema; times in ms. */
  readonly params: Json;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** The interval from shortly before the fault until stable recovery. */
  readonly burstIntervalMs?: number;
  /** By the cause of a failed sample, the value that such a failure stands for; a failure of any other cause has no value. */
  readonly onFailure?: FailureValues;
  /** The target runs it in every drill, even if the drill does not use it. */
  readonly always?: true;
  /** What the drill needs it for, in words such as `recovery` or `role primary`; absent outside of drills and in logs of older versions. */
  readonly usedBy?: readonly string[];
}

/** Clients that write numbered rows the way the stack's own do, from the steady state to the end. */
export interface PlannedWriter {
  readonly id: string;
  readonly kind: string;
  /** Ways into the stack, each with clients of its own: one for each host of `on`. */
  readonly paths: readonly PlannedPath[];
  /** Of each path. Clients are numbered from 1, path after path. */
  readonly clients: number;
  /** Of one client, from one write to the next. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Of the reader of each path. */
  readonly readIntervalMs: number;
  /** The rows are left when the run ends. */
  readonly keep?: true;
}

/** One way into the stack. */
export interface PlannedPath {
  /** `writer` or `writer@host`. */
  readonly id: string;
  readonly host?: string;
  /** Parsed by the kind's schema. */
  readonly params: Json;
}

/** Conditions that must all hold without a break for `forMs`, reached `withinMs`. */
export interface Gate {
  readonly require: readonly GateCondition[];
  readonly forMs: number;
  readonly withinMs: number;
}

/** The probe whose bad windows are the outage, and how long to wait for it. */
export interface Recovery {
  /** Probe name; it has exactly one instance, or one on each host with `onFaultHost`. */
  readonly probe: string;
  /** The outage is what the probe's instance on the first fault's host sees. */
  readonly onFaultHost?: true;
  readonly withinMs: number;
  /** A recovery counts when it holds this long without a bad sample. */
  readonly stableForMs: number;
  /** Without any bad sample after the faults, how long to look before it counts as no outage at all; absent in logs from before it could be set: 15 s. */
  readonly quietForMs?: number;
  /**
   * With `redundancy`, a recovery counts only when no bad sample comes between it
   * and restored redundancy: service that a later step of the same recovery takes
   * away again has not recovered.
   */
  readonly until?: 'redundancy';
}

/** A fault with its target still a role where the file says so; preparations and repairs have the same shape. */
export interface PlannedFault {
  /** As the file names it, else `fault-1`, `prepare-1`, `repair-1`, ... in file order. */
  readonly id: string;
  readonly kind: string;
  /** A fault's id stands for the host that this fault hit: the roles may have moved since. */
  readonly on: { readonly host: string } | { readonly role: string } | { readonly fault: string };
  /** When to inject, counted from the moment the steady-state gate is met; with `after`, from the end of that fault's heal. Jitter included. */
  readonly atMs: number;
  /** Id of the fault that must be healed first. */
  readonly after?: string;
  /** Heal this long after the effect, whatever the service does; without it, the kind's `healAfter` says when. */
  readonly forMs?: number;
  /** `atMs` was drawn from [at, at + jitterMs). */
  readonly jitterMs?: number;
  /** The host undoes the fault this long after firedrill was last heard of; absent where it cannot, or needs not. */
  readonly leaseMs?: number;
  /** May contain `${host}`, `${address}` (of the host it runs on) and `${address.NAME}` (of a host or role), filled in when it is about to happen. */
  readonly params: Json;
}

/** How long things may last, ms. */
export interface Limits {
  /** Any fault or preparation. */
  readonly faultMs: number;
  /** The recovery probe's outage; absent: as long as it takes. */
  readonly outageMs?: number;
}

/** What must hold for the verdict to be pass. */
export type Check =
  | { readonly kind: 'rto'; readonly name: string; readonly maxMs: number }
  /** Sum of a probe instance's bad windows after the fault; the recovery probe's without `probe`. At least one limit is there. */
  | {
      readonly kind: 'downtime';
      readonly name: string;
      /** Probe instance id, such as `lb-tcp` or `tcp@node-1`. */
      readonly probe?: string;
      readonly minMs?: number;
      readonly maxMs?: number;
    }
  | { readonly kind: 'redundancy'; readonly name: string; readonly maxMs: number }
  /** The service must NOT come back by itself within `recovery.within`: for scenarios that took its mechanism away. */
  | { readonly kind: 'no-recovery'; readonly name: string }
  /** Sum of the recovery probe's bad windows from the beginning of the heal on. */
  | { readonly kind: 'heal-outage'; readonly name: string; readonly maxMs: number }
  /** From the beginning of the heal to restored redundancy. */
  | { readonly kind: 'return'; readonly name: string; readonly maxMs: number }
  /** Total time for which the condition held after the fault; `minMs` 0 means: at all. */
  | {
      readonly kind: 'happens';
      readonly name: string;
      readonly condition: Condition;
      readonly minMs: number;
      readonly maxMs?: number;
    }
  | { readonly kind: 'role-moved'; readonly name: string; readonly role: string }
  | { readonly kind: 'role-stays'; readonly name: string; readonly role: string }
  | { readonly kind: 'finally'; readonly name: string; readonly condition: Condition }
  | {
      readonly kind: 'never';
      readonly name: string;
      readonly condition: Condition;
      readonly toleranceMs: number;
    }
  /** Total time after the fault for which, seen from a side, nobody or several owned it, or the owners were others than those seen from another side. At least one limit is there. */
  | ({
      readonly kind: 'ownership';
      readonly name: string;
      readonly of: string;
      readonly side: string;
      readonly minMs?: number;
      readonly maxMs?: number;
    } & ({ readonly state: OwnershipState } | { readonly differsFrom: string }))
  /** The length of the time whose acknowledged writes were lost; `maxMs` 0: none was. At least one limit is there. */
  | {
      readonly kind: 'rpo';
      readonly name: string;
      readonly of: string;
      readonly minMs?: number;
      readonly maxMs?: number;
    }
  /** How many of a writer's rows came out so. At least one limit is there. */
  | {
      readonly kind: 'rows';
      readonly name: string;
      readonly of: string;
      readonly are: RowFate;
      readonly min?: number;
      readonly max?: number;
    }
  /** Total time for which reads missed rows that had been acknowledged before, and were not lost. At least one limit is there. */
  | {
      readonly kind: 'stale-reads';
      readonly name: string;
      readonly of: string;
      readonly minMs?: number;
      readonly maxMs?: number;
    }
  /** Each change that a probe's marks tell of, with host and value, is delivered exactly once, in order for each host, not later than `withinMs`. */
  | {
      readonly kind: 'announced';
      readonly name: string;
      readonly changes: MarkSource;
      readonly deliveries: MarkSource;
      readonly withinMs: number;
    };

/** What a stack that keeps its word does with no row: acknowledged and gone; there more than once; there though refused. */
export type RowFate = 'lost' | 'duplicated' | 'unasked';

/** Not exactly one owner. */
export type OwnershipState = 'nobody' | 'several';

/** Marks of a probe, by their names. */
export interface MarkSource {
  readonly probe: string;
  readonly marks: readonly string[];
}

/**
 * One stage of the recovery. It ends when `until` is first seen at or after the
 * end of the stage before it; the last stage ends with the recovery itself.
 */
export interface StageRule {
  readonly name: string;
  readonly until: StageEnd;
  /** How long it should take by the settings of what it waits for; of several, the latest ends the stage. */
  readonly predicted?: PredictedBy;
}

/** What ends a stage. */
export type StageEnd =
  | ({ readonly kind: 'condition'; readonly condition: Condition } & StageHosts)
  | ({ readonly kind: 'mark'; readonly probe: string; readonly mark: string } & StageHosts)
  | { readonly kind: 'recovered' };

/** Which hosts' instances count for the end of a stage; all of them without either. */
interface StageHosts {
  readonly excludeFaultHost: boolean;
  /** Only the host that the fault hit. */
  readonly onlyFaultHost?: boolean;
}
