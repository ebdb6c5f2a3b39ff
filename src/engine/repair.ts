import type { Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import type { Json } from '../core/plan.ts';
import { type AnyFaultKind, faultKind } from '../faults/catalog.ts';
import type { LedgerRecord } from './ledger.ts';
import { healTimeLeftMs } from './heal.ts';
import { requireSameMachine } from './machine.ts';
import { persist, persistedWords, type PersistOptions } from './persist.ts';
import { closeRecord } from './records.ts';
import type { OwedRepair, RunState } from './run-state.ts';

/** How long a fault or a repair may take to show its effect after it was acknowledged, where its kind does not say, ms. */
export const effectWithinMs = 30_000;
/** A host that has to answer before something is done there gets so long, ms. */
const answerWithinMs = 5000;

/** What keeping the records of owed repairs needs of a run. */
type OwedRecords = Pick<RunState, 'owed' | 'ledger' | 'log'>;

/**
 * The fault is about to act: from now on the stack is owed its repairs, whatever becomes of firedrill.
 * @throws DrillError `harness` when that is not on disk: then the fault must not act
 */
export function callForRepairs(
  { owed, acted, ledger }: Pick<RunState, 'owed' | 'acted' | 'ledger'>,
  faultId: string,
): void {
  for (const one of owed.filter(({ fault }) => fault === faultId)) {
    const { awaitsFault: _, ...record } = one.record;
    ledger.replace(record);
    one.record = record;
  }
  acted.add(faultId);
}

/** The fault was not injected after all: its repairs are not needed. */
export function callOffRepairs(run: OwedRecords & Pick<RunState, 'acted'>, faultId: string): void {
  run.acted.delete(faultId);
  for (const one of run.owed.filter(({ fault }) => fault === faultId))
    replaceRecord(run, one, { ...one.record, awaitsFault: true });
}

/** A repair is made: it is owed no more. */
export function settleRepair(run: OwedRecords, stepId: string): void {
  const at = run.owed.findIndex(({ record }) => record.faultId === stepId);
  const [owed] = at < 0 ? [] : run.owed.splice(at, 1);
  if (owed !== undefined) closeRecord(run, owed.record, 'done, but its record');
}

/**
 * A repair was tried and failed: it stays owed, and is not tried again by this run. Where its host gave no answer it is tried
 * again when the run ends, as one that the run did not come to.
 */
export function failRepair(run: Pick<RunState, 'owed' | 'unanswered'>, stepId: string): void {
  for (const owed of run.owed) if (owed.record.faultId === stepId) owed.failed = !run.unanswered.has(stepId);
}

/** A repair is about to be made, or (undefined) its host refused it: its record says so. */
export function markRepair(run: OwedRecords, stepId: string, issued: LedgerRecord['issued']): void {
  for (const owed of run.owed) if (owed.record.faultId === stepId) markOwed(run, owed, issued);
}

function markOwed(run: OwedRecords, owed: OwedRepair, issued: LedgerRecord['issued']): void {
  replaceRecord(run, owed, withIssued(owed.record, issued));
}

/** A disk that takes no record keeps no repair from being made: then only this run knows what has become of it. */
function replaceRecord({ ledger, log }: OwedRecords, owed: OwedRepair, record: LedgerRecord): void {
  owed.record = record;
  try {
    ledger.replace(owed.record);
  } catch (error) {
    log.append({ type: 'log', level: 'warn', text: `${owed.record.faultId}: ${messageOf(error)}` });
  }
}

/** The record of a repair that was issued, or of one that was not. */
export function withIssued(record: LedgerRecord, issued: LedgerRecord['issued']): LedgerRecord {
  const { issued: _, ...rest } = record;
  return issued === undefined ? rest : { ...rest, issued };
}

/** What making the owed repairs of a run needs of it. */
type Repairing = OwedRecords &
  Pick<RunState, 'clock' | 'abandonHeals' | 'acted' | 'open' | 'healing' | 'reach'>;

/**
 * Makes what is still owed when a run ends, in order: it was cut short before its repairs. What a fault calls for that has
 * not acted is not made: a repair of what is not broken may break it. While a fault is not healed, its repair has to wait for `firedrill heal`.
 */
export async function repairOwed(run: Repairing): Promise<void> {
  const { log, clock } = run;
  for (const owed of run.owed.slice()) {
    const { record, fault, failed } = owed;
    const note = (level: 'info' | 'error', text: string): void =>
      void log.append({ type: 'log', level, text: `${record.faultId}: ${text}` });
    if (!run.acted.has(fault)) note('info', `not made: ${fault} was not injected`);
    else {
      if (failed || run.open.length > 0) {
        note('error', 'this repair is still owed: `firedrill heal` makes it');
        continue;
      }
      const startMs = clock.nowMs();
      try {
        await makeRepair(record, run.reach(record.host.name), clock, {
          abandon: run.abandonHeals,
          withinMs: healTimeLeftMs(run),
          mark: (issued) => markOwed(run, owed, issued),
          onFailed: ({ attempt, why }) => note('info', `not repaired yet after attempt ${attempt}: ${why}`),
        });
        note('info', 'repaired at the end of the run');
      } catch (error) {
        note('error', messageOf(error));
        continue;
      } finally {
        run.healing.spentMs += clock.nowMs() - startMs;
      }
    }
    settleRepair(run, record.faultId);
  }
}

/** What making a repair may be given. */
export interface RepairOptions extends Pick<PersistOptions, 'abandon' | 'onFailed' | 'withinMs'> {
  /** Puts on record that the repair is about to be made, or (undefined) that its host refused it. Never throws. */
  readonly mark?: (issued: LedgerRecord['issued']) => void;
}

/**
 * Makes a repair from its record alone. One whose answer was lost, now or in an earlier run, is looked for by its effect. It
 * is made again only where the effect stays absent for `effectWithinMs`, or where its kind says that it may be repeated.
 * @throws DrillError `heal-failed` when it cannot be made in time, or when it is not known whether it was made
 */
export async function makeRepair(
  record: LedgerRecord,
  reach: Pick<FaultContext, 'host' | 'server'>,
  clock: Clock,
  { mark, ...options }: RepairOptions = {},
): Promise<void> {
  const kind = faultKind(record.kind);
  if (kind === undefined)
    throw notRepaired(record, `because this version of firedrill has no fault kind ${record.kind}`);
  const result = await persist({
    ...options,
    clock,
    reach,
    notDone: 'the repair has had no effect',
    attempt: repairOnce(record, kind, clock, mark),
  });
  if (!result.proven) throw notRepaired(record, persistedWords(result, record.host.name));
}

/** Attempts of a repair, which remember what became of those before. Each is true when the repair is proven made. */
function repairOnce(
  record: LedgerRecord,
  kind: AnyFaultKind,
  clock: Clock,
  mark: RepairOptions['mark'],
): (ctx: FaultContext) => Promise<boolean> {
  const { params } = record;
  const isHidden = kind.unseen?.(params) === true;
  const once = actsOnceUnobserved(kind, params);
  const lookMs = kind.effectWithinMs ?? effectWithinMs;
  /** It was acknowledged: later attempts only check its effect. */
  let made: { readonly before: Json } | undefined;
  /** It may have been made: its answer was lost. */
  let lost = record.issued;
  let lookUntilMs = clock.nowMs() + lookMs;

  const make = async (ctx: FaultContext): Promise<{ readonly before: Json }> => {
    if (once) await requireAnswer(ctx);
    const issued = lost ?? { before: await kind.before(params, ctx) };
    mark?.(issued);
    try {
      await kind.inject(params, issued.before, ctx);
      return issued;
    } catch (error) {
      if (!isRefusal(error)) {
        if (once) throw notKnown(record, messageOf(error));
        lost = issued;
        lookUntilMs = clock.nowMs() + lookMs;
      } else if (lost === undefined) mark?.(undefined);
      throw error;
    }
  };

  return async (ctx) => {
    await requireSameMachine(ctx, record.machine);
    if (made === undefined) {
      if (lost !== undefined && once) throw notKnown(record, 'its answer was lost in an earlier attempt');
      if (lost !== undefined && !isHidden) {
        if (await kind.effect(params, lost.before, ctx)) return true;
        // It may be at work still.
        if (clock.nowMs() < lookUntilMs) return false;
      }
      // One whose effect can be told by itself may have been made already.
      if (lost === undefined && kind.unseen?.(params) === false && (await kind.effect(params, null, ctx)))
        return true;
      made = await make(ctx);
    }
    return kind.effect(params, made.before, ctx);
  };
}

/** Whether a second act could do harm and nothing shows whether the first one happened. */
export function actsOnceUnobserved(kind: AnyFaultKind, params: Json): boolean {
  return kind.unseen?.(params) === true && kind.repeatable?.(params) !== true;
}

/**
 * Asks the host for an answer. What acts once and cannot be observed is not sent to a host that does not answer: its own
 * answer would be lost, too. @throws DrillError `host-unreachable`
 */
export async function requireAnswer({ host, signal }: Pick<FaultContext, 'host' | 'signal'>): Promise<void> {
  await host.exec(['true'], { timeoutMs: answerWithinMs, signal, look: true });
}

/** The host answered, and did not do it. Anything else says nothing about what it did. */
function isRefusal(error: unknown): boolean {
  return error instanceof DrillError && error.code !== 'host-unreachable';
}

function notKnown({ runId, faultId, kind, host }: LedgerRecord, why: string): DrillError {
  return new DrillError(
    'heal-failed',
    `the repair ${faultId} (${kind} on ${host.name}) is not made again: whether it was made is unknown, and it has no \`effect\` to check (${why})`,
    {
      mend: `Check on ${host.name} whether it was made, make it by hand if it was not, then drop its record with \`firedrill heal --forget ${runId}/${faultId}\`. For the next drill, give the repair an \`effect\`, or \`repeatable: true\` if it may run twice.`,
    },
  );
}

function notRepaired({ faultId, kind, host }: LedgerRecord, why: string): DrillError {
  return new DrillError(
    'heal-failed',
    `the repair ${faultId} (${kind} on ${host.name}) is still owed ${why}`,
    {
      mend: `Make sure that ${host.name} answers and that the repair can work there, then run \`firedrill heal\` again.`,
    },
  );
}
