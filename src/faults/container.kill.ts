import { z } from 'zod';
import type { FaultKind } from '../core/fault.ts';
import { commandWord } from '../core/names.ts';
import { shellCommand } from '../core/shell-quote.ts';
import { runOk } from './lib/commands.ts';
import { isRunning, requireRunning, startAgain, type RunningContainer } from './lib/stopped-container.ts';

const params = z.strictObject({
  container: commandWord.describe('Container to kill.'),
});
type Params = z.output<typeof params>;

/**
 * Kills a container with `docker kill`. Docker treats this as a manual stop, so no restart policy applies and
 * the container stays down until the heal. For a crash to which the restart policy applies, use
 * `process.kill`.
 */
export const containerKill: FaultKind<Params, RunningContainer, null> = {
  kind: 'container.kill',
  summary: 'Kill a container with `docker kill`. No restart policy applies, so it stays down until the heal.',
  healAfter: 'recovery',
  params,
  uses: () => ({ tools: ['docker'], engine: true }),
  describe: (p) => ({
    inject: `docker kill ${p.container}`,
    heal: `docker start ${p.container}`,
    blastRadius: `container ${p.container}`,
  }),

  before: (p, ctx) => requireRunning(ctx, p.container),

  async inject(p, _before, ctx) {
    await runOk(ctx, ['docker', 'kill', p.container]);
    return null;
  },

  effect: async (p, _before, ctx) => !(await isRunning(ctx, p.container)),
  undo: (p) => shellCommand(['docker', 'start', p.container]),
  heal: (p, _before, ctx) => startAgain(ctx, p.container),
  healed: (p, _before, ctx) => isRunning(ctx, p.container),
};
