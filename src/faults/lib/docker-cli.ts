import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { lastWords, run } from './commands.ts';

/** A container's state as `docker inspect` tells it. */
export interface ContainerState {
  /** created, running, paused, restarting, removing, exited or dead. */
  readonly status: string;
  /** Changes with each start: tells one life of the container from the next. */
  readonly startedAt: string;
}

/** What the engine says of a container: one of its states, and a time. */
const stateLine = /^(created|running|paused|restarting|removing|exited|dead|stopped) (\S+)$/;

/** The container's state, or undefined when the engine knows no such container. */
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
    '{{.State.Status}} {{.State.StartedAt}}',
    container,
  ];
  const result = await run(ctx, argv);
  if (result.exitCode !== 0) {
    if (/no such container/i.test(result.stderr)) return undefined;
    throw new DrillError(
      'host-unreachable',
      `${ctx.host.name}: the Docker engine does not answer: ${lastWords(result)}`,
      { mend: 'Check the engine on that host: docker info.' },
    );
  }
  const [, status, startedAt] = stateLine.exec(result.stdout.trim()) ?? [];
  if (status === undefined || startedAt === undefined) {
    throw new DrillError(
      'host-unreachable',
      `${ctx.host.name}: \`${argv.join(' ')}\` did not tell the state of ${container}: ${result.stdout.trim() || 'no output'}`,
      { mend: 'Check the engine on that host: docker info.' },
    );
  }
  return { status, startedAt };
}

/** The container's state; throws `fault-failed` when it does not exist. */
export async function requireContainer(ctx: FaultContext, container: string): Promise<ContainerState> {
  const state = await inspectContainer(ctx, container);
  if (state === undefined) {
    throw new DrillError('fault-failed', `${ctx.host.name}: no container named ${container}`, {
      mend: `List them with \`docker ps -a\` on ${ctx.host.name} and correct the scenario.`,
    });
  }
  return state;
}
