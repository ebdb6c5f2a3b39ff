import type { Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import type { Json } from '../core/plan.ts';
import { faultKind } from '../faults/catalog.ts';
import { takeAim } from './aim.ts';
import type { LedgerRecord } from './ledger.ts';
import { healTimeLeftMs } from './heal-open.ts';
import { machineOf, requireSameMachine } from './machine.ts';
import { persist, persistedWords, type PersistOptions } from './persist.ts';
import { closeRecord, recordOf } from './records.ts';
import type { Run } from './run.ts';

/** A repair that is on record, and the fault that called for it. */
export interface OwedRepair {
  readonly record: LedgerRecord;
  readonly fault: string;
  /** The drill itself tried, and failed. */
  failed: boolean;
}

/**
 * Puts the repairs that a fault calls for on record, before it acts: from then on the stack is owed them, whatever becomes
 * of firedrill. Those on the fault's own host, and with the first fault those on a host by name. One on a role is not: who
 * will have it is not known yet.
 */
export async function oweRepairs(run: Run, fault: LedgerRecord): Promise<void> {
  const { plan, deps } = run;
  for (const step of plan.repair) {
    const { on } = step;
    const name =
      'fault' in on && on.fault === fault.faultId
        ? fault.host.name
        : 'host' in on && plan.faults[0]?.id === fault.faultId
          ? on.host
          : undefined;
    if (name === undefined) continue;
    const aim = await takeAim(run, { ...step, on: { host: name } });
    const machine = name === fault.host.name ? fault.machine : await machineOf(aim.ctx);
    const record = recordOf(run, step, aim, {
      before: null,
      repair: true,
      ...(machine === undefined ? {} : { machine }),
    });
    deps.ledger.open(record);
    run.owed.push({ record, fault: fault.faultId, failed: false });
  }
}

/** A repair is made: it is owed no more. */
export function settleRepair(run: Run, stepId: string): void {
  const at = run.owed.findIndex(({ record }) => record.faultId === stepId);
  const [owed] = at < 0 ? [] : run.owed.splice(at, 1);
  if (owed !== undefined) closeRecord(run, owed.record, 'done, but its record');
}

/**
 * A repair was tried and failed: it stays owed, and is not tried again by this run. Where its host gave no answer it is tried
 * again when the run ends, as one that the run did not come to.
 */
export function failRepair(run: Run, stepId: string): void {
  for (const owed of run.owed) if (owed.record.faultId === stepId) owed.failed = !run.unanswered.has(stepId);
}

/**
 * Makes what is still owed when a run ends, in order: it was cut short before its repairs. What a fault calls for that has
 * not acted is owed to nobody; while a fault is not healed, its repair has to wait for `firedrill heal`.
 */
export async function repairOwed(run: Run): Promise<void> {
  const { log, clock } = run.deps;
  for (const { record, fault, failed } of run.owed.slice()) {
    const note = (level: 'info' | 'error', text: string): void =>
      void log.append({ type: 'log', level, text: `${record.faultId}: ${text}` });
    if (run.hit.has(fault)) {
      if (failed || run.open.length > 0) {
        note('error', 'this repair is still owed: `firedrill heal` makes it');
        continue;
      }
      const startMs = clock.nowMs();
      try {
        await makeRepair(record, run.reach(record.host.name), clock, {
          abandon: run.deps.abandonHeals,
          withinMs: healTimeLeftMs(run),
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

/**
 * Makes a repair from its record alone.
 * @throws DrillError `heal-failed` when it cannot be made in time
 */
export async function makeRepair(
  record: LedgerRecord,
  reach: Pick<FaultContext, 'host' | 'server'>,
  clock: Clock,
  options: Pick<PersistOptions, 'abandon' | 'onFailed' | 'withinMs'> = {},
): Promise<void> {
  const kind = faultKind(record.kind);
  if (kind === undefined)
    throw notRepaired(record, `because this version of firedrill has no fault kind ${record.kind}`);
  const { params } = record;
  /** It was made and acknowledged: later attempts only check its effect. */
  let made: { readonly before: Json } | undefined;
  const result = await persist({
    ...options,
    clock,
    reach,
    notDone: 'the repair has had no effect',
    async attempt(ctx) {
      await requireSameMachine(ctx, record.machine);
      if (made === undefined) {
        // One whose effect can be told by itself may have been made already.
        if (kind.unseen?.(params) === false && (await kind.effect(params, null, ctx))) return true;
        const before = await kind.before(params, ctx);
        await kind.inject(params, before, ctx);
        made = { before };
      }
      return kind.effect(params, made.before, ctx);
    },
  });
  if (!result.proven) throw notRepaired(record, persistedWords(result, record.host.name));
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
