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
  units: z.array(unitName).min(1).describe('systemd units, with their types: nginx.service.'),
  action: z
    .enum(['restart', 'reload'])
    .default('restart')
    .describe('A stop and a start, or the signal to read the configuration again.'),
});
type Params = z.output<typeof params>;

/** What another life of each unit, or a reload, will have changed; in the order of `units`. */
type Before = { readonly stamps: readonly string[] };

/** Restarts or reloads systemd units, as somebody does who has changed their configuration; they are back by themselves. */
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
      throw new DrillError('fault-failed', `${ctx.host.name}: ${inactive.name} is not active`, {
        mend: `A fault needs something to break: start ${inactive.name} first.`,
      });
    }
    const fixed = p.action === 'reload' ? units.find((unit) => !unit.canReload) : undefined;
    if (fixed !== undefined) {
      throw new DrillError('fault-failed', `${ctx.host.name}: ${fixed.name} has no reload`, {
        mend: 'Use `action: restart`, or kind command with what makes it read its configuration again.',
      });
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

/** A reload begins no other life: it shows in the unit's state, which is `reloading` meanwhile. */
function stampOf(unit: Unit, { action }: Params): string {
  return action === 'restart' ? unit.invocation : unit.changedAt;
}
