import { isPodman, noPodman } from '../../core/container-engine.ts';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { messageText } from '../../core/message-text.ts';
import { lastText, run } from './commands.ts';

/**
 * Throws `fault-failed` if `docker` on the fault's host is Podman. If the engine does not answer, the next
 * command reports it.
 */
export async function requireDocker(ctx: FaultContext): Promise<void> {
  const { stdout } = await run(ctx, ['sh', '-c', 'docker --version; docker version']);
  if (!isPodman(stdout)) return;
  throw new DrillError('fault-failed', `${ctx.host.name}: ${noPodman.why}`, { hint: noPodman.hint });
}

/** A container's state as `docker inspect` reports it. */
export interface ContainerState {
  /** created, running, paused, restarting, removing, exited, or dead. */
  readonly status: string;
  /** Changes with each start of the container. */
  readonly startedAt: string;
  /** Changes with each exit of the container. */
  readonly finishedAt: string;
}

/** The first line of the output of the format below: a container state and the start time. */
const stateLine = /^(created|running|paused|restarting|removing|exited|dead|stopped) (\S.*)$/;

/** The container's state, or undefined if the engine has no container with this name. */
export async function inspectContainer(
  ctx: FaultContext,
  container: string,
): Promise<ContainerState | undefined> {
  const argv = [
    'docker',
    'inspect',
    '--type',
    'container',
    '--format',
    // Each time ends its line, because an engine may print times that contain spaces.
    '{{.State.Status}} {{.State.StartedAt}}\n{{.State.FinishedAt}}',
    container,
  ];
  const result = await run(ctx, argv);
  if (result.exitCode !== 0) {
    if (/no such container/i.test(result.stderr)) return undefined;
    if (result.exitCode === notFoundExit && ctx.host.container !== undefined)
      throw noDockerInside(ctx, ctx.host.container.name, container);
    throw new DrillError(
      'host-unreachable',
      `${ctx.host.name}: cannot inspect container ${container}: the Docker engine does not answer: ${lastText(result)}`,
      { hint: `Check the engine on ${ctx.host.name}: docker info` },
    );
  }
  const [first = '', finishedAt = ''] = result.stdout.trim().split('\n');
  const [, status, startedAt] = stateLine.exec(first.trim()) ?? [];
  if (status !== undefined && startedAt !== undefined) return { status, startedAt, finishedAt };
  throw new DrillError(
    'host-unreachable',
    `${ctx.host.name}: cannot parse the output of \`docker inspect ${container}\`: ${messageText(result.stdout.trim(), 120)}`,
    { hint: `Check the output of \`docker inspect ${container}\` on ${ctx.host.name}.` },
  );
}

/** A shell's exit code for a program that does not exist. */
const notFoundExit = 127;

/** The fault's host is a container itself, and its own engine is on another host. */
function noDockerInside(ctx: FaultContext, own: string, container: string): DrillError {
  return new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot act on container ${container}: container ${own} has no Docker client`,
    {
      hint: `Set \`on\` to a host with \`transport: local\` (the machine of the engine), and keep \`container: ${container}\`.`,
    },
  );
}

/** The container's state. Throws `fault-failed` if the container does not exist. */
export async function requireContainer(ctx: FaultContext, container: string): Promise<ContainerState> {
  const state = await inspectContainer(ctx, container);
  if (state === undefined) {
    throw new DrillError('fault-failed', `${ctx.host.name}: no container named ${container}`, {
      hint: `List the containers with \`docker ps -a\` on ${ctx.host.name}, and correct the name in the scenario.`,
    });
  }
  return state;
}
