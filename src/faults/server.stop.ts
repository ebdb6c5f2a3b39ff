import { z } from 'zod';
import type { FaultKind } from '../core/fault.ts';
import { bringUp, isUp, receiptOf, requireUp, serverOf, type ActionReceipt } from './lib/cloud-server.ts';

const params = z.strictObject({});
type Params = z.output<typeof params>;

/**
 * Stops a server through its cloud. Graceful: the guest is asked to shut down and may hand its work over
 * politely; only after the shutdown time-out is the power cut. For a machine that is just gone: `power.cut`.
 */
export const serverStop: FaultKind<Params, null, ActionReceipt> = {
  kind: 'server.stop',
  summary: 'Stop a server through its cloud (os-stop): a graceful shutdown, as a rule.',
  healAfter: 'recovery',
  needs: 'server',
  // Nova gives the guest 60 s by default (shutdown_timeout), and images may ask for more.
  effectWithinMs: 150_000,
  params,
  describe: () => ({
    inject:
      'POST /servers/{id}/action {"os-stop": null}; graceful (the guest is asked to shut down and has 60 s) unless os_shutdown_timeout of its image or the cloud’s shutdown_timeout says otherwise',
    heal: 'POST /servers/{id}/action {"os-start": null}, then wait until it is ACTIVE and takes commands',
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
