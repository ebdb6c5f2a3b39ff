import { z } from 'zod';
import type { FaultKind } from '../core/fault.ts';
import { bringUp, isUp, receiptOf, requireUp, serverOf, type ActionReceipt } from './lib/cloud-server.ts';

const params = z.strictObject({});
type Params = z.output<typeof params>;

/**
 * Stops a server through its cloud. The cloud asks the guest to shut down, so the guest may hand its work
 * over. The cloud cuts the power only after the shutdown timeout. For a machine that fails without warning,
 * use `power.cut`.
 */
export const serverStop: FaultKind<Params, null, ActionReceipt> = {
  kind: 'server.stop',
  summary: 'Stop a server through its cloud (os-stop), usually with a graceful shutdown.',
  healAfter: 'recovery',
  needs: 'server',
  // Nova gives the guest 60 s by default (shutdown_timeout), and images may ask for more.
  effectWithinMs: 150_000,
  params,
  describe: () => ({
    inject:
      'POST /servers/{id}/action {"os-stop": null}: the guest has 60 s to shut down, unless os_shutdown_timeout of its image or the cloud’s shutdown_timeout sets another time',
    heal: 'POST /servers/{id}/action {"os-start": null}, then wait until it is ACTIVE and accepts commands',
    blastRadius: 'the whole server',
  }),

  async before(_p, ctx) {
    await requireUp(ctx);
    return null;
  },

  async inject(_p, _before, ctx) {
    const { requestId } = await serverOf(ctx).stop(ctx.signal);
    return receiptOf(requestId, ctx);
  },

  async effect(_p, _before, ctx) {
    const { status, taskState } = await serverOf(ctx).state(ctx.signal);
    return status === 'SHUTOFF' && taskState === null;
  },

  heal: (_p, _before, ctx) => bringUp(ctx),

  healed: (_p, _before, ctx) => isUp(ctx),
};
