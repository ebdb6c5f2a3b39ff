import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import type { PowerSwitch } from '../core/host.ts';
import { bringUp } from './lib/cloud-server.ts';
import { run } from './lib/commands.ts';

const params = z.strictObject({});
type Params = z.output<typeof params>;

/** Takes the power from a machine, from beneath it: nothing in it is asked or told, no connection is closed. */
export const powerCut: FaultKind<Params, null, null> = {
  kind: 'power.cut',
  summary: 'Take the power from a machine; it stays off until the heal switches it on.',
  healAfter: 'recovery',
  needs: 'power',
  params,
  describe: () => ({
    inject: 'cut the power of the host',
    heal: 'switch it on and wait until it takes commands',
    blastRadius: 'the whole host',
  }),

  async before(_p, ctx) {
    if (!(await powerOf(ctx).isOn(ctx.signal))) {
      throw new DrillError('fault-failed', `${ctx.host.name} has no power already`, {
        mend: 'A fault needs something to break: switch it on first.',
      });
    }
    return null;
  },

  async inject(_p, _before, ctx) {
    await powerOf(ctx).cut(ctx.signal);
    return null;
  },

  effect: async (_p, _before, ctx) => !(await powerOf(ctx).isOn(ctx.signal)),

  async heal(_p, _before, ctx) {
    if (await powerOf(ctx).isOn(ctx.signal)) return;
    // A cloud that has noticed the loss calls the server SHUTOFF, and would take the power of one that is started behind
    // its back away again.
    if (await cloudKnows(ctx)) await bringUp(ctx);
    else await powerOf(ctx).on(ctx.signal);
  },

  async healed(_p, _before, ctx) {
    if (!(await powerOf(ctx).isOn(ctx.signal)) || (await cloudKnows(ctx))) return false;
    return (await run(ctx, ['true'])).exitCode === 0;
  },
};

/** Whether a cloud runs the host as a server and no longer takes it for one that has power. */
async function cloudKnows(ctx: FaultContext): Promise<boolean> {
  const state = await ctx.server?.state(ctx.signal);
  return state !== undefined && !(state.status === 'ACTIVE' && state.taskState === null);
}

function powerOf(ctx: FaultContext): PowerSwitch {
  if (ctx.host.power !== undefined) return ctx.host.power;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: its power cannot be switched through ${ctx.host.transport}`,
    {
      mend: 'Only a transport beneath the machine can: docker, or a cloud that runs the host as a server (server.stop).',
    },
  );
}
