import { DrillError } from '../../core/errors.ts';
import type { FaultContext, FaultKind } from '../../core/fault.ts';
import type { Json } from '../../core/plan.ts';
import type { z } from 'zod';
import { lastText, run } from './commands.ts';
import { newTag, requireSystemd } from './auto-revert.ts';
import { requireOwnConnection, type NetworkCut } from './own-connection.ts';

/**
 * A fault that one script undoes. The heal and the auto-revert timer on the fault's host run the same script.
 */
export interface ScriptedFault<P, S extends Json> {
  readonly kind: string;
  readonly summary: string;
  readonly params: z.ZodType<P>;
  /** Programs that it needs on its host, in addition to the timer's. */
  readonly tools: readonly string[];
  /** Set if it needs the kernel module sch_netem. */
  readonly netem?: true;
  describe(params: P): { readonly inject: string; readonly heal: string; readonly blastRadius: string };
  /**
   * Decides, before the fault, what to change on this host. The result is stored in the ledger. Throws
   * `fault-failed`.
   */
  prepare(params: P, tag: string, ctx: FaultContext): Promise<S>;
  /** Its effect on the network. A fault that would cut firedrill's own connection to the host is refused. */
  cut(params: P, state: S): NetworkCut;
  apply(state: S, tag: string, ctx: FaultContext): Promise<void>;
  /**
   * Script for /bin/sh that undoes `apply`, or as much of it as was applied. It exits 0 if there is nothing
   * to undo, so that a timer that fires then leaves no failed unit behind.
   */
  undo(state: S, tag: string): string;
  /** True if the whole fault is in force. */
  inForce(state: S, tag: string, ctx: FaultContext): Promise<boolean>;
  /** True if nothing of it is left. */
  gone(state: S, tag: string, ctx: FaultContext): Promise<boolean>;
}

/**
 * The ledger's record of such a fault. The tag is part of the name of everything that the fault adds to its
 * host.
 */
export type Tagged<S extends Json> = { readonly tag: string; readonly state: S };

/**
 * Creates a fault kind from these parts. The fault changes its host's network, so the host needs systemd,
 * whose timer undoes the fault if firedrill cannot.
 */
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
      await requireOwnConnection(ctx, fault.kind, fault.cut(p, state));
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
        `${ctx.host.name}: cannot undo ${fault.kind} ${tag}: it is still in effect after its undo script (exit ${undone.exitCode}${tail(lastText(undone))})`,
      );
    },

    healed: (_p, { tag, state }, ctx) => fault.gone(state, tag, ctx),
  };
}

function tail(words: string): string {
  return words === '' ? '' : `: ${words}`;
}
