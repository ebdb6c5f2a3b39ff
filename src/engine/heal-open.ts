import { messageOf } from '../core/errors.ts';
import { healFault } from './heal.ts';
import { closeRecord } from './records.ts';
import type { OpenFault, Run } from './run.ts';

/** Longest look at a fault before its heal: whether its effect was still there. */
const lookWithinMs = 5000;

/** Heals in reverse order of injection; a heal that fails is recorded and does not keep the others from being tried. */
export async function healOpen(run: Run, which: (open: OpenFault) => boolean): Promise<void> {
  const { log, clock } = run.deps;
  for (const open of run.open.toReversed().filter(which)) {
    const { record } = open;
    const reach = run.reach(record.host.name);
    if (await endedEarly(run, open)) {
      const text = `${record.faultId}: its effect was gone before the heal`;
      log.append({ type: 'log', level: 'info', text });
    }
    log.append({ type: 'heal.started', fault: record.faultId });
    try {
      await healFault(record, reach, clock, () => run.releaseLease(record.faultId));
    } catch (error) {
      log.append({ type: 'heal.failed', fault: record.faultId, message: messageOf(error) });
      continue;
    }
    closeRecord(run, record, 'healed, but its undo record');
    log.append({ type: 'heal.proven', fault: record.faultId });
    run.open.splice(run.open.indexOf(open), 1);
  }
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
