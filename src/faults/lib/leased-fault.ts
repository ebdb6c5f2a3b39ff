import type { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import { duration, formatMs } from '../../core/duration.ts';
import type { FaultContext, FaultKind } from '../../core/fault.ts';
import type { Json } from '../../core/plan.ts';
import { lastWords, run } from './commands.ts';
import { armDeadMan, disarmDeadMan, isArmed, newTag, requireSystemd } from './dead-man.ts';

/** The `lease` parameter of every leased fault. */
export const lease = duration
  .prefault('10m')
  .describe(
    'A timer on the host undoes the fault this long after its injection, whatever became of firedrill.',
  );

/** A fault that its host undoes by itself when its lease runs out. */
export interface LeasedFault<P, S extends Json> {
  readonly kind: string;
  readonly summary: string;
  readonly params: z.ZodType<P>;
  /** In words; the lease is added. */
  describe(params: P): { readonly inject: string; readonly heal: string; readonly blastRadius: string };
  /** What is to be done here, as data: seen and decided before the fault, stored in the ledger. Throws `fault-failed`. */
  prepare(params: P, tag: string, ctx: FaultContext): Promise<S>;
  apply(state: S, tag: string, ctx: FaultContext): Promise<void>;
  /** Script for /bin/sh that undoes all of `apply` or what there is of it. Run by the timer and by the heal. */
  undo(state: S, tag: string): string;
  /** All of it is in force. */
  inForce(state: S, tag: string, ctx: FaultContext): Promise<boolean>;
  /** Nothing of it is left. */
  gone(state: S, tag: string, ctx: FaultContext): Promise<boolean>;
}

/** What the ledger keeps of a leased fault. */
export type Leased<S extends Json> = { readonly tag: string; readonly state: S };

/**
 * A kind of fault from its leased parts. The timer is armed before anything is
 * changed and disarmed after everything is undone; both undo with one script.
 */
export function leasedFault<P extends { readonly lease: number }, S extends Json>(
  fault: LeasedFault<P, S>,
): FaultKind<P, Leased<S>, null> {
  return {
    kind: fault.kind,
    summary: fault.summary,
    healAfter: 'recovery',
    params: fault.params,
    leaseMs: (p) => p.lease,

    describe(p) {
      const words = fault.describe(p);
      return {
        ...words,
        inject: `${words.inject}; a timer on the host undoes it after ${formatMs(p.lease)} (systemd-run)`,
        heal: `${words.heal}; stop the timer`,
      };
    },

    async before(p, ctx) {
      await requireSystemd(ctx);
      const tag = newTag();
      return { tag, state: await fault.prepare(p, tag, ctx) };
    },

    async inject(p, { tag, state }, ctx) {
      await armDeadMan(ctx, { tag, leaseMs: p.lease, undo: fault.undo(state, tag) });
      await fault.apply(state, tag, ctx);
      return null;
    },

    effect: (_p, { tag, state }, ctx) => fault.inForce(state, tag, ctx),

    async heal(_p, { tag, state }, ctx) {
      if (!(await fault.gone(state, tag, ctx))) {
        const undone = await run(ctx, ['/bin/sh', '-c', fault.undo(state, tag)]);
        if (!(await fault.gone(state, tag, ctx))) {
          // The timer stays armed: it may succeed where this did not.
          throw new DrillError(
            'fault-failed',
            `${ctx.host.name}: ${fault.kind} ${tag} is still seen after its undo (exit ${undone.exitCode}${tail(lastWords(undone))})`,
          );
        }
      }
      await disarmDeadMan(ctx, tag);
    },

    async healed(_p, { tag, state }, ctx) {
      return (await fault.gone(state, tag, ctx)) && !(await isArmed(ctx, tag));
    },
  };
}

function tail(words: string): string {
  return words === '' ? '' : `: ${words}`;
}
