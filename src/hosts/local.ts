import { existsSync } from 'node:fs';
import type { ExecResult, Host } from '../core/host.ts';
import { commandError, followError } from './command-error.ts';
import { markedArgv, newMark } from './command-marks.ts';
import { followCommand, type CommandFollower } from './follow-command.ts';
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

/** The two paths where glibc has the locale C.UTF-8. */
const neutralLocales = ['/usr/lib/locale/C.utf8', '/usr/lib/locale/C.UTF-8'];

/**
 * The same environment for commands on this machine as `environmentScript` (command-marks.ts) sets on other hosts: messages
 * in English, and the sbin folders in PATH. Undefined removes a variable.
 */
function localEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Record<string, string | undefined>> {
  const path = env['PATH'] || '/usr/local/bin:/usr/bin:/bin';
  return {
    PATH: `${path}:/usr/local/sbin:/usr/sbin:/sbin`,
    LC_ALL: neutralLocales.some((folder) => existsSync(folder)) ? 'C.UTF-8' : 'C',
    LANGUAGE: undefined,
  };
}
