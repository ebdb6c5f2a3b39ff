import type { Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import { faultKind } from '../faults/catalog.ts';
import { endLease } from './leases.ts';
import type { LedgerRecord } from './ledger.ts';
import { requireSameMachine } from './machine.ts';
import { type FailedAttempt, persist, persistedWords, persistForMs } from './persist.ts';
import { closeRecord, type RecordCloser } from './records.ts';
import type { OpenFault, RunState } from './run-state.ts';

/** A heal that takes longer than this renews its lease no more, ms: the host's own timer may succeed where this does not. */
const releaseLeaseAfterMs = 60_000;

/** Longest look at a fault before its heal: whether its effect was still there. */
const lookWithinMs = 5000;
/** However long the heals before it took, a heal is tried for at least this long, ms. */
const leastHealMs = 60_000;

/** What a heal may be given. */
export interface HealOptions {
  /** Resolves once the lease of the fault is no longer renewed. Awaited before its timer is stopped, and when the heal takes long. */
  readonly releaseLease?: () => Promise<void>;
  /** Called at intervals while the heal is not proven yet. */
  readonly onFailed?: (failed: FailedAttempt) => void;
  /** Ends the heal at once, proven or not. */
  readonly abandon?: AbortSignal | undefined;
  /** Longest time that it is tried for, ms. */
  readonly withinMs?: number;
}

/** A heal that is not proven. */
class NotHealed extends DrillError {
  /** True: the host answered, and the fault is still in effect. False: the host could not be checked, so the state is unknown. */
  readonly observed: boolean;

  constructor(record: LedgerRecord, why: string, observed: boolean) {
    const { faultId, kind, host } = record;
    super('heal-failed', `${faultId} (${kind} on ${host.name}) is not proven healed ${why}`, {
      mend: observed
        ? `Find out on ${host.name} what keeps the heal from working, then run \`firedrill heal\` again.`
        : `Make sure that ${host.name} answers, then run \`firedrill heal\` again: it needs only the undo record.`,
    });
    this.observed = observed;
  }
}

/**
 * Undoes one fault: observe, converge, observe again until it is proven.
 * Works from the ledger record alone, so the run that made the fault and a later
 * `firedrill heal` do the very same thing. A second heal changes nothing.
 * Its timer on the host is stopped last: until then it may succeed where this does not.
 * @throws DrillError `heal-failed` when it cannot be proven in time; `NotHealed` says whether the host could be checked
 */
export async function healFault(
  record: LedgerRecord,
  reach: Pick<FaultContext, 'host' | 'server'>,
  clock: Clock,
  { releaseLease = async () => {}, onFailed, abandon, withinMs }: HealOptions = {},
): Promise<void> {
  const kind = faultKind(record.kind);
  if (kind === undefined)
    throw new NotHealed(record, `because this version of firedrill has no fault kind ${record.kind}`, false);
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
    notDone: 'the fault is still in effect',
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
