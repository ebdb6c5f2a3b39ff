import { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { messageText } from '../../core/message-text.ts';
import { exitedText, run, runOk } from './commands.ts';

/** Name of a systemd unit in a scenario file, with its suffix. */
export const unitName = z
  .string()
  .regex(/^[^\s-][^\s]*\.[a-z]+$/, { error: 'expected a unit with its suffix, such as nginx.service' });

/** A unit as `systemctl show` reports it. */
export interface Unit {
  readonly name: string;
  /** False if systemd has no such unit. */
  readonly loaded: boolean;
  /** Running, or starting or reloading. */
  readonly active: boolean;
  readonly canReload: boolean;
  /** The invocation ID, which changes with each start. */
  readonly invocation: string;
  /**
   * Time of its last state change, in microseconds of the host's monotonic clock. A start, a stop, and the
   * begin and end of a reload change it.
   */
  readonly changedAt: string;
  /** Sockets, timers, and paths that start it. */
  readonly triggeredBy: readonly string[];
}

/** By default, systemd kills a unit that has not stopped after 90 s. */
export const unitTimeoutMs = 150_000;

const properties = [
  'LoadState',
  'ActiveState',
  'CanReload',
  'InvocationID',
  'StateChangeTimestampMonotonic',
  'TriggeredBy',
] as const;

/**
 * The units with these names, in this order. Throws `host-unreachable` if systemd does not report the state
 * of one.
 */
export async function showUnits(ctx: FaultContext, names: readonly string[]): Promise<Unit[]> {
  const argv = ['systemctl', 'show', `--property=${properties.join(',')}`, '--', ...names];
  const result = await run(ctx, argv);
  if (result.exitCode !== 0)
    throw new DrillError('fault-failed', `${ctx.host.name}: ${exitedText(argv, result)}`, hintFor(ctx));
  const said = result.stdout;
  // One paragraph per unit, in the order of the arguments. The printed name may differ (alias).
  const paragraphs = said.trim().split('\n\n');
  return names.map((name, index) => {
    const lines = (paragraphs[index] ?? '').split('\n');
    const value = (key: (typeof properties)[number]): string =>
      lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1) ?? '';
    if (value('LoadState') === '' || value('ActiveState') === '') {
      throw new DrillError(
        'host-unreachable',
        `${ctx.host.name}: cannot read the state of ${name}: \`systemctl show\` printed: ${messageText(said.trim(), 120)}`,
        { hint: `Check the output of \`systemctl show ${name}\` on ${ctx.host.name}.` },
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

/** A hint for a host that is a container. On other hosts, the error message of systemctl names the cause. */
function hintFor({ host: { container } }: FaultContext): { readonly hint?: string } {
  if (container === undefined) return {};
  return {
    hint: `A plain container runs no systemd. Use container.stop, container.restart, or process.kill on a host with \`transport: local\`, with \`container: ${container.name}\`.`,
  };
}

/** The units with these names. Throws `fault-failed` if systemd does not have one of them. */
export async function requireUnits(ctx: FaultContext, names: readonly string[]): Promise<Unit[]> {
  const units = await showUnits(ctx, names);
  const unknown = units.find((unit) => !unit.loaded);
  if (unknown === undefined) return units;
  throw new DrillError('fault-failed', `${ctx.host.name}: no systemd unit ${unknown.name}`, {
    hint: `List the units with \`systemctl list-units --all\` on ${ctx.host.name}, and correct the name in the scenario.`,
  });
}

/** Starts the units that are not active. */
export async function startInactive(ctx: FaultContext, names: readonly string[]): Promise<void> {
  const missing = (await showUnits(ctx, names)).filter((unit) => !unit.active);
  if (missing.length === 0) return;
  await runOk(ctx, ['systemctl', 'start', ...missing.map((unit) => unit.name)], {
    timeoutMs: unitTimeoutMs,
  });
}

/** True if all of the units are active. */
export async function allActive(ctx: FaultContext, names: readonly string[]): Promise<boolean> {
  return (await showUnits(ctx, names)).every((unit) => unit.active);
}
