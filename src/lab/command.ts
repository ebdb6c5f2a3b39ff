import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { execa } from 'execa';

/** Characters that are kept of an unfinished line. */
const maxPartialChars = 4000;

/** The result of a command. A non-zero exit code is data, not an error. */
export interface CommandResult {
  /** Undefined if the command was killed or could not be started (`startError`). */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly startError: string | undefined;
}

/** Limits and environment of one command. */
export interface CommandOptions {
  readonly timeoutMs: number;
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

/**
 * The real runner. A time-out or an abort kills the command with its descendants. Throws only the signal's reason when the
 * signal aborts.
 */
export const runCommand: CommandRunner = async (argv, options) => {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('an empty command');
  options.signal.throwIfAborted();
  const command = execa(file, args, {
    reject: false,
    timeout: options.timeoutMs,
    cancelSignal: options.signal,
    killDescendants: true,
    forceKillAfterDelay: 2000,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
  });
  if (options.onLine !== undefined)
    for (const stream of [command.stdout, command.stderr]) printLines(stream, options.onLine);
  const result = await command;
  options.signal.throwIfAborted();
  return {
    exitCode: result.exitCode,
    stdout: result.stdout,
    stderr: result.stderr,
    timedOut: result.timedOut,
    startError:
      result.exitCode === undefined && !result.timedOut && result.signal === undefined
        ? (result.originalMessage ?? result.shortMessage)
        : undefined,
  };
};

function printLines(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder();
  let partial = '';
  stream.on('data', (chunk: Buffer) => {
    // A progress bar overwrites its line after a carriage return.
    const lines = `${partial}${decoder.write(chunk)}`.split(/[\r\n]+/);
    partial = (lines.pop() ?? '').slice(-maxPartialChars);
    const last = lines.findLast((line) => line.trim() !== '');
    if (last !== undefined) onLine(last);
  });
}

/** For error messages: how a command ended, and the last lines of its output. */
export function describeFailure(argv: readonly string[], result: CommandResult): string {
  const how =
    result.startError ??
    (result.timedOut
      ? 'did not finish in time'
      : `ended with exit code ${result.exitCode ?? 'none (killed)'}`);
  const tail = (result.stderr.trim() === '' ? result.stdout : result.stderr)
    .trim()
    .split('\n')
    .slice(-12)
    .join('\n');
  return `\`${argv.join(' ')}\`: ${how}${tail === '' ? '' : `\n${tail}`}`;
}
