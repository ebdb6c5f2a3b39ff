import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultKind } from '../core/fault.ts';
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
  units: z.array(unitName).min(1).describe('systemd units, with their suffix, such as nginx.service.'),
  action: z
    .enum(['restart', 'reload'])
    .default('restart')
    .describe('`restart` stops and starts the units. `reload` makes them read their configuration again.'),
});
type Params = z.output<typeof params>;

/** For each unit, in the order of `units`: a value that a restart or a reload changes. */
type Before = { readonly stamps: readonly string[] };

/**
 * Restarts or reloads systemd units, as an operator does after changing their configuration. The units come
 * back by themselves.
 */
export const serviceRestart: FaultKind<Params, Before, null> = {
  kind: 'service.restart',
  summary: 'Restart or reload systemd units.',
  healAfter: 'redundancy',
  params,
  uses: () => ({ tools: ['systemctl'], systemd: true, root: true }),
  describe: (p) => ({
    inject: `systemctl ${p.action} ${p.units.join(' ')}`,
    heal: `verify that they are active; systemctl start ${p.units.join(' ')} if they are not`,
    blastRadius: `${p.units.join(', ')} and what depends on them`,
  }),

  async before(p, ctx) {
    const units = await requireUnits(ctx, p.units);
    const inactive = units.find((unit) => !unit.active);
    if (inactive !== undefined) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: cannot ${p.action} ${inactive.name}: it is not active`,
        {
          hint: `Start it first: systemctl start ${inactive.name}`,
        },
      );
    }
    const fixed = p.action === 'reload' ? units.find((unit) => !unit.canReload) : undefined;
    if (fixed !== undefined) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: cannot reload ${fixed.name}: the unit has no reload command`,
        {
          hint: 'Use `action: restart`, or kind `command` with the command that reloads its configuration.',
        },
      );
    }
    return { stamps: units.map((unit) => stampOf(unit, p)) };
  },

  async inject(p, _before, ctx) {
    await runOk(ctx, ['systemctl', p.action, ...p.units], { timeoutMs: unitTimeoutMs });
    return null;
  },

  async effect(p, before, ctx) {
    const units = await showUnits(ctx, p.units);
    return units.every((unit, index) => stampOf(unit, p) !== before.stamps[index]);
  },

  heal: (p, _before, ctx) => startInactive(ctx, p.units),
  healed: (p, _before, ctx) => allActive(ctx, p.units),
};

/**
 * A restart changes the invocation ID. A reload does not, but it changes the unit's state to `reloading` and
 * back.
 */
function stampOf(unit: Unit, { action }: Params): string {
  return action === 'restart' ? unit.invocation : unit.changedAt;
}
