import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { execa } from 'execa';
import type { DurationMs } from '../core/time.ts';

/** One command on this machine. */
export interface Command {
  readonly argv: readonly string[];
  readonly timeoutMs: DurationMs;
  readonly signal: AbortSignal;
  readonly input?: string | undefined;
  readonly maxOutputBytes?: number | undefined;
  /** Variables in addition to those of this process; undefined removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Receives output while the command runs. If multiple lines arrive together, it receives only the last. */
  readonly onLine?: (line: string) => void;
  /**
   * At the timeout or abort, the command first gets SIGTERM and this time to clean up, ms, and its end is waited for.
   * By default it is killed at once.
   */
  readonly graceMs?: DurationMs;
}

/** How a command ended. Expected outcomes are returned, not thrown. */
export type Outcome =
  | {
      readonly kind: 'exited';
      readonly exitCode: number;
      readonly stdout: string;
      readonly stderr: string;
      readonly truncated?: true;
    }
  /** The program does not exist, or may not be executed. */
  | { readonly kind: 'not-started'; readonly code: string; readonly message: string }
  /** With `graceMs`, it has the output up to the end. */
  | { readonly kind: 'timed-out'; readonly stdout?: string; readonly stderr?: string }
  | { readonly kind: 'aborted' }
  /** It wrote more than the default limit. */
  | { readonly kind: 'overflow'; readonly limitBytes: number };

/** Runs a command. Hosts take it as a parameter, so that tests can inspect the commands. */
export type CommandRunner = (command: Command) => Promise<Outcome>;

/** Default limit, bytes. No command of firedrill writes nearly as much, so more output is an error. */
export const defaultMaxOutputBytes = 16_777_216;

/** Characters that are kept of an unfinished line for `onLine`. */
const maxPartialChars = 4000;

/**
 * Runs a command in its own process group. At the timeout or abort, the whole group is killed: otherwise a grandchild that
 * holds the output open would outlive the command. Without `graceMs` it then resolves at once, without waiting for the
 * killed processes.
 */
export const runCommand: CommandRunner = async (command) => {
  if (command.signal.aborted) return { kind: 'aborted' };
  const [file = '', ...args] = command.argv;
  const limitBytes = command.maxOutputBytes ?? defaultMaxOutputBytes;
  const subprocess = execa(file, args, {
    reject: false,
    killDescendants: true,
    ...(command.graceMs === undefined
      ? { killSignal: 'SIGKILL' }
      : { killSignal: 'SIGTERM', forceKillAfterDelay: command.graceMs }),
    maxBuffer: limitBytes,
    stripFinalNewline: false,
    env: command.env ?? {},
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    ...(command.input === undefined ? { stdin: 'ignore' } : { input: command.input }),
  });
  if (command.onLine !== undefined)
    for (const stream of [subprocess.stdout, subprocess.stderr]) reportLines(stream, command.onLine);
  const cut = Promise.withResolvers<Outcome>();
  let endedAs: 'timed-out' | 'aborted' | undefined;
  const end = (kind: 'timed-out' | 'aborted'): void => {
    endedAs = kind;
    subprocess.kill();
    if (command.graceMs !== undefined) return;
    cut.resolve({ kind });
    // A descendant in another session may hold the streams open; they must not keep this process alive.
    subprocess.stdout?.destroy();
    subprocess.stderr?.destroy();
  };
  const timer = setTimeout(() => end('timed-out'), command.timeoutMs);
  const onAbort = (): void => end('aborted');
  command.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const finished = subprocess.then((result): Outcome => {
      const { stdout, stderr } = result;
      if (endedAs === 'aborted') return { kind: endedAs };
      if (endedAs === 'timed-out') return { kind: endedAs, stdout, stderr };
      if (result.isMaxBuffer) {
        return command.maxOutputBytes === undefined
          ? { kind: 'overflow', limitBytes }
          : { kind: 'exited', exitCode: 0, stdout, stderr, truncated: true };
      }
      if (result.exitCode !== undefined) return { kind: 'exited', exitCode: result.exitCode, stdout, stderr };
      if (result.signal !== undefined) {
        return { kind: 'exited', exitCode: 128 + constants.signals[result.signal], stdout, stderr };
      }
      return {
        kind: 'not-started',
        code: result.code ?? '',
        message: result.originalMessage ?? 'not started',
      };
    });
    return await Promise.race([finished, cut.promise]);
  } finally {
    clearTimeout(timer);
    command.signal.removeEventListener('abort', onAbort);
  }
};

function reportLines(stream: Readable, onLine: (line: string) => void): void {
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
