import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { execa } from 'execa';

/** Of a line that has not ended yet. */
const maxPartialChars = 4000;

/** What a finished command left behind. A non-zero exit is data, not an error. */
export interface CommandResult {
  /** undefined when the command could not be started at all (`startError` says why). */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly startError: string | undefined;
}

/** Limits and surroundings of one command. */
export interface CommandOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text for standard input; none by default. */
  readonly input?: string;
  /** Is given what the command writes as it comes: of lines that come together, the last. */
  readonly onLine?: (line: string) => void;
}

/** Runs one command of the machine that carries the lab. Injected, so that decisions can be tested without it. */
export type CommandRunner = (argv: readonly string[], options: CommandOptions) => Promise<CommandResult>;

/**
 * The real runner. A time-out or an abort ends the command with everything that it started. Throws only when the
 * signal aborts (its reason).
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
    for (const stream of [command.stdout, command.stderr]) tellLines(stream, options.onLine);
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

function tellLines(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder();
  let partial = '';
  stream.on('data', (chunk: Buffer) => {
    // A progress bar begins its line anew with a carriage return.
    const lines = `${partial}${decoder.write(chunk)}`.split(/[\r\n]+/);
    partial = (lines.pop() ?? '').slice(-maxPartialChars);
    const last = lines.findLast((line) => line.trim() !== '');
    if (last !== undefined) onLine(last);
  });
}

/** One line about how a command ended and the last lines that it wrote, for error messages. */
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
