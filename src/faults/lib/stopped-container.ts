import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { runOk } from './commands.ts';
import { inspectContainer, requireContainer, requireDocker } from './docker-cli.ts';

/** A container before a fault: running, and since when. */
export type RunningContainer = { readonly status: string; readonly startedAt: string };

/** Throws `fault-failed` unless the container runs: a fault needs something to break. */
export async function requireRunning(ctx: FaultContext, container: string): Promise<RunningContainer> {
  await requireDocker(ctx);
  const { status, startedAt } = await requireContainer(ctx, container);
  if (status !== 'running') {
    throw new DrillError(
      'fault-failed',
      `${ctx.host.name}: container ${container} is ${status}, not running`,
      {
        mend: 'A fault needs something to break: bring the container up first.',
      },
    );
  }
  return { status, startedAt };
}

/** True while the container runs; false too when it does not exist. */
export async function isRunning(ctx: FaultContext, container: string): Promise<boolean> {
  return (await inspectContainer(ctx, container))?.status === 'running';
}

/** Starts a container that somebody stopped by hand; leaves one alone that runs or is about to. */
export async function startAgain(ctx: FaultContext, container: string): Promise<void> {
  const { status } = await requireContainer(ctx, container);
  if (status !== 'running' && status !== 'restarting') await runOk(ctx, ['docker', 'start', container]);
}
