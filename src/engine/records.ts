import { messageOf } from '../core/errors.ts';
import type { PlannedFault } from '../core/plan.ts';
import type { EventLog } from './event-log.ts';
import type { Ledger, LedgerRecord } from './ledger.ts';
import type { RunState } from './run-state.ts';

/** The ledger record of a run's step. */
export function recordOf(
  { plan, runId, clock }: Pick<RunState, 'plan' | 'runId' | 'clock'>,
  step: PlannedFault,
  resolved: Omit<LedgerRecord, 'version' | 'runId' | 'target' | 'faultId' | 'kind' | 'openedAt'>,
): LedgerRecord {
  return {
    version: 1,
    runId,
    target: plan.target.name,
    faultId: step.id,
    kind: step.kind,
    ...resolved,
    openedAt: new Date(clock.wallMs()).toISOString(),
  };
}

/** The part of a run that closing a record needs. */
export interface RecordCloser {
  readonly ledger: Pick<Ledger, 'close'>;
  readonly log: Pick<EventLog, 'append'>;
}

/**
 * Removes a record. `done` is the outcome of its step, for the log message if the record cannot be removed.
 */
export function closeRecord({ ledger, log }: RecordCloser, record: LedgerRecord, done: string): void {
  try {
    ledger.close(record);
  } catch (error) {
    // `status` still lists the record, and the next drill is refused.
    const text = `${record.faultId} is ${done}, but its undo record remains: ${messageOf(error)}`;
    log.append({ type: 'log', level: 'error', text });
  }
}
