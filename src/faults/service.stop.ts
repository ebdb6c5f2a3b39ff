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
    .describe('systemd units to stop, with their suffixes, such as nginx.service and backup.timer.'),
});
type Params = z.output<typeof params>;

/** The units that were active before the fault, which the heal starts again. */
type Before = { readonly active: readonly string[] };

/**
 * Stops systemd units. The heal starts the units that were active.
 *
 * An active socket, timer, or path can start a stopped unit again, so it must be in `units` too: otherwise
 * `before` fails and names it. (For example, the next request to a stopped Docker engine starts it through
 * docker.socket.)
 */
export const serviceStop: FaultKind<Params, Before, null> = {
  kind: 'service.stop',
  summary: 'Stop systemd units. The heal starts the units that were active.',
  healAfter: 'recovery',
  params,
  uses: () => ({ tools: ['systemctl'], systemd: true, root: true }),
  describe: (p) => ({
    inject: `systemctl stop ${p.units.join(' ')}`,
    heal: `systemctl start ${p.units.join(' ')} (only units that were active)`,
    blastRadius: `${p.units.join(', ')} and what depends on them`,
  }),

  async before(p, ctx) {
    const units = await requireUnits(ctx, p.units);
    const active = units.filter((unit) => unit.active).map((unit) => unit.name);
    if (active.length === 0) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: cannot stop ${p.units.join(', ')}: no unit is active`,
        {
          hint: `Start a unit first: systemctl start ${p.units.join(' ')}`,
        },
      );
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

/**
 * Throws `fault-failed` if an active socket, timer, or path that is not in `units` would start a unit again.
 */
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
    `${ctx.host.name}: cannot keep ${started?.name ?? 'the units'} stopped: ${trigger.name} would start it again`,
    { hint: `Add ${trigger.name} to \`units\`.` },
  );
}
