import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import { duration } from '../core/duration.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { run, runOk, type CommandOptions } from './lib/commands.ts';
import { shellCommand } from '../core/shell-quote.ts';

const argv = z.array(z.string()).min(1);

const params = z.strictObject({
  run: argv.describe('Command to run on the host, as a list of words; no shell is in between.'),
  undo: argv
    .optional()
    .describe('Command that undoes it; may run more than once. Without it, nothing needs to be undone.'),
  effect: argv
    .optional()
    .describe('Exits 0 when the fault has taken effect; without it, `run` having exited 0 is that.'),
  undone: argv
    .optional()
    .describe('Exits 0 when nothing of the fault is left; without it, `undo` having exited 0 is that.'),
  repeatable: z
    .boolean()
    .default(false)
    .describe(
      'For repairs: whether `run` may run twice. If its answer was lost, a repair without `effect` is made again only with true.',
    ),
  timeout: duration.prefault('60s').describe('Longest time that each of the commands may take.'),
});
type Params = z.output<typeof params>;

/** Heals in which `undo` has succeeded; one heal has one context. */
const undoneIn = new WeakSet<FaultContext>();

/** Whatever a command does, for faults, preparations and repairs that have no kind of their own. */
export const command: FaultKind<Params, null, null> = {
  kind: 'command',
  summary: 'Run a command of the scenario, and another one to undo it.',
  healAfter: 'recovery',
  params,
  uses: (p) => ({ tools: p === undefined ? [] : p.run.slice(0, 1) }),
  describe: (p) => ({
    inject: shellCommand(p.run),
    heal: p.undo === undefined ? 'nothing' : shellCommand(p.undo),
    blastRadius: 'whatever the command does',
  }),

  async before(p, ctx) {
    if (p.effect !== undefined && (await succeeds(ctx, p.effect, p))) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: \`${shellCommand(p.effect)}\` exits 0 before the fault: its effect would prove nothing`,
        { mend: 'Undo what is left from before, or correct `effect`.' },
      );
    }
    return null;
  },

  async inject(p, _before, ctx) {
    await runOk(ctx, p.run, limits(p));
    return null;
  },

  unseen: (p) => p.effect === undefined,
  repeatable: (p) => p.repeatable,
  effect: async (p, _before, ctx) => p.effect === undefined || succeeds(ctx, p.effect, p),

  undoes: (p) => p.undo !== undefined,
  undo: (p) => (p.undo === undefined ? undefined : shellCommand(p.undo)),

  async heal(p, _before, ctx) {
    if (p.undo === undefined) return;
    if (p.undone !== undefined && (await succeeds(ctx, p.undone, p))) return;
    await runOk(ctx, p.undo, limits(p));
    undoneIn.add(ctx);
  },

  async healed(p, _before, ctx) {
    if (p.undone !== undefined) return succeeds(ctx, p.undone, p);
    return p.undo === undefined || undoneIn.has(ctx);
  },
};

async function succeeds(ctx: FaultContext, argv: readonly string[], p: Params): Promise<boolean> {
  return (await run(ctx, argv, limits(p))).exitCode === 0;
}

function limits(p: Params): CommandOptions {
  return { timeoutMs: p.timeout };
}
