import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultKind } from '../core/fault.ts';
import { dockerTimeoutMs, inspectContainer, requireContainer, runOk } from './lib/docker-cli.ts';

const params = z.strictObject({
  container: z.string().min(1).describe('Container to stop.'),
  graceSeconds: z
    .int()
    .min(0)
    .max(300)
    .default(10)
    .describe('Seconds between SIGTERM and SIGKILL, as `docker stop --time`.'),
});
type Params = z.output<typeof params>;
type Before = { readonly status: string };

/** Stops a container by hand: its restart policy does not answer, so the fault lasts until it is healed. */
export const containerStop: FaultKind<Params, Before, null> = {
  kind: 'container.stop',
  summary: 'Stop a container; it stays down until the heal starts it again.',
  healAfter: 'recovery',
  params,
  describe: (p) => ({
    inject: `docker stop --time ${p.graceSeconds} ${p.container}`,
    heal: `docker start ${p.container}`,
    blastRadius: `container ${p.container}`,
  }),

  async before(p, ctx) {
    const { status } = await requireContainer(ctx, p.container);
    if (status !== 'running') {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: container ${p.container} is ${status}, not running`,
        {
          mend: 'A fault needs something to break: bring the container up first.',
        },
      );
    }
    return { status };
  },

  async inject(p, _before, ctx) {
    const argv = ['docker', 'stop', '--time', String(p.graceSeconds), p.container];
    await runOk(ctx, argv, dockerTimeoutMs + p.graceSeconds * 1000);
    return null;
  },

  async effect(p, _before, ctx) {
    return (await inspectContainer(ctx, p.container))?.status !== 'running';
  },

  async heal(p, _before, ctx) {
    const { status } = await requireContainer(ctx, p.container);
    if (status !== 'running' && status !== 'restarting') await runOk(ctx, ['docker', 'start', p.container]);
  },

  async healed(p, _before, ctx) {
    return (await inspectContainer(ctx, p.container))?.status === 'running';
  },
};
