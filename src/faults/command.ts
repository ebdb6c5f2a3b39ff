import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import { duration } from '../core/duration.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { run, runOk, type CommandOptions } from './lib/commands.ts';
import { shellCommand } from '../core/shell-quote.ts';

const argv = z.array(z.string()).min(1);

const params = z.strictObject({
  run: argv.describe('Command to run on the host, as a list of words. No shell interprets it.'),
  undo: argv
    .optional()
    .describe('Command that undoes `run`. It may run more than once. Without it, the heal does nothing.'),
  effect: argv
    .optional()
    .describe(
      'Command that exits 0 when the fault has taken effect. Without it, the fault has taken effect when `run` exits 0.',
    ),
  undone: argv
    .optional()
    .describe(
      'Command that exits 0 when nothing of the fault is left. Without it, the fault is healed when `undo` exits 0.',
    ),
  repeatable: z
    .boolean()
    .default(false)
    .describe(
      'Whether a repair may run `run` twice. If the outcome of `run` is unknown and the repair has no `effect`, firedrill runs it again only with `true`.',
    ),
  timeout: duration.prefault('60s').describe('Time limit of each command.'),
});
type Params = z.output<typeof params>;

/** Contexts of heals in which `undo` has exited 0. Each heal has its own context. */
const undoneIn = new WeakSet<FaultContext>();

/** Runs a command as a fault, preparation, or repair that has no kind of its own. */
export const command: FaultKind<Params, null, null> = {
  kind: 'command',
  summary: 'Run a command, and optionally another one to undo it.',
  healAfter: 'recovery',
  params,
  uses: (p) => ({ tools: p === undefined ? [] : p.run.slice(0, 1) }),
  describe: (p) => ({
    inject: shellCommand(p.run),
    heal: p.undo === undefined ? 'nothing' : shellCommand(p.undo),
    blastRadius: 'everything that the command changes',
  }),

  async before(p, ctx) {
    if (p.effect !== undefined && (await succeeds(ctx, p.effect, p))) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: cannot check the effect of the fault: \`${shellCommand(p.effect)}\` exits 0 before the fault`,
        {
          hint: 'Undo what an earlier run left on the host, or correct `effect`: it must exit non-zero before the fault.',
        },
      );
    }
    return null;
  },

  async inject(p, _before, ctx) {
    await runOk(ctx, p.run, limits(p));
    return null;
  },

  unobserved: (p) => p.effect === undefined,
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
