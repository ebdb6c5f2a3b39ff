import { z } from 'zod';
import type { FaultKind } from '../core/fault.ts';
import { commandWord } from '../core/names.ts';
import { commandTimeoutMs, runOk } from './lib/commands.ts';
import { inspectContainer } from './lib/docker-cli.ts';
import { isRunning, requireRunning, startAgain, type RunningContainer } from './lib/stopped-container.ts';

const params = z.strictObject({
  container: commandWord.describe('Container to restart.'),
  graceSeconds: z
    .int()
    .min(0)
    .max(300)
    .default(10)
    .describe('Seconds between SIGTERM and SIGKILL, as in `docker restart --time`.'),
});
type Params = z.output<typeof params>;

/**
 * Restarts a container with `docker restart`. Docker creates a new network namespace for it. Containers that
 * share the old one (`network_mode: service:...`) stay in the old one.
 */
export const containerRestart: FaultKind<Params, RunningContainer, null> = {
  kind: 'container.restart',
  summary: 'Restart a container with `docker restart`.',
  healAfter: 'redundancy',
  params,
  uses: () => ({ tools: ['docker'], engine: true }),
  describe: (p) => ({
    inject: `docker restart --time ${p.graceSeconds} ${p.container}`,
    heal: `verify that ${p.container} runs; docker start ${p.container} if it stays down`,
    blastRadius: `container ${p.container}, and the containers in its network namespace`,
  }),

  before: (p, ctx) => requireRunning(ctx, p.container),

  async inject(p, _before, ctx) {
    await runOk(ctx, ['docker', 'restart', '--time', String(p.graceSeconds), p.container], {
      timeoutMs: commandTimeoutMs + p.graceSeconds * 1000,
    });
    return null;
  },

  async effect(p, before, ctx) {
    const state = await inspectContainer(ctx, p.container);
    return state !== undefined && state.startedAt !== before.startedAt;
  },

  heal: (p, _before, ctx) => startAgain(ctx, p.container),
  healed: (p, _before, ctx) => isRunning(ctx, p.container),
};
