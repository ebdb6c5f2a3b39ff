import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { runOk } from './commands.ts';
import { inspectContainer, requireContainer, requireDocker } from './docker-cli.ts';

/** The state of a container before a fault: its status (`running`) and its start time. */
export type RunningContainer = { readonly status: string; readonly startedAt: string };

/** Throws `fault-failed` unless the container is running. */
export async function requireRunning(ctx: FaultContext, container: string): Promise<RunningContainer> {
  await requireDocker(ctx);
  const { status, startedAt } = await requireContainer(ctx, container);
  if (status !== 'running') {
    throw new DrillError(
      'fault-failed',
      `${ctx.host.name}: container ${container} is ${status}, not running`,
      { hint: hintFor(status, container) },
    );
  }
  return { status, startedAt };
}

/** How to get a container in this state to run. */
function hintFor(status: string, container: string): string {
  switch (status) {
    case 'paused':
      return `Resume the container first: docker unpause ${container}`;
    case 'restarting':
      return `Find out why the container does not stay up: docker logs ${container}`;
    case 'removing':
      return 'Wait until the engine has removed the container, then create it again.';
    case 'dead':
      return `The engine cannot start it: remove it (docker rm ${container}), then create it again.`;
    default:
      return `Start the container first: docker start ${container}`;
  }
}

/** True if the container is running. False also if it does not exist. */
export async function isRunning(ctx: FaultContext, container: string): Promise<boolean> {
  return (await inspectContainer(ctx, container))?.status === 'running';
}

/** Starts a container unless it is running or restarting. */
export async function startAgain(ctx: FaultContext, container: string): Promise<void> {
  const { status } = await requireContainer(ctx, container);
  if (status !== 'running' && status !== 'restarting') await runOk(ctx, ['docker', 'start', container]);
}
