import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { runOk } from './lib/commands.ts';

const params = z.strictObject({
  units: z
    .array(
      z
        .string()
        .regex(/^[^\s-][^\s]*\.[a-z]+$/, { error: 'expected a unit with its type, such as nginx.service' }),
    )
    .min(1)
    .describe('systemd units to stop, with their types: nginx.service, backup.timer.'),
});
type Params = z.output<typeof params>;

/** The units that were active, and so are to be active again. */
type Before = { readonly active: readonly string[] };

interface Unit {
  readonly name: string;
  readonly loaded: boolean;
  readonly active: boolean;
  readonly triggeredBy: readonly string[];
}

/** systemd gives a unit 90 s to stop before it kills it. */
const stopTimeoutMs = 150_000;

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
  describe: (p) => ({
    inject: `systemctl stop ${p.units.join(' ')}`,
    heal: `systemctl start ${p.units.join(' ')} (those that were active)`,
    blastRadius: `${p.units.join(', ')} and what depends on them`,
  }),

  async before(p, ctx) {
    const units = await show(ctx, p.units);
    for (const unit of units) {
      if (!unit.loaded) {
        throw new DrillError('fault-failed', `${ctx.host.name}: no systemd unit ${unit.name}`, {
          mend: `List them with \`systemctl list-units --all\` on ${ctx.host.name} and correct \`units\`.`,
        });
      }
    }
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
    await runOk(ctx, ['systemctl', 'stop', ...p.units], { timeoutMs: stopTimeoutMs });
    return null;
  },

  async effect(p, _before, ctx) {
    return (await show(ctx, p.units)).every((unit) => !unit.active);
  },

  async heal(_p, before, ctx) {
    const missing = (await show(ctx, before.active)).filter((unit) => !unit.active);
    if (missing.length === 0) return;
    await runOk(ctx, ['systemctl', 'start', ...missing.map((unit) => unit.name)], {
      timeoutMs: stopTimeoutMs,
    });
  },

  async healed(_p, before, ctx) {
    return (await show(ctx, before.active)).every((unit) => unit.active);
  },
};

/** A unit that starts again by itself is not stopped. */
async function requireNoTrigger(p: Params, units: readonly Unit[], ctx: FaultContext): Promise<void> {
  const others = [...new Set(units.flatMap((unit) => unit.triggeredBy))].filter(
    (name) => !p.units.includes(name),
  );
  const awake = others.length === 0 ? [] : (await show(ctx, others)).filter((unit) => unit.active);
  const [trigger] = awake;
  if (trigger === undefined) return;
  const started = units.find((unit) => unit.triggeredBy.includes(trigger.name));
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: ${trigger.name} would start ${started?.name ?? 'it'} again`,
    { mend: `Add ${trigger.name} to \`units\`.` },
  );
}

async function show(ctx: FaultContext, units: readonly string[]): Promise<Unit[]> {
  const said = await runOk(ctx, [
    'systemctl',
    'show',
    '--property=LoadState,ActiveState,TriggeredBy',
    '--',
    ...units,
  ]);
  // One paragraph a unit, in the order asked for; a unit's own name may be another (alias).
  const paragraphs = said.trim().split('\n\n');
  return units.map((name, index) => {
    const lines = (paragraphs[index] ?? '').split('\n');
    const value = (key: string): string =>
      lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1) ?? '';
    return {
      name,
      loaded: value('LoadState') === 'loaded',
      active: ['active', 'reloading', 'activating', 'refreshing'].includes(value('ActiveState')),
      triggeredBy: value('TriggeredBy').split(' ').filter(Boolean),
    };
  });
}
