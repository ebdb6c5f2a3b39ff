import type { DurationMs } from '../core/time.ts';
import { runCommand as runOnThisMachine } from '../hosts/run-command.ts';

/** The result of a command. A non-zero exit code is data, not an error. */
export interface CommandResult {
  /** Undefined if the command did not end by itself (`timedOut`, `startError`). */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly startError: string | undefined;
}

/** Limits and environment of one command. */
export interface CommandOptions {
  readonly timeoutMs: DurationMs;
  readonly signal: AbortSignal;
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text for standard input; none by default. */
  readonly input?: string;
  /** Receives output while the command runs. If multiple lines arrive together, it receives only the last. */
  readonly onLine?: (line: string) => void;
}

/** Runs one command on the lab's machine. Injected, so that tests need no machine. */
export type CommandRunner = (argv: readonly string[], options: CommandOptions) => Promise<CommandResult>;

/** Time for a command to clean up at its timeout or an abort, ms: a package manager that is killed leaves locks. */
const graceMs = 2000;

/** The real runner. Throws only the signal's reason when the signal aborts. */
export const runCommand: CommandRunner = async (argv, options) => {
  options.signal.throwIfAborted();
  const outcome = await runOnThisMachine({ argv, graceMs, ...options });
  options.signal.throwIfAborted();
  return {
    exitCode: outcome.kind === 'exited' ? outcome.exitCode : undefined,
    stdout: ('stdout' in outcome ? outcome.stdout : undefined) ?? '',
    stderr: ('stderr' in outcome ? outcome.stderr : undefined) ?? '',
    timedOut: outcome.kind === 'timed-out',
    startError:
      outcome.kind === 'not-started'
        ? outcome.message
        : outcome.kind === 'overflow'
          ? `wrote more than ${outcome.limitBytes} bytes`
          : undefined,
  };
};

/** For error messages: how a command ended, and the last lines of its output. */
export function describeFailure(argv: readonly string[], result: CommandResult): string {
  const how =
    result.startError ??
    (result.timedOut ? 'did not finish in time' : `ended with exit code ${result.exitCode}`);
  const tail = (result.stderr.trim() === '' ? result.stdout : result.stderr)
    .trim()
    .split('\n')
    .slice(-12)
    .join('\n');
  return `\`${argv.join(' ')}\`: ${how}${tail === '' ? '' : `\n${tail}`}`;
}
