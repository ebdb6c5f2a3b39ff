import type { Clock } from '../core/clock.ts';
import { DrillError } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import { faultKind } from '../faults/catalog.ts';
import { endLease } from './leases.ts';
import type { LedgerRecord } from './ledger.ts';
import { requireSameMachine } from './machine.ts';
import { type FailedAttempt, persist, persistedWords } from './persist.ts';

/** A heal that takes longer than this renews its lease no more, ms: the host's own timer may succeed where this does not. */
const releaseLeaseAfterMs = 60_000;

/** What a heal may be given. */
export interface HealOptions {
  /** Resolves when nobody renews the lease of the fault. Awaited before its timer is stopped, and when the heal takes long. */
  readonly releaseLease?: () => Promise<void>;
  /** Told now and then that the heal is not proven yet; it goes on. */
  readonly onFailed?: (failed: FailedAttempt) => void;
  /** Ends the heal at once, proven or not. */
  readonly abandon?: AbortSignal | undefined;
  /** Longest time that it is tried for, ms. */
  readonly withinMs?: number;
}

/** A heal that is not proven. */
export class NotHealed extends DrillError {
  /** True: the host was looked at, and the fault is still there. False: it could not be looked at, so nothing is known. */
  readonly observed: boolean;

  constructor(record: LedgerRecord, why: string, observed: boolean) {
    const { faultId, kind, host } = record;
    const state = observed ? 'is not healed' : 'is not proven healed';
    super('heal-failed', `${faultId} (${kind} on ${host.name}) ${state}: ${why}`, {
      mend: observed
        ? `Look at ${host.name}, then run \`firedrill heal\` again.`
        : `See whether ${host.name} answers, then run \`firedrill heal\` again: it goes on from the undo record.`,
    });
    this.observed = observed;
  }
}

/**
 * Undoes one fault: observe, converge, observe again until it is proven.
 * Works from the ledger record alone, so the run that made the fault and a later
 * `firedrill heal` do the very same thing. A second heal changes nothing.
 * Its timer on the host is stopped last: until then it may succeed where this does not.
 * @throws DrillError `heal-failed` when it cannot be proven in time; `NotHealed` says whether the host was looked at
 */
export async function healFault(
  record: LedgerRecord,
  reach: Pick<FaultContext, 'host' | 'server'>,
  clock: Clock,
  { releaseLease = async () => {}, onFailed, abandon, withinMs }: HealOptions = {},
): Promise<void> {
  const kind = faultKind(record.kind);
  if (kind === undefined)
    throw new NotHealed(record, `this firedrill knows no fault of kind ${record.kind}`, false);
  const isOver = async (ctx: FaultContext): Promise<boolean> => {
    if (!(await kind.healed(record.params, record.before, ctx))) return false;
    await releaseLease();
    await endLease(ctx, record);
    return true;
  };
  const startMs = clock.nowMs();
  const result = await persist({
    clock,
    reach,
    withinMs,
    abandon,
    onFailed,
    notDone: 'the fault is still seen',
    async attempt(ctx) {
      if (clock.nowMs() - startMs >= releaseLeaseAfterMs) await releaseLease();
      // Waiting makes no other machine of it: this error is final.
      await requireSameMachine(ctx, record.machine);
      if (await isOver(ctx)) return true;
      await kind.heal(record.params, record.before, ctx);
      return isOver(ctx);
    },
  });
  if (!result.proven)
    throw new NotHealed(record, persistedWords(result, record.host.name), result.last?.observed ?? false);
}
