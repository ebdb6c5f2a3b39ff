import { messageOf } from '../core/errors.ts';
import type { NewEvent } from '../core/event.ts';
import { healFault } from './heal.ts';
import type { OpenFault, Run } from './run.ts';

/** Longest look at a fault before its heal: whether its effect was still there. */
const lookWithinMs = 5000;

/** Heals in reverse order of injection; a heal that fails is recorded and does not keep the others from being tried. */
export async function healOpen(run: Run, which: (open: OpenFault) => boolean): Promise<void> {
  const { log, ledger, clock } = run.deps;
  // A log that takes no more (full disk) must not keep a fault from being healed: the ledger still knows of it.
  let logFailure: unknown;
  const note = (event: NewEvent): void => {
    try {
      log.append(event);
    } catch (error) {
      logFailure = error;
    }
  };
  for (const open of run.open.toReversed().filter(which)) {
    const { record } = open;
    const reach = run.reach(record.host.name);
    if (await endedEarly(run, open)) {
      note({ type: 'log', level: 'info', text: `${record.faultId}: its effect was gone before the heal` });
    }
    note({ type: 'heal.started', fault: record.faultId });
    try {
      await healFault(record, reach, clock, () => run.releaseLease(record.faultId));
      ledger.close(record);
      note({ type: 'heal.proven', fault: record.faultId });
      run.open.splice(run.open.indexOf(open), 1);
    } catch (error) {
      note({ type: 'heal.failed', fault: record.faultId, message: messageOf(error) });
    }
  }
  if (logFailure !== undefined) throw logFailure;
}

/** Whether a fault that lasts until it is healed was over before: its lease ran out, or the stack undid it. */
async function endedEarly(run: Run, { record, kind }: OpenFault): Promise<boolean> {
  if (kind.healAfter !== 'recovery' || run.signal.aborted) return false;
  const signal = AbortSignal.any([run.signal, AbortSignal.timeout(lookWithinMs)]);
  try {
    const ctx = { ...run.reach(record.host.name), clock: run.deps.clock, signal };
    return !(await kind.effect(record.params, record.before, ctx));
  } catch {
    // The fault may have taken the way to its host along.
    return false;
  }
}
