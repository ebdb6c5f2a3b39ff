import type { Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import { limitText } from '../core/format-duration.ts';
import type { DurationMs } from '../core/time.ts';
import { endLease } from './leases.ts';
import type { LedgerRecord } from './ledger.ts';
import { healWithoutKind, kindOfRecord } from './record-kind.ts';
import { requireSameMachine } from './machine.ts';
import { type FailedAttempt, persist, persistedText, persistForMs } from './persist.ts';
import { closeRecord, type RecordCloser } from './records.ts';
import type { OpenFault, RunState } from './run-state.ts';
import { limitTime } from './time-limit.ts';

/**
 * A heal that takes longer than this stops renewing its lease, ms: the host's auto-revert timer may succeed
 * where the heal does not.
 */
const releaseLeaseAfterMs = 60_000;

/** Longest check, before the heal, of whether the fault still has its effect, ms. */
const checkWithinMs = 5000;
/** Shortest time limit for a heal, even if earlier heals used up the shared limit, ms. */
const leastHealMs = 60_000;

/** Options of a heal. */
export interface HealOptions {
  /**
   * Resolves once the lease of the fault is no longer renewed. Awaited before the timer is stopped, and when
   * the heal takes long.
   */
  readonly releaseLease?: () => Promise<void>;
  /** Called at intervals while the heal is not proven. */
  readonly onFailed?: (failed: FailedAttempt) => void;
  /** Ends the heal at once, proven or not. */
  readonly abandon?: AbortSignal | undefined;
  /** Longest time for the heal, ms. */
  readonly withinMs?: DurationMs;
}

/** A heal that is not proven. */
class NotHealed extends DrillError {
  /** True: the host answered, and the fault is still in effect. False: the host could not be checked, so the state is unknown. */
  readonly observed: boolean;

  /** @param hint default: by whether the fault's effect was observed */
  constructor(record: LedgerRecord, why: string, observed: boolean, hint?: string) {
    const { faultId, kind, host } = record;
    super('heal-failed', `${faultId} (${kind} on ${host.name}) is not proven healed ${why}`, {
      hint:
        hint ??
        (observed
          ? `Find out on ${host.name} why the heal has no effect (\`firedrill status --json\` prints the undo record), then run \`firedrill heal\` again.`
          : `Make sure that ${host.name} answers, then run \`firedrill heal\` again: it needs only the undo record.`),
    });
    this.observed = observed;
  }
}

/**
 * Undoes one fault: observes, converges, and observes again, until the heal is proven. It needs only the
 * ledger record, so the run and a later `firedrill heal` do the same. A second heal changes nothing. The
 * timer on the host is stopped last, because it may succeed where the heal does not. @throws DrillError
 * `heal-failed` if the heal is not proven in time; `NotHealed` says whether the host could be checked
 */
export async function healFault(
  record: LedgerRecord,
  access: Pick<FaultContext, 'host' | 'server'>,
  clock: Clock,
  { releaseLease = async () => {}, onFailed, abandon, withinMs }: HealOptions = {},
): Promise<void> {
  const kind = kindOfRecord(record, (why) => new NotHealed(record, why, false, healWithoutKind(record)));
  const isOver = async (ctx: FaultContext): Promise<boolean> => {
    if (!(await kind.healed(record.params, record.before, ctx))) return false;
    await releaseLease();
    await endLease(ctx, record);
    return true;
  };
  const startMs = clock.nowMs();
  const result = await persist({
    clock,
    access,
    withinMs,
    abandon,
    onFailed,
    notDone: 'the fault is still in effect',
    async attempt(ctx) {
      if (clock.nowMs() - startMs >= releaseLeaseAfterMs) await releaseLease();
      // Final: a retry cannot change which machine this is.
      await requireSameMachine(ctx, record);
      if (await isOver(ctx)) return true;
      await kind.heal(record.params, record.before, ctx);
      return isOver(ctx);
    },
  });
  if (!result.proven)
    throw new NotHealed(record, persistedText(result, record.host.name), result.last?.observed ?? false);
}

/** The part of a run that healing its faults needs. */
export interface Healing
  extends
    RecordCloser,
    Pick<
      RunState,
      'clock' | 'signal' | 'abandonHeals' | 'activeFaults' | 'off' | 'healing' | 'releaseLease' | 'accessTo'
    > {}

/**
 * Heals in reverse order of injection. A failed heal is logged, and the next ones are still tried. A defect
 * of firedrill is thrown after the last heal.
 */
export async function healOpen(run: Healing, which: (open: OpenFault) => boolean): Promise<void> {
  const defects: unknown[] = [];
  for (const open of run.activeFaults.toReversed().filter(which)) {
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
    await healFault(record, run.accessTo(record.host.name), clock, {
      releaseLease: () => run.releaseLease(fault),
      onFailed: ({ attempt, observed, why }) =>
        void log.append({ type: 'heal.attempted', fault, attempt, observed, message: why }),
      abandon: run.abandonHeals,
      withinMs: healTimeLeftMs(run),
    });
  } catch (error) {
    // After a defect the fault's state is unknown. Only an observed effect shows that it is not healed.
    const observed = error instanceof NotHealed && error.observed;
    log.append({ type: 'heal.failed', fault, message: messageOf(error), observed });
    return;
  } finally {
    run.healing.spentMs += clock.nowMs() - startMs;
  }
  closeRecord(run, record, 'healed');
  log.append({ type: 'heal.proven', fault });
  const at = run.activeFaults.indexOf(open);
  if (at >= 0) run.activeFaults.splice(at, 1);
}

/**
 * Time limit of the next heal or repair, ms. All of a run share one limit, so a host that never answers does
 * not cost the full limit for each fault.
 */
export function healTimeLeftMs({ healing }: Pick<RunState, 'healing'>): DurationMs {
  return Math.max(leastHealMs, persistForMs - healing.spentMs);
}

/**
 * Whether a fault that lasts until its heal was over before: its lease ran out, or the stack undid it. Without
 * an observed effect, the absence of one shows no end.
 */
async function endedEarly(run: Healing, { record, kind, effectSeen }: OpenFault): Promise<boolean> {
  if (effectSeen !== true || kind.healAfter !== 'recovery' || run.signal.aborted) return false;
  const late = new DrillError('host-unreachable', `no answer within ${limitText(checkWithinMs)}`);
  const limit = limitTime(run.clock, checkWithinMs, late, run.signal);
  try {
    const ctx = { ...run.accessTo(record.host.name), clock: run.clock, signal: limit.signal };
    return !(await kind.effect(record.params, record.before, ctx));
  } catch {
    // The fault may have cut off its host.
    return false;
  } finally {
    limit.end();
  }
}
