import type { Clock } from '../core/clock.ts';
import { DrillError } from '../core/errors.ts';
import { formatMs } from '../core/duration.ts';
import type { FaultContext } from '../core/fault.ts';
import { faultKind } from '../faults/catalog.ts';
import { endLease } from './leases.ts';
import type { LedgerRecord } from './ledger.ts';
import { requireSameMachine } from './machine.ts';

/** How long a heal may take until it is proven; its own deadline, whatever became of the run. */
const healWithinMs = 180_000;

/**
 * Undoes one fault: observe, converge, observe again until it is proven.
 * Works from the ledger record alone, so the run that made the fault and a later
 * `firedrill heal` do the very same thing. A second heal changes nothing.
 * Its timer on the host is stopped last: until then it may succeed where this does not. `beforeLeaseEnds` is awaited
 * before that, so that nobody renews it meanwhile.
 * @throws DrillError `heal-failed` when it cannot be proven in time
 */
export async function healFault(
  record: LedgerRecord,
  reach: Pick<FaultContext, 'host' | 'server'>,
  clock: Clock,
  beforeLeaseEnds: () => Promise<void> = async () => {},
): Promise<void> {
  const kind = faultKind(record.kind);
  if (kind === undefined) throw notHealed(record, `this firedrill knows no fault of kind ${record.kind}`);
  // Not the run's signal: clean-up goes on when the run is cancelled.
  const ctx: FaultContext = { ...reach, clock, signal: AbortSignal.timeout(healWithinMs) };
  const deadline = clock.nowMs() + healWithinMs;
  let problem = 'the fault is still seen';
  const isOver = async (): Promise<boolean> => {
    if (!(await kind.healed(record.params, record.before, ctx))) return false;
    await beforeLeaseEnds();
    await endLease(ctx, record);
    return true;
  };
  while (clock.nowMs() < deadline) {
    try {
      await requireSameMachine(ctx, record.machine);
      if (await isOver()) return;
      await kind.heal(record.params, record.before, ctx);
      if (await isOver()) return;
      problem = 'the fault is still seen';
    } catch (error) {
      // Waiting makes no other machine of it.
      if (error instanceof DrillError && error.code === 'heal-failed') throw error;
      problem = error instanceof Error ? error.message : String(error);
    }
    if (ctx.signal.aborted) break;
    await clock.sleep(500, ctx.signal).catch(() => undefined);
  }
  throw notHealed(record, `not proven within ${formatMs(healWithinMs)}: ${problem}`);
}

function notHealed(record: LedgerRecord, why: string): DrillError {
  return new DrillError(
    'heal-failed',
    `${record.faultId} (${record.kind} on ${record.host.name}) is not healed: ${why}`,
    {
      mend: `Look at ${record.host.name}, then run \`firedrill heal\` again.`,
    },
  );
}
