import { isPodman, noPodman } from '../core/container-engine.ts';
import { DrillError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { CommandRunner } from './run-command.ts';

/** Longest time that one of the engine's two answers about itself may take, ms. */
const askTimeoutMs = 10_000;

/** Answers whether `docker` is Podman. Asks when it is first called, and keeps the answer; an engine that gives none is no Podman. */
export function askForPodman(docker: readonly string[], run: CommandRunner): () => Promise<boolean> {
  const ask = async (): Promise<boolean> => {
    const answers = await Promise.all(
      ['--version', 'version'].map((word) =>
        run({ argv: [...docker, word], timeoutMs: askTimeoutMs, signal: new AbortController().signal }),
      ),
    );
    return isPodman(answers.map((answer) => (answer.kind === 'exited' ? answer.stdout : '')).join('\n'));
  };
  let asked: Promise<boolean> | undefined;
  return () => (asked ??= ask());
}

/**
 * The same host, whose commands are refused where `docker` is Podman. Where the engine does not tell what it is, the command itself
 * finds out what is wrong.
 */
export function dockerOnly(host: Host, isPodmanThere: () => Promise<boolean>): Host {
  const requireDocker = async (): Promise<void> => {
    if (!(await isPodmanThere())) return;
    throw new DrillError('host-unreachable', `${host.name}: ${noPodman.why}`, { mend: noPodman.mend });
  };
  const { power, container } = host;
  return {
    ...host,
    async exec(argv, options) {
      await requireDocker();
      return host.exec(argv, options);
    },
    async *follow(argv, signal) {
      await requireDocker();
      return yield* host.follow(argv, signal);
    },
    ...(power === undefined
      ? {}
      : {
          power: {
            describe: power.describe,
            async isOn(signal, patience) {
              await requireDocker();
              return power.isOn(signal, patience);
            },
            async cut(signal, patience) {
              await requireDocker();
              await power.cut(signal, patience);
            },
            async on(signal, patience) {
              await requireDocker();
              await power.on(signal, patience);
            },
          },
        }),
    ...(container === undefined
      ? {}
      : {
          container: {
            name: container.name,
            async inspect(signal, patience) {
              await requireDocker();
              return container.inspect(signal, patience);
            },
          },
        }),
  };
}
