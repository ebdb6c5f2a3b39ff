import type { Clock } from '../core/clock.ts';
import type { FaultContext } from '../core/fault.ts';
import type { FaultId, HostName } from '../core/ids.ts';
import type { Plan } from '../core/plan.ts';
import type { AnyFaultKind, Kinds } from '../core/kinds.ts';
import type { EventLog } from './event-log.ts';
import type { Ledger, LedgerRecord } from './ledger.ts';
import type { RowWriters } from './row-writers.ts';
import type { StateObserver } from './state-observer.ts';
import type { DurationMs, RunMs } from '../core/time.ts';

/** A fault or preparation that was injected and is not proven healed. */
export interface OpenFault {
  readonly record: LedgerRecord;
  readonly kind: AnyFaultKind;
  /** When its injection was about to begin, run clock. */
  readonly sinceMs: RunMs;
  /** A check has seen its effect. */
  effectSeen?: true;
}

/** A pending repair and the fault that needs it. */
export interface PendingRepair {
  record: LedgerRecord;
  readonly fault: FaultId;
  /** The drill tried it, and it failed. */
  failed: boolean;
}

/**
 * State of a drill that its steps share: its inputs, faults, and repairs. Each function names the part that
 * it needs.
 */
export interface RunState {
  readonly plan: Plan;
  /** The kinds that the plan may name. */
  readonly kinds: Kinds;
  readonly runId: string;
  readonly clock: Clock;
  readonly log: Pick<EventLog, 'append' | 'sync'>;
  readonly ledger: Pick<Ledger, 'open' | 'replace' | 'close'>;
  /** Aborts when the run is stopped, or when its prober or its log breaks. */
  readonly signal: AbortSignal;
  /** Aborts heals and repairs in progress, proven or not, after a second Ctrl-C. */
  readonly abandonHeals?: AbortSignal | undefined;
  readonly observer: StateObserver;
  /** In order of injection. */
  readonly activeFaults: OpenFault[];
  /** Pending repairs, in order. */
  readonly pendingRepairs: PendingRepair[];
  /** Host of each fault by the fault's id. */
  readonly hostByFault: Map<FaultId, HostName>;
  /** Faults that were injected, or may have been: only their repairs are made. */
  readonly acted: Set<FaultId>;
  /** Hosts whose power was observed to be off because of a fault, until its heal begins. */
  readonly off: Set<HostName>;
  /** Steps whose outcome is unknown because their host gave no answer. */
  readonly unanswered: Set<FaultId>;
  /** Time that heals and repairs have used so far, ms. */
  readonly healing: { spentMs: DurationMs };
  /** Stops renewing that fault's lease. */
  releaseLease(faultId: FaultId): Promise<void>;
  /** Access to a host. */
  accessTo(name: HostName): Pick<FaultContext, 'host' | 'server'>;
  setBurst(on: boolean): void;
  /** Starts the plan's writers. Throws as `startRowWriters` does. */
  startWriting(): Promise<void>;
  /** The running writers; undefined before they start, and if the plan has none. */
  readonly writing: RowWriters | undefined;
}
