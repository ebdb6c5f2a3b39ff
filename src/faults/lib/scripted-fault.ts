import { DrillError } from '../../core/errors.ts';
import type { FaultContext, FaultKind } from '../../core/fault.ts';
import type { Json } from '../../core/plan.ts';
import type { z } from 'zod';
import { lastWords, run } from './commands.ts';
import { newTag, requireSystemd } from './dead-man.ts';
import { requireOwnWay, type NetworkCut } from './own-way.ts';

/** A fault that one script undoes: the heal runs it, and so does the timer on the fault's host. */
export interface ScriptedFault<P, S extends Json> {
  readonly kind: string;
  readonly summary: string;
  readonly params: z.ZodType<P>;
  /** Programs on its host, besides those of the timer. */
  readonly tools: readonly string[];
  /** Needs sch_netem. */
  readonly netem?: true;
  describe(params: P): { readonly inject: string; readonly heal: string; readonly blastRadius: string };
  /** What is to be done here, as data: seen and decided before the fault, stored in the ledger. Throws `fault-failed`. */
  prepare(params: P, tag: string, ctx: FaultContext): Promise<S>;
  /** What it does to the network: it is refused if that would cut firedrill's own connection to the host. */
  cut(params: P, state: S): NetworkCut;
  apply(state: S, tag: string, ctx: FaultContext): Promise<void>;
  /**
   * Script for /bin/sh that undoes all of `apply` or what there is of it. It succeeds where nothing was there to be undone: a
   * timer that fired for nothing leaves no failed unit behind.
   */
  undo(state: S, tag: string): string;
  /** All of it is in force. */
  inForce(state: S, tag: string, ctx: FaultContext): Promise<boolean>;
  /** Nothing of it is left. */
  gone(state: S, tag: string, ctx: FaultContext): Promise<boolean>;
}

/** What the ledger keeps of such a fault; all that it adds to its host is called by the tag. */
export type Tagged<S extends Json> = { readonly tag: string; readonly state: S };

/** A kind of fault from these parts. It changes its host's network, so only where a timer undoes it when that goes wrong: on systemd. */
export function scriptedFault<P, S extends Json>(fault: ScriptedFault<P, S>): FaultKind<P, Tagged<S>, null> {
  return {
    kind: fault.kind,
    summary: fault.summary,
    healAfter: 'recovery',
    changesNetwork: true,
    params: fault.params,
    describe: (p) => fault.describe(p),
    uses: () => ({
      tools: [...fault.tools, 'systemd-run'],
      systemd: true,
      root: true,
      ...(fault.netem === undefined ? {} : { netem: fault.netem }),
    }),

    async before(p, ctx) {
      await requireSystemd(ctx);
      const tag = newTag();
      const state = await fault.prepare(p, tag, ctx);
      await requireOwnWay(ctx, fault.kind, fault.cut(p, state));
      return { tag, state };
    },

    async inject(_p, { tag, state }, ctx) {
      await fault.apply(state, tag, ctx);
      return null;
    },

    effect: (_p, { tag, state }, ctx) => fault.inForce(state, tag, ctx),
    undo: (_p, { tag, state }) => fault.undo(state, tag),

    async heal(_p, { tag, state }, ctx) {
      if (await fault.gone(state, tag, ctx)) return;
      const undone = await run(ctx, ['/bin/sh', '-c', fault.undo(state, tag)]);
      if (await fault.gone(state, tag, ctx)) return;
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: ${fault.kind} ${tag} is still seen after its undo (exit ${undone.exitCode}${tail(lastWords(undone))})`,
      );
    },

    healed: (_p, { tag, state }, ctx) => fault.gone(state, tag, ctx),
  };
}

function tail(words: string): string {
  return words === '' ? '' : `: ${words}`;
}
