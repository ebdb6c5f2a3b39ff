import type { Condition, GateCondition } from './condition.ts';

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
  };
  readonly target: {
    readonly name: string;
    readonly environment: string;
    readonly path: string;
    readonly sha256: string;
  };
  readonly hosts: readonly PlannedHost[];
  readonly probes: readonly PlannedProbe[];
  readonly roles: Readonly<Record<string, Condition>>;
  readonly steady: Gate;
  readonly faults: readonly PlannedFault[];
  readonly recovery: Recovery;
  readonly redundancy: Gate;
  readonly checks: readonly Check[];
  readonly stages: readonly StageRule[];
}

/** A host of the target and the way to it. */
export interface PlannedHost {
  readonly name: string;
  readonly address?: string;
  readonly transport: Transport;
}

/** How commands reach a host. */
export type Transport =
  | { readonly kind: 'local' }
  | { readonly kind: 'docker'; readonly container: string; readonly context?: string };

/** One probe instance: a target-file probe with `on: [a, b]` becomes two. */
export interface PlannedProbe {
  /** `name` or `name@host`. */
  readonly id: string;
  readonly name: string;
  readonly host?: string;
  readonly kind: string;
  /** Parsed by the kind's schema; times in ms. */
  readonly params: Json;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** The interval from shortly before the fault until stable recovery. */
  readonly burstIntervalMs?: number;
}

/** Conditions that must all hold without a break for `forMs`, reached `withinMs`. */
export interface Gate {
  readonly require: readonly GateCondition[];
  readonly forMs: number;
  readonly withinMs: number;
}

/** The probe whose bad windows are the outage, and how long to wait for it. */
export interface Recovery {
  /** Probe name; it has exactly one instance. */
  readonly probe: string;
  readonly withinMs: number;
  /** A recovery counts when it holds this long without a bad sample. */
  readonly stableForMs: number;
  /**
   * With `redundancy`, a recovery counts only when no bad sample comes between it
   * and restored redundancy: service that a later step of the same recovery takes
   * away again has not recovered.
   */
  readonly until?: 'redundancy';
}

/** A fault with its target still a role where the file says so. */
export interface PlannedFault {
  /** `fault-1`, `fault-2`, ... in file order. */
  readonly id: string;
  readonly kind: string;
  readonly on: { readonly host: string } | { readonly role: string };
  /** When to inject, counted from the moment the steady-state gate is met. */
  readonly atMs: number;
  readonly params: Json;
}

/** What must hold for the verdict to be pass. */
export type Check =
  | { readonly kind: 'rto'; readonly name: string; readonly maxMs: number }
  | { readonly kind: 'downtime'; readonly name: string; readonly maxMs: number }
  | { readonly kind: 'redundancy'; readonly name: string; readonly maxMs: number }
  | { readonly kind: 'role-moved'; readonly name: string; readonly role: string }
  | { readonly kind: 'role-stays'; readonly name: string; readonly role: string }
  | { readonly kind: 'finally'; readonly name: string; readonly condition: Condition }
  | {
      readonly kind: 'never';
      readonly name: string;
      readonly condition: Condition;
      readonly toleranceMs: number;
    };

/**
 * One stage of the recovery. It ends when `until` is first seen at or after the
 * end of the stage before it; the last stage ends with the recovery itself.
 */
export interface StageRule {
  readonly name: string;
  readonly until: StageEnd;
}

/** What ends a stage. */
export type StageEnd =
  | { readonly kind: 'condition'; readonly condition: Condition; readonly excludeFaultHost: boolean }
  | {
      readonly kind: 'mark';
      readonly probe: string;
      readonly mark: string;
      readonly excludeFaultHost: boolean;
    }
  | { readonly kind: 'recovered' };
