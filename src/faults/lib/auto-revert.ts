import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { shellCommand } from '../../core/shell-quote.ts';
import type { DurationMs } from '../../core/time.ts';
import { lastText, run, runOk } from './commands.ts';

/**
 * A timer on the fault's host that undoes the fault if firedrill cannot: firedrill may die, or the fault may
 * cut its connection. It is a transient systemd timer, which disappears after it has fired or was stopped,
 * and cannot be started again. So each attempt to renew it creates another timer (`firedrill-TAG-2.timer`,
 * `-3`, and so on) and then stops the older ones. The answer to an attempt may be lost at any step, so an
 * attempt accepts whatever timers of the tag it finds. A timer that fires stops the others after its undo, so
 * that none is left.
 */
export interface AutoRevert {
  /** Part of the names of its timers: `firedrill-TAG-N.timer`. */
  readonly tag: string;
  /** Time from arming or renewal until the timer fires. */
  readonly leaseMs: DurationMs;
  /** Script for /bin/sh that removes exactly what the fault adds. It must be harmless if nothing is left. */
  readonly undo: string;
}

/** A random tag: eight hexadecimal digits. */
export function newTag(): string {
  return crypto.randomUUID().slice(0, 8);
}

/** Whether systemd is the host's init system, so that it can run the timer. */
export async function hasSystemd(ctx: FaultContext): Promise<boolean> {
  // sd_booted(3): this folder exists if and only if systemd is the init system.
  return (await run(ctx, ['test', '-d', '/run/systemd/system'])).exitCode === 0;
}

/** Throws `fault-failed` if systemd is not the host's init system. */
export async function requireSystemd(ctx: FaultContext): Promise<void> {
  if (!(await hasSystemd(ctx))) {
    throw new DrillError(
      'fault-failed',
      `${ctx.host.name}: cannot arm the auto-revert timer: no systemd runs on the host`,
      {
        hint:
          ctx.host.container === undefined
            ? 'Use a host with systemd, or another kind of fault.'
            : 'A plain container runs no systemd. Use container.pause or container.stop on a host with `transport: local`, with `container: NAME`.',
      },
    );
  }
}

/** Starts the first timer. Throws `fault-failed` if systemd refuses. */
export async function armAutoRevert(ctx: FaultContext, autoRevert: AutoRevert): Promise<void> {
  await runOk(ctx, timerCommand(autoRevert, 1));
}

/**
 * Postpones the undo by a full lease from now. `attempt` counts from 1 and is never used twice, whatever the
 * outcome of an attempt. Throws `fault-failed` if no timer is left to postpone: one has fired, so the host is
 * undoing the fault.
 */
export async function renewAutoRevert(
  ctx: FaultContext,
  autoRevert: AutoRevert,
  { attempt, timeoutMs }: { readonly attempt: number; readonly timeoutMs: DurationMs },
): Promise<void> {
  const script = renewScript(autoRevert, attempt + 1);
  const renewed = await run(ctx, ['/bin/sh', '-c', script], { timeoutMs });
  if (renewed.exitCode === 0) return;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot renew the auto-revert timer firedrill-${autoRevert.tag}: ${lastText(renewed)}`,
  );
}

/** Creates the timer with this number, then stops the others. If one of them has fired, it stops the new one instead. */
function renewScript(autoRevert: AutoRevert, number: number): string {
  const unit = unitOf(autoRevert, number);
  const all = `firedrill-${autoRevert.tag}-*`;
  return `give_up() { systemctl stop ${unit}.timer; echo "$1" >&2; exit 1; }
${shellCommand(timerCommand(autoRevert, number))} || exit
list='systemctl list-units --all --plain --no-legend'
timers=$($list --state=active '${all}.timer') || exit
others=
while read -r timer _; do
  case $timer in ''|${unit}.timer) ;; *) others="$others $timer" ;; esac
done <<end
$timers
end
[ -n "$others" ] || give_up 'no older timer is left: one has fired'
systemctl stop $others || give_up 'an older timer could not be stopped: it has fired'
fired=$($list --state=active,activating,deactivating,failed '${all}.service') || exit
[ -z "$fired" ] || give_up 'an older timer has fired'
systemctl is-active --quiet ${unit}.timer || give_up 'the new timer is gone: an older one has fired'
`;
}

/** Stops the timers and clears their failed units. Does nothing if there are none. */
export async function disarmAutoRevert(ctx: FaultContext, tag: string): Promise<void> {
  await run(ctx, ['systemctl', 'stop', `firedrill-${tag}-*.timer`]);
  await run(ctx, ['systemctl', 'reset-failed', `firedrill-${tag}-*`]);
}

/** True while a timer exists, or the service that it started. */
export async function isArmed(ctx: FaultContext, tag: string): Promise<boolean> {
  const list = ['systemctl', 'list-units', '--all', '--plain', '--no-legend', `firedrill-${tag}-*`];
  return (await runOk(ctx, list)).trim() !== '';
}

function unitOf({ tag }: AutoRevert, number: number): string {
  return `firedrill-${tag}-${number}`;
}

function timerCommand(autoRevert: AutoRevert, number: number): readonly string[] {
  return [
    'systemd-run',
    '--quiet',
    `--unit=${unitOf(autoRevert, number)}`,
    `--on-active=${Math.round(autoRevert.leaseMs)}ms`,
    '--timer-property=AccuracySec=100ms',
    '/bin/sh',
    '-c',
    // systemd expands variables in a unit's arguments; `$$` stands for one dollar sign.
    undoOnce(autoRevert).replaceAll('$', '$$$$'),
  ];
}

/** The undo script. If it exits 0, the other timers are stopped, so that it does not run again. */
function undoOnce({ tag, undo }: AutoRevert): string {
  return `(
${undo}
) || exit
systemctl stop 'firedrill-${tag}-*.timer'
exit 0`;
}
