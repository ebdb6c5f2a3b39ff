import type { Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import type { FaultId } from '../core/ids.ts';
import type { Json } from '../core/plan.ts';
import type { AnyFaultKind } from '../core/kinds.ts';
import type { LedgerRecord } from './ledger.ts';
import { healTimeLeftMs } from './heal.ts';
import { requireSameMachine } from './machine.ts';
import { persist, persistedText, type PersistOptions } from './persist.ts';
import { kindOfRecord, repairByHand } from './record-kind.ts';
import { closeRecord } from './records.ts';
import type { PendingRepair, RunState } from './run-state.ts';
import { later } from '../core/time.ts';

/**
 * Longest time from the acknowledgement of a fault or repair until its effect, if its kind sets no other, ms.
 */
export const effectWithinMs = 30_000;
/** Time limit for the answer of a host before a step runs there, ms. */
const answerWithinMs = 5000;

/** The part of a run that the records of pending repairs need. */
type PendingRecords = Pick<RunState, 'pendingRepairs' | 'ledger' | 'log'>;

/**
 * The fault is about to act: from now on its repairs are pending, even if firedrill is killed. @throws
 * DrillError `harness` if that cannot be written to disk; then the fault must not act
 */
export function callForRepairs(
  { pendingRepairs, acted, ledger }: Pick<RunState, 'pendingRepairs' | 'acted' | 'ledger'>,
  faultId: FaultId,
): void {
  for (const one of pendingRepairs.filter(({ fault }) => fault === faultId)) {
    const { awaitsFault: _, ...record } = one.record;
    ledger.replace(record);
    one.record = record;
  }
  acted.add(faultId);
}

/** The fault was not injected: its repairs are not needed. */
export function callOffRepairs(run: PendingRecords & Pick<RunState, 'acted'>, faultId: FaultId): void {
  run.acted.delete(faultId);
  for (const one of run.pendingRepairs.filter(({ fault }) => fault === faultId))
    replaceRecord(run, one, { ...one.record, awaitsFault: true });
}

/** A repair is done: it is no longer pending. */
export function settleRepair(run: PendingRecords, stepId: FaultId): void {
  const at = run.pendingRepairs.findIndex(({ record }) => record.faultId === stepId);
  const [pendingRepairs] = at < 0 ? [] : run.pendingRepairs.splice(at, 1);
  if (pendingRepairs !== undefined) closeRecord(run, pendingRepairs.record, 'done');
}

/**
 * A repair was tried and failed. It stays pending, and this run does not try it again. If its host gave no
 * answer, it is tried again at the end of the run.
 */
export function failRepair(run: Pick<RunState, 'pendingRepairs' | 'unanswered'>, stepId: FaultId): void {
  for (const pendingRepairs of run.pendingRepairs)
    if (pendingRepairs.record.faultId === stepId) pendingRepairs.failed = !run.unanswered.has(stepId);
}

/** Records that a repair is about to be issued, or (undefined) that its host refused it. */
export function markRepair(run: PendingRecords, stepId: FaultId, issued: LedgerRecord['issued']): void {
  for (const pendingRepairs of run.pendingRepairs)
    if (pendingRepairs.record.faultId === stepId) markPending(run, pendingRepairs, issued);
}

function markPending(
  run: PendingRecords,
  pendingRepairs: PendingRepair,
  issued: LedgerRecord['issued'],
): void {
  replaceRecord(run, pendingRepairs, withIssued(pendingRepairs.record, issued));
}

/**
 * Replaces a repair's record. If the disk rejects it, the repair is still made; then only this run knows its
 * outcome.
 */
function replaceRecord(
  { ledger, log }: PendingRecords,
  pendingRepairs: PendingRepair,
  record: LedgerRecord,
): void {
  pendingRepairs.record = record;
  try {
    ledger.replace(pendingRepairs.record);
  } catch (error) {
    log.append({ type: 'log', level: 'warn', text: `${pendingRepairs.record.faultId}: ${messageOf(error)}` });
  }
}

/** The record with the repair's issue state replaced. */
export function withIssued(record: LedgerRecord, issued: LedgerRecord['issued']): LedgerRecord {
  const { issued: _, ...rest } = record;
  return issued === undefined ? rest : { ...rest, issued };
}

/** The part of a run that making its pending repairs needs. */
type Repairing = PendingRecords &
  Pick<RunState, 'clock' | 'abandonHeals' | 'acted' | 'activeFaults' | 'healing' | 'accessTo'>;

/**
 * Makes the repairs that are pending when a run ends, in order. A repair is skipped if its fault did not act,
 * because it could damage a working stack. While any fault is not healed, the repairs stay pending for
 * `firedrill heal`.
 */
export async function makePendingRepairs(run: Repairing): Promise<void> {
  const { log, clock } = run;
  for (const pendingRepairs of run.pendingRepairs.slice()) {
    const { record, fault, failed } = pendingRepairs;
    const note = (level: 'info' | 'error', text: string): void =>
      void log.append({ type: 'log', level, text: `${record.faultId}: ${text}` });
    if (!run.acted.has(fault)) note('info', `not needed: ${fault} was not injected`);
    else {
      if (failed || run.activeFaults.length > 0) {
        note('error', 'this repair is pending: run `firedrill heal`');
        continue;
      }
      const startMs = clock.nowMs();
      try {
        await makeRepair(record, run.accessTo(record.host.name), clock, {
          abandon: run.abandonHeals,
          withinMs: healTimeLeftMs(run),
          mark: (issued) => markPending(run, pendingRepairs, issued),
          onFailed: ({ attempt, why }) => note('info', `repair attempt ${attempt} failed: ${why}`),
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

/** Options of a repair. */
export interface RepairOptions extends Pick<PersistOptions, 'abandon' | 'onFailed' | 'withinMs'> {
  /** Records that the repair is about to be issued, or (undefined) that its host refused it. Never throws. */
  readonly mark?: (issued: LedgerRecord['issued']) => void;
}

/**
 * Makes a repair from its record alone. If the answer to an attempt was lost, now or in an earlier run, the
 * repair's effect is checked first. It is repeated only if the effect stays absent for `effectWithinMs`, or
 * if its kind may be repeated. @throws DrillError `heal-failed` if it cannot be made in time, or if its
 * outcome is unknown
 */
export async function makeRepair(
  record: LedgerRecord,
  access: Pick<FaultContext, 'host' | 'server'>,
  clock: Clock,
  { mark, ...options }: RepairOptions = {},
): Promise<void> {
  const kind = kindOfRecord(record, (why) => notRepaired(record, why, repairByHand(record)));
  const result = await persist({
    ...options,
    clock,
    access,
    notDone: 'the repair has had no effect',
    attempt: repairOnce(record, kind, clock, mark),
  });
  if (!result.proven) throw notRepaired(record, persistedText(result, record.host.name));
}

/**
 * Returns the attempt function of a repair; it remembers earlier attempts. An attempt is true when the repair
 * is proven.
 */
function repairOnce(
  record: LedgerRecord,
  kind: AnyFaultKind,
  clock: Clock,
  mark: RepairOptions['mark'],
): (ctx: FaultContext) => Promise<boolean> {
  const { params } = record;
  const isHidden = kind.unobserved?.(params) === true;
  const once = actsOnceUnobserved(kind, params);
  const effectWaitMs = kind.effectWithinMs ?? effectWithinMs;
  /** It was acknowledged: later attempts only check its effect. */
  let made: { readonly before: Json } | undefined;
  /** It was issued and its answer was lost, so it may have been made. */
  let lost = record.issued;
  let effectUntilMs = later(clock.nowMs(), effectWaitMs);

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
        effectUntilMs = later(clock.nowMs(), effectWaitMs);
      } else if (lost === undefined) mark?.(undefined);
      throw error;
    }
  };

  return async (ctx) => {
    await requireSameMachine(ctx, record);
    if (made === undefined) {
      if (lost !== undefined && once) throw notKnown(record, 'the answer to an earlier attempt was lost');
      if (lost !== undefined && !isHidden) {
        if (await kind.effect(params, lost.before, ctx)) return true;
        // It may still be in progress.
        if (clock.nowMs() < effectUntilMs) return false;
      }
      // An effect that can be checked without `before` may already be there.
      if (lost === undefined && kind.unobserved?.(params) === false && (await kind.effect(params, null, ctx)))
        return true;
      made = await make(ctx);
    }
    return kind.effect(params, made.before, ctx);
  };
}

/** Whether a second attempt could do harm and no check can show whether the first one happened. */
export function actsOnceUnobserved(kind: AnyFaultKind, params: Json): boolean {
  return kind.unobserved?.(params) === true && kind.repeatable?.(params) !== true;
}

/**
 * Checks that the host answers. A step that acts once and cannot be observed is not sent to a silent host,
 * because its answer would be lost, too. @throws DrillError `host-unreachable`
 */
export async function requireAnswer({ host, signal }: Pick<FaultContext, 'host' | 'signal'>): Promise<void> {
  await host.exec(['true'], { timeoutMs: answerWithinMs, signal, attempt: true });
}

/** The host answered and refused. After any other error the outcome is unknown. */
function isRefusal(error: unknown): boolean {
  return error instanceof DrillError && error.code !== 'host-unreachable';
}

function notKnown({ runId, faultId, kind, host }: LedgerRecord, why: string): DrillError {
  return new DrillError(
    'heal-failed',
    `repair ${faultId} (${kind} on ${host.name}) is not repeated: its outcome is unknown, and it has no \`effect\` to check (${why})`,
    {
      hint: `Check on ${host.name} whether the repair was made; if not, make it by hand. Then drop its record: \`firedrill heal --forget ${runId}/${faultId}\`. For the next drill, add an \`effect\` to the repair, or \`repeatable: true\` if it may run twice.`,
    },
  );
}

function notRepaired({ faultId, kind, host }: LedgerRecord, why: string, hint?: string): DrillError {
  return new DrillError(
    'heal-failed',
    `repair ${faultId} (${kind} on ${host.name}) is still pending ${why}`,
    {
      hint:
        hint ??
        `Make sure that ${host.name} answers and that the repair can succeed there, then run \`firedrill heal\` again.`,
    },
  );
}
