import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import type { PowerSwitch } from '../core/host.ts';
import { bringUp } from './lib/cloud-server.ts';
import { run } from './lib/commands.ts';

const params = z.strictObject({});
type Params = z.output<typeof params>;

/**
 * Cuts the power of a machine through its transport: nothing in it gets a signal, and no connection is
 * closed.
 */
export const powerCut: FaultKind<Params, null, null> = {
  kind: 'power.cut',
  summary: 'Cut the power of a machine. It stays off until the heal switches it on.',
  healAfter: 'recovery',
  needs: 'power',
  params,
  describe: () => ({
    inject: 'cut the power of the host',
    heal: 'switch it on and wait until it accepts commands',
    blastRadius: 'the whole host',
  }),

  async before(_p, ctx) {
    if (!(await powerOf(ctx).isOn(ctx.signal))) {
      throw new DrillError('fault-failed', `${ctx.host.name}: cannot cut the power: it is already off`, {
        hint: `Switch the machine on first${ctx.host.container === undefined ? '' : `: docker start ${ctx.host.container.name}`}`,
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
    // A cloud that has noticed the power cut marks the server SHUTOFF. It would power the server off again if
    // it was not started through the cloud.
    if (await cloudKnows(ctx)) await bringUp(ctx);
    else await powerOf(ctx).on(ctx.signal);
  },

  async healed(_p, _before, ctx) {
    if (!(await powerOf(ctx).isOn(ctx.signal)) || (await cloudKnows(ctx))) return false;
    return (await run(ctx, ['true'])).exitCode === 0;
  },
};

/** Whether the host is a cloud server that its cloud does not report as ACTIVE and idle. */
async function cloudKnows(ctx: FaultContext): Promise<boolean> {
  const state = await ctx.server?.state(ctx.signal);
  return state !== undefined && !(state.status === 'ACTIVE' && state.taskState === null);
}

function powerOf(ctx: FaultContext): PowerSwitch {
  if (ctx.host.power !== undefined) return ctx.host.power;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot switch the power: transport ${ctx.host.transport} has no power switch`,
    {
      hint: 'Use `transport: docker` for a container, or fault kind `server.stop` for a cloud server.',
    },
  );
}
