import { z } from 'zod';
import type { FaultKind } from '../core/fault.ts';
import { commandWord } from '../core/names.ts';
import { shellCommand } from '../core/shell-quote.ts';
import { commandTimeoutMs, runOk } from './lib/commands.ts';
import { isRunning, requireRunning, startAgain, type RunningContainer } from './lib/stopped-container.ts';

const params = z.strictObject({
  container: commandWord.describe('Container to stop.'),
  graceSeconds: z
    .int()
    .min(0)
    .max(300)
    .default(10)
    .describe('Seconds between SIGTERM and SIGKILL, as in `docker stop --time`.'),
});
type Params = z.output<typeof params>;

/**
 * Stops a container with `docker stop`. Docker treats this as a manual stop, so no restart policy applies and
 * the container stays down until the heal.
 */
export const containerStop: FaultKind<Params, RunningContainer, null> = {
  kind: 'container.stop',
  summary: 'Stop a container. It stays down until the heal starts it again.',
  healAfter: 'recovery',
  params,
  uses: () => ({ tools: ['docker'], engine: true }),
  describe: (p) => ({
    inject: `docker stop --time ${p.graceSeconds} ${p.container}`,
    heal: `docker start ${p.container}`,
    blastRadius: `container ${p.container}`,
  }),

  before: (p, ctx) => requireRunning(ctx, p.container),

  async inject(p, _before, ctx) {
    await runOk(ctx, ['docker', 'stop', '--time', String(p.graceSeconds), p.container], {
      timeoutMs: commandTimeoutMs + p.graceSeconds * 1000,
    });
    return null;
  },

  effect: async (p, _before, ctx) => !(await isRunning(ctx, p.container)),
  undo: (p) => shellCommand(['docker', 'start', p.container]),
  heal: (p, _before, ctx) => startAgain(ctx, p.container),
  healed: (p, _before, ctx) => isRunning(ctx, p.container),
};
