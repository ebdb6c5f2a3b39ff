import { z } from 'zod';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { commandWord } from '../core/names.ts';
import { shellCommand } from '../core/shell-quote.ts';
import { runOk } from './lib/commands.ts';
import { inspectContainer } from './lib/docker-cli.ts';
import { requireRunning, type RunningContainer } from './lib/stopped-container.ts';

const params = z.strictObject({
  container: commandWord.describe('Container to freeze.'),
});
type Params = z.output<typeof params>;

/**
 * Freezes all processes of a container with `docker pause`: the container hangs but is not down. Its sockets
 * stay open, so the kernel still accepts connections that no process serves. Docker runs no health check in a
 * paused container, so its health status does not change.
 */
export const containerPause: FaultKind<Params, RunningContainer, null> = {
  kind: 'container.pause',
  summary: 'Freeze a container with `docker pause`: it hangs until the heal.',
  healAfter: 'recovery',
  params,
  uses: () => ({ tools: ['docker'], engine: true }),
  describe: (p) => ({
    inject: `docker pause ${p.container}`,
    heal: `docker unpause ${p.container}`,
    blastRadius: `container ${p.container}`,
  }),

  before: (p, ctx) => requireRunning(ctx, p.container),

  async inject(p, _before, ctx) {
    await runOk(ctx, ['docker', 'pause', p.container]);
    return null;
  },

  effect: (p, _before, ctx) => isPaused(ctx, p.container),

  // `docker unpause` fails if the container is not paused.
  undo: (p) => `${shellCommand(['docker', 'unpause', p.container])} || true`,

  async heal(p, _before, ctx) {
    if (await isPaused(ctx, p.container)) await runOk(ctx, ['docker', 'unpause', p.container]);
  },

  // A container that was stopped or removed meanwhile counts as healed: this fault did not stop it.
  healed: async (p, _before, ctx) => !(await isPaused(ctx, p.container)),
};

async function isPaused(ctx: FaultContext, container: string): Promise<boolean> {
  return (await inspectContainer(ctx, container))?.status === 'paused';
}
