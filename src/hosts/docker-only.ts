import { isPodman, noPodman } from '../core/container-engine.ts';
import { DrillError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { CommandRunner } from './run-command.ts';

/** Time limit of each of the two version commands, ms. */
const askTimeoutMs = 10_000;

/** Finds out whether `docker` is Podman. It asks at the first call and keeps the answer. An engine without an answer does not count as Podman. */
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
 * The same host, with its commands refused if `docker` is Podman. If the engine gives no answer, the command runs and fails
 * with its own error.
 */
export function dockerOnly(host: Host, isPodmanThere: () => Promise<boolean>): Host {
  const requireDocker = async (): Promise<void> => {
    if (!(await isPodmanThere())) return;
    throw new DrillError('host-unreachable', `${host.name}: ${noPodman.why}`, { hint: noPodman.hint });
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
            async isOn(signal, timeoutFactor) {
              await requireDocker();
              return power.isOn(signal, timeoutFactor);
            },
            async cut(signal, timeoutFactor) {
              await requireDocker();
              await power.cut(signal, timeoutFactor);
            },
            async on(signal, timeoutFactor) {
              await requireDocker();
              await power.on(signal, timeoutFactor);
            },
          },
        }),
    ...(container === undefined
      ? {}
      : {
          container: {
            name: container.name,
            async inspect(signal, timeoutFactor) {
              await requireDocker();
              return container.inspect(signal, timeoutFactor);
            },
          },
        }),
  };
}
