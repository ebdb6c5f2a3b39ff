import { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { printable } from '../../core/printable.ts';
import { runOk } from './commands.ts';

/** Name of a systemd unit in a scenario file, with its type. */
export const unitName = z
  .string()
  .regex(/^[^\s-][^\s]*\.[a-z]+$/, { error: 'expected a unit with its type, such as nginx.service' });

/** A unit as `systemctl show` tells it. */
export interface Unit {
  readonly name: string;
  /** False where systemd knows no such unit. */
  readonly loaded: boolean;
  /** Running, or on its way there. */
  readonly active: boolean;
  readonly canReload: boolean;
  /** Another one after each start. */
  readonly invocation: string;
  /** When its state last changed, in microseconds of the host's monotonic clock: at a start, a stop, and both ends of a reload. */
  readonly changedAt: string;
  /** Sockets, timers and paths that start it. */
  readonly triggeredBy: readonly string[];
}

/** systemd gives a unit 90 s to stop before it kills it. */
export const unitTimeoutMs = 150_000;

const properties = [
  'LoadState',
  'ActiveState',
  'CanReload',
  'InvocationID',
  'StateChangeTimestampMonotonic',
  'TriggeredBy',
] as const;

/** The units of these names, in this order. Throws `host-unreachable` where systemd does not tell the state of one. */
export async function showUnits(ctx: FaultContext, names: readonly string[]): Promise<Unit[]> {
  const said = await runOk(ctx, ['systemctl', 'show', `--property=${properties.join(',')}`, '--', ...names]);
  // One paragraph a unit, in the order asked for; a unit's own name may be another (alias).
  const paragraphs = said.trim().split('\n\n');
  return names.map((name, index) => {
    const lines = (paragraphs[index] ?? '').split('\n');
    const value = (key: (typeof properties)[number]): string =>
      lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1) ?? '';
    if (value('LoadState') === '' || value('ActiveState') === '') {
      throw new DrillError(
        'host-unreachable',
        `${ctx.host.name}: \`systemctl show\` does not show the state of ${name}: ${printable(said.trim(), 120)}`,
      );
    }
    return {
      name,
      loaded: value('LoadState') === 'loaded',
      active: ['active', 'reloading', 'activating', 'refreshing'].includes(value('ActiveState')),
      canReload: value('CanReload') === 'yes',
      invocation: value('InvocationID'),
      changedAt: value('StateChangeTimestampMonotonic'),
      triggeredBy: value('TriggeredBy').split(' ').filter(Boolean),
    };
  });
}

/** The units of these names; throws `fault-failed` where systemd knows one of them not. */
export async function requireUnits(ctx: FaultContext, names: readonly string[]): Promise<Unit[]> {
  const units = await showUnits(ctx, names);
  const unknown = units.find((unit) => !unit.loaded);
  if (unknown === undefined) return units;
  throw new DrillError('fault-failed', `${ctx.host.name}: no systemd unit ${unknown.name}`, {
    mend: `List them with \`systemctl list-units --all\` on ${ctx.host.name} and correct the scenario.`,
  });
}

/** Starts those of the units that are not active. */
export async function startInactive(ctx: FaultContext, names: readonly string[]): Promise<void> {
  const missing = (await showUnits(ctx, names)).filter((unit) => !unit.active);
  if (missing.length === 0) return;
  await runOk(ctx, ['systemctl', 'start', ...missing.map((unit) => unit.name)], {
    timeoutMs: unitTimeoutMs,
  });
}

/** True when all of the units are active. */
export async function allActive(ctx: FaultContext, names: readonly string[]): Promise<boolean> {
  return (await showUnits(ctx, names)).every((unit) => unit.active);
}
