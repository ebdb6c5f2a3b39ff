import { messageOf } from '../core/errors.ts';
import { healFault, NotHealed } from './heal.ts';
import { persistForMs } from './persist.ts';
import { closeRecord, type RecordCloser } from './records.ts';
import type { OpenFault, RunState } from './run-state.ts';

/** Longest look at a fault before its heal: whether its effect was still there. */
const lookWithinMs = 5000;
/** However long the heals before it took, a heal is tried for at least this long, ms. */
const leastHealMs = 60_000;

/** What healing the faults of a run needs of it. */
export interface Healing
  extends
    RecordCloser,
    Pick<
      RunState,
      'clock' | 'signal' | 'abandonHeals' | 'open' | 'off' | 'healing' | 'releaseLease' | 'reach'
    > {}

/**
 * Heals in reverse order of injection. A heal that fails is recorded and does not keep the others from being tried; a
 * defect of firedrill does not, either: it is thrown after the last heal.
 */
export async function healOpen(run: Healing, which: (open: OpenFault) => boolean): Promise<void> {
  const defects: unknown[] = [];
  for (const open of run.open.toReversed().filter(which)) {
    try {
      await healOne(run, open);
    } catch (error) {
      defects.push(error);
    }
  }
  if (defects.length > 0) throw defects[0];
}

async function healOne(run: Healing, open: OpenFault): Promise<void> {
  const { log, clock } = run;
  const { record } = open;
  const fault = record.faultId;
  if (await endedEarly(run, open)) {
    const text = `${fault}: its effect was gone before the heal`;
    log.append({ type: 'log', level: 'info', text });
  }
  log.append({ type: 'heal.started', fault });
  run.off.delete(record.host.name);
  const startMs = clock.nowMs();
  try {
    await healFault(record, run.reach(record.host.name), clock, {
      releaseLease: () => run.releaseLease(fault),
      onFailed: ({ attempt, observed, why }) =>
        void log.append({ type: 'heal.attempted', fault, attempt, observed, message: why }),
      abandon: run.abandonHeals,
      withinMs: healTimeLeftMs(run),
    });
  } catch (error) {
    // Only a fault that was seen in effect is known not to be healed: after a defect its state is unknown.
    const observed = error instanceof NotHealed && error.observed;
    log.append({ type: 'heal.failed', fault, message: messageOf(error), observed });
    return;
  } finally {
    run.healing.spentMs += clock.nowMs() - startMs;
  }
  closeRecord(run, record, 'healed, but its undo record');
  log.append({ type: 'heal.proven', fault });
  const at = run.open.indexOf(open);
  if (at >= 0) run.open.splice(at, 1);
}

/** All heals and repairs of a run share one limit: a host that never answers does not cost it once per fault. */
export function healTimeLeftMs({ healing }: Pick<RunState, 'healing'>): number {
  return Math.max(leastHealMs, persistForMs - healing.spentMs);
}

/** Whether a fault that lasts until it is healed was over before: its lease ran out, or the stack undid it. */
async function endedEarly(run: Healing, { record, kind }: OpenFault): Promise<boolean> {
  if (kind.healAfter !== 'recovery' || run.signal.aborted) return false;
  const signal = AbortSignal.any([run.signal, AbortSignal.timeout(lookWithinMs)]);
  try {
    const ctx = { ...run.reach(record.host.name), clock: run.clock, signal };
    return !(await kind.effect(record.params, record.before, ctx));
  } catch {
    // The fault may have taken the way to its host along.
    return false;
  }
}
