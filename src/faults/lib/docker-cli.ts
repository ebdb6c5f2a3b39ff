import { isPodman, noPodman } from '../../core/container-engine.ts';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { printable } from '../../core/printable.ts';
import { lastWords, run } from './commands.ts';

/** Throws `fault-failed` where `docker` on the fault's host is Podman. An engine that does not answer says so to the next command. */
export async function requireDocker(ctx: FaultContext): Promise<void> {
  const { stdout } = await run(ctx, ['sh', '-c', 'docker --version; docker version']);
  if (!isPodman(stdout)) return;
  throw new DrillError('fault-failed', `${ctx.host.name}: ${noPodman.why}`, { mend: noPodman.mend });
}

/** A container's state as `docker inspect` tells it. */
export interface ContainerState {
  /** created, running, paused, restarting, removing, exited or dead. */
  readonly status: string;
  /** Changes with each start: tells one life of the container from the next. */
  readonly startedAt: string;
  /** Changes with each exit of the container. */
  readonly finishedAt: string;
}

/** What the engine says of a container: one of its states, and a time. */
const stateLine = /^(created|running|paused|restarting|removing|exited|dead|stopped) (\S.*)$/;

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
    // A line each: an engine may print times with blanks in them.
    '{{.State.Status}} {{.State.StartedAt}}\n{{.State.FinishedAt}}',
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
  const [first = '', finishedAt = ''] = result.stdout.trim().split('\n');
  const [, status, startedAt] = stateLine.exec(first.trim()) ?? [];
  if (status !== undefined && startedAt !== undefined) return { status, startedAt, finishedAt };
  throw new DrillError(
    'host-unreachable',
    `${ctx.host.name}: cannot parse the output of \`docker inspect ${container}\`: ${printable(result.stdout.trim(), 120)}`,
    { mend: `See what \`docker inspect ${container}\` prints on ${ctx.host.name}.` },
  );
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
