import type { ExecResult, Host } from '../core/host.ts';
import { commandError, followError } from './command-error.ts';
import { markedArgv, newMark } from './command-marks.ts';
import { followCommand, type CommandFollower } from './follow-command.ts';
import { localEnvironment } from './local-environment.ts';
import { pipeCommand } from './pipe-command.ts';
import { runCommand, type CommandRunner } from './run-command.ts';

/** Exit codes of a shell for a missing program, and for a program that may not be executed (POSIX 2.8.2). */
const notFoundExit = 127;
const notExecutableExit = 126;

/** The machine that firedrill runs on. There is no login shell or client in between, so the output needs no marks. */
export function createLocalHost(
  name: string,
  run: CommandRunner = runCommand,
  follow: CommandFollower = followCommand,
): Host {
  const env = localEnvironment();
  return {
    name,
    transport: 'local',
    isThisMachine: true,
    pipe: (argv) => pipeCommand(argv, { env }),
    async *follow(argv, signal) {
      const mark = newMark();
      const outcome = yield* follow({ argv: markedArgv(argv, mark, 'follow'), mark, signal });
      if (outcome.kind !== 'exited') throw followError(name, argv, outcome);
      const { exitCode, stderr } = outcome;
      return { exitCode, stderr };
    },
    exec: async (argv, options): Promise<ExecResult> => {
      const outcome = await run({ argv, env, ...options });
      switch (outcome.kind) {
        case 'exited': {
          const { kind: _, ...result } = outcome;
          return result;
        }
        case 'not-started':
          return {
            exitCode: outcome.code === 'ENOENT' ? notFoundExit : notExecutableExit,
            stdout: '',
            stderr: outcome.message,
          };
        case 'timed-out':
        case 'aborted':
        case 'overflow':
          throw commandError(name, argv, options.timeoutMs, outcome);
      }
    },
  };
}
