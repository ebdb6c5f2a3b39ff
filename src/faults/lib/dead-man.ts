import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { run, runOk } from './commands.ts';

/**
 * A timer on the fault's own host that undoes the fault when nobody else does:
 * the harness may die, or the fault may cut it off. A transient systemd timer,
 * `firedrill-TAG.timer`, which is gone after it has fired or was stopped.
 */
export interface DeadMan {
  /** What the timer and everything the fault adds is called by. */
  readonly tag: string;
  /** How long after arming it fires. */
  readonly leaseMs: number;
  /** Script for /bin/sh that removes exactly what the fault adds, and does no harm where it is gone. */
  readonly undo: string;
}

/** A tag that no other fault has: eight hexadecimal digits. */
export function newTag(): string {
  return crypto.randomUUID().slice(0, 8);
}

/** Throws `fault-failed` when the host has no systemd that could hold the timer. */
export async function requireSystemd(ctx: FaultContext): Promise<void> {
  // sd_booted(3): this folder is there if and only if systemd is the init system.
  const booted = await run(ctx, ['test', '-d', '/run/systemd/system']);
  if (booted.exitCode !== 0) {
    throw new DrillError(
      'fault-failed',
      `${ctx.host.name}: no systemd runs there, so no timer could undo the fault if firedrill were cut off`,
      { mend: 'Use this fault on a host that systemd runs on.' },
    );
  }
}

/** Starts the timer. Throws `fault-failed` when systemd refuses. */
export async function armDeadMan(ctx: FaultContext, { tag, leaseMs, undo }: DeadMan): Promise<void> {
  await runOk(ctx, [
    'systemd-run',
    `--unit=firedrill-${tag}`,
    `--on-active=${Math.round(leaseMs)}ms`,
    '--timer-property=AccuracySec=100ms',
    '/bin/sh',
    '-c',
    // systemd puts variables into the arguments of what it runs; `$$` is a dollar sign.
    undo.replaceAll('$', '$$$$'),
  ]);
}

/** Stops the timer and forgets a run of it that failed; does nothing where neither is there. */
export async function disarmDeadMan(ctx: FaultContext, tag: string): Promise<void> {
  await run(ctx, ['systemctl', 'stop', `firedrill-${tag}.timer`]);
  await run(ctx, ['systemctl', 'reset-failed', `firedrill-${tag}.timer`, `firedrill-${tag}.service`]);
}

/** True while the timer is there. */
export async function isArmed(ctx: FaultContext, tag: string): Promise<boolean> {
  const state = await runOk(ctx, [
    'systemctl',
    'show',
    '--property=ActiveState',
    '--value',
    `firedrill-${tag}.timer`,
  ]);
  return state.trim() !== 'inactive';
}
