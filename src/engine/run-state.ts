import type { Clock } from '../core/clock.ts';
import type { FaultContext } from '../core/fault.ts';
import type { Plan } from '../core/plan.ts';
import type { AnyFaultKind } from '../faults/catalog.ts';
import type { EventLog } from './event-log.ts';
import type { Ledger, LedgerRecord } from './ledger.ts';
import type { RowWriters } from './row-writers.ts';
import type { World } from './world.ts';

/** A fault or preparation that was injected and is not proven healed. */
export interface OpenFault {
  readonly record: LedgerRecord;
  readonly kind: AnyFaultKind;
  /** When it was about to be injected, run clock. */
  readonly sinceMs: number;
}

/** A repair that is on record, and the fault that called for it. */
export interface OwedRepair {
  record: LedgerRecord;
  readonly fault: string;
  /** The drill itself tried, and failed. */
  failed: boolean;
}

/** What the steps of a drill work with, and what has become of its faults and repairs. Each function names the part that it needs. */
export interface RunState {
  readonly plan: Plan;
  readonly runId: string;
  readonly clock: Clock;
  readonly log: Pick<EventLog, 'append' | 'sync'>;
  readonly ledger: Pick<Ledger, 'open' | 'replace' | 'close'>;
  /** Aborts when the run is stopped, or when its probes or its log broke. */
  readonly signal: AbortSignal;
  /** Aborts heals and repairs that are under way, proven or not, after a second Ctrl-C. */
  readonly abandonHeals?: AbortSignal | undefined;
  readonly world: World;
  /** In order of injection. */
  readonly open: OpenFault[];
  /** Repairs that the stack is owed, in order. */
  readonly owed: OwedRepair[];
  /** The host that each fault hit, by the fault's id. */
  readonly hit: Map<string, string>;
  /** Faults that were injected, or may have been: only their repairs are made. */
  readonly acted: Set<string>;
  /** Hosts whose power a fault was seen to have taken, until its heal begins. */
  readonly off: Set<string>;
  /** Steps whose host gave no answer: whether they were made is not known. */
  readonly unanswered: Set<string>;
  /** What heals and repairs have taken so far, ms. */
  readonly healing: { spentMs: number };
  /** The lease of that fault is about to end: it is renewed no more. */
  releaseLease(faultId: string): Promise<void>;
  /** What reaches a host. */
  reach(name: string): Pick<FaultContext, 'host' | 'server'>;
  setBurst(on: boolean): void;
  /** Lets the plan's writers write from now on; none of it before. Throws as `startRowWriters` does. */
  startWriting(): Promise<void>;
  /** The writers at work; undefined before they are, and where the plan has none. */
  readonly writing: RowWriters | undefined;
}
