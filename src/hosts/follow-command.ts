import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { FollowEnd } from '../core/host.ts';
import { readMarks, type Mark, type MarkReader } from './command-marks.ts';
import { startPiped } from './start-piped.ts';

/** A long-running command that `markedArgv` wrapped for `follow`. */
export interface FollowedCommand {
  readonly argv: readonly string[];
  readonly mark: Mark;
  readonly signal: AbortSignal;
}

/** How following ended, unless the consumer ended it. Expected outcomes are returned, not thrown. */
export type FollowOutcome =
  | ({ readonly kind: 'exited' } & FollowEnd)
  | { readonly kind: 'not-started'; readonly message: string }
  /** The shell, login, or client ended without starting the command: its exit code and its message. */
  | { readonly kind: 'not-run'; readonly exitCode: number; readonly why: string }
  /** The command started, and its end was not reported. */
  | { readonly kind: 'lost'; readonly why: string }
  | { readonly kind: 'aborted' };

/** Follows a command. Hosts take it as a parameter, so that tests can inspect the commands. */
export type CommandFollower = (command: FollowedCommand) => AsyncGenerator<string, FollowOutcome, void>;

/** Time for the wrapper to end its command, ms: SIGKILL comes after 1 s. */
export const endWithinMs = 1500;
/** The last characters of standard error that are kept. */
export const stderrLimit = 2000;
/** Longest line, characters; a longer one is split. */
const lineLimit = 65_536;

/** Starts the command and yields its lines. See `Host.follow`. */
export const followCommand: CommandFollower = async function* (command) {
  const { signal } = command;
  if (signal.aborted) return { kind: 'aborted' };
  const subprocess = startPiped(command.argv);
  const { stdin, stdout, stderr: errors } = subprocess;
  // The command may end before its standard input is closed.
  stdin.on('error', () => {});
  let stderr = '';
  const [own, ownErrors] = [readMarks(command.mark, 'follow'), readMarks(command.mark, 'follow')];
  errors.on('data', (chunk: Buffer) => {
    stderr = (stderr + ownErrors.add(chunk).toString('utf8')).slice(-stderrLimit);
  });
  errors.on('error', () => {});
  // Reading ends at once, before the command ends.
  const onAbort = (): void => void stdout.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    yield* linesOf(ownOf(stdout, own));
    const result = await subprocess;
    if (own.ended !== undefined) return { kind: 'exited', exitCode: own.ended, stderr };
    const exitCode =
      result.exitCode ?? (result.signal === undefined ? undefined : 128 + constants.signals[result.signal]);
    if (exitCode === undefined) {
      return { kind: 'not-started', message: result.originalMessage ?? 'not started' };
    }
    if (own.started !== undefined) return { kind: 'lost', why: `its shell ended with exit ${exitCode}` };
    const said = [ownErrors.stray, own.stray].map((text) => text.trim()).filter(Boolean);
    return { kind: 'not-run', exitCode, why: said.join('\n') };
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await end(subprocess);
  }
};

/** The bytes of a stream between its marks. */
export async function* ownOf(
  stream: AsyncIterable<unknown>,
  marks: MarkReader,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of stream) {
    const own = marks.add(chunk as Buffer);
    if (own.length > 0) yield own;
    if (marks.ended !== undefined) return;
  }
}

/** The lines of a stream. */
export async function* linesOf(stream: AsyncIterable<unknown>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    rest += decoder.decode(chunk as Uint8Array, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > lineLimit) {
      yield rest;
      rest = '';
    }
  }
  if (rest !== '') yield rest;
}

/** Closes the standard input and waits up to `endWithinMs` for the end, then kills the command. */
async function end(subprocess: Ending): Promise<void> {
  subprocess.stdin.end();
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    subprocess.kill();
    resolve();
  }, endWithinMs);
  await Promise.race([subprocess, late]);
  clearTimeout(timer);
  // A descendant in another session may hold the streams open; they must not keep this process alive.
  subprocess.stdout.destroy();
  subprocess.stderr.destroy();
}

/** The parts of a subprocess that are needed to end it. */
interface Ending extends PromiseLike<unknown> {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  kill(): unknown;
}
