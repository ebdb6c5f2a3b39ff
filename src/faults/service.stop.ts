import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { shellCommand } from '../core/shell-quote.ts';
import { runOk } from './lib/commands.ts';
import {
  allActive,
  requireUnits,
  showUnits,
  startInactive,
  unitName,
  unitTimeoutMs,
  type Unit,
} from './lib/systemd-units.ts';

const params = z.strictObject({
  units: z
    .array(unitName)
    .min(1)
    .describe('systemd units to stop, with their types: nginx.service, backup.timer.'),
});
type Params = z.output<typeof params>;

/** The units that were active, and so are to be active again. */
type Before = { readonly active: readonly string[] };

/**
 * Stops systemd units; those that were active are started again by the heal.
 *
 * A unit that an active socket, timer or path would start again must be stopped
 * together with it: `before` fails otherwise, and names it. (The next question to
 * a stopped Docker engine starts it again through docker.socket.)
 */
export const serviceStop: FaultKind<Params, Before, null> = {
  kind: 'service.stop',
  summary: 'Stop systemd units; they stay stopped until the heal starts those again that were active.',
  healAfter: 'recovery',
  params,
  uses: () => ({ tools: ['systemctl'], systemd: true, root: true }),
  describe: (p) => ({
    inject: `systemctl stop ${p.units.join(' ')}`,
    heal: `systemctl start ${p.units.join(' ')} (those that were active)`,
    blastRadius: `${p.units.join(', ')} and what depends on them`,
  }),

  async before(p, ctx) {
    const units = await requireUnits(ctx, p.units);
    const active = units.filter((unit) => unit.active).map((unit) => unit.name);
    if (active.length === 0) {
      throw new DrillError('fault-failed', `${ctx.host.name}: none of ${p.units.join(', ')} is active`, {
        mend: 'A fault needs something to break: start one of them first.',
      });
    }
    await requireNoTrigger(p, units, ctx);
    return { active };
  },

  async inject(p, _before, ctx) {
    await runOk(ctx, ['systemctl', 'stop', ...p.units], { timeoutMs: unitTimeoutMs });
    return null;
  },

  async effect(p, _before, ctx) {
    return (await showUnits(ctx, p.units)).every((unit) => !unit.active);
  },

  undo: (_p, { active }) => shellCommand(['systemctl', 'start', ...active]),
  heal: (_p, before, ctx) => startInactive(ctx, before.active),
  healed: (_p, before, ctx) => allActive(ctx, before.active),
};

/** A unit that starts again by itself is not stopped. */
async function requireNoTrigger(p: Params, units: readonly Unit[], ctx: FaultContext): Promise<void> {
  const others = [...new Set(units.flatMap((unit) => unit.triggeredBy))].filter(
    (name) => !p.units.includes(name),
  );
  const awake = others.length === 0 ? [] : (await showUnits(ctx, others)).filter((unit) => unit.active);
  const [trigger] = awake;
  if (trigger === undefined) return;
  const started = units.find((unit) => unit.triggeredBy.includes(trigger.name));
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: ${trigger.name} would start ${started?.name ?? 'it'} again`,
    { mend: `Add ${trigger.name} to \`units\`.` },
  );
}
