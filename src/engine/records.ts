import { messageOf } from '../core/errors.ts';
import type { PlannedFault } from '../core/plan.ts';
import type { Aim } from './aim.ts';
import type { LedgerRecord } from './ledger.ts';
import type { Run } from './run.ts';

/** The ledger's record of a step of a run, with what its kind of record has besides. */
export function recordOf(
  { plan, deps }: Run,
  step: PlannedFault,
  { planned, params }: Pick<Aim, 'planned' | 'params'>,
  more: Pick<LedgerRecord, 'before' | 'repair' | 'awaitsFault' | 'undo' | 'lease' | 'machine'>,
): LedgerRecord {
  return {
    version: 1,
    runId: deps.runId,
    target: plan.target.name,
    faultId: step.id,
    kind: step.kind,
    host: planned,
    params,
    ...more,
    openedAt: new Date(deps.clock.wallMs()).toISOString(),
  };
}

/** Removes a record; `done` says what has become of its step: where it cannot be removed, the log has that and why. */
export function closeRecord({ deps }: Run, record: LedgerRecord, done: string): void {
  try {
    deps.ledger.close(record);
  } catch (error) {
    // `status` goes on naming it, and the next drill is refused.
    const text = `${record.faultId} is ${done} ${messageOf(error)}`;
    deps.log.append({ type: 'log', level: 'error', text });
  }
}
