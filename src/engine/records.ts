import { messageOf } from '../core/errors.ts';
import type { PlannedFault } from '../core/plan.ts';
import type { EventLog } from './event-log.ts';
import type { Ledger, LedgerRecord } from './ledger.ts';
import type { RunState } from './run-state.ts';

/** The ledger's record of a step of a run. */
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

/** What closing a record needs of a run. */
export interface RecordCloser {
  readonly ledger: Pick<Ledger, 'close'>;
  readonly log: Pick<EventLog, 'append'>;
}

/** Removes a record; `done` says what has become of its step: where it cannot be removed, the log has that and why. */
export function closeRecord({ ledger, log }: RecordCloser, record: LedgerRecord, done: string): void {
  try {
    ledger.close(record);
  } catch (error) {
    // `status` goes on naming it, and the next drill is refused.
    const text = `${record.faultId} is ${done} ${messageOf(error)}`;
    log.append({ type: 'log', level: 'error', text });
  }
}
