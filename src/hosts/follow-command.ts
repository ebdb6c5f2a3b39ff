import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { FollowEnd } from '../core/host.ts';
import { readMarks, type Mark, type MarkReader } from './command-marks.ts';
import { startPiped } from './start-piped.ts';

/** A long-running command that `markedArgv` wrapped to be followed, and how to run it here. */
export interface FollowedCommand {
  readonly argv: readonly string[];
  readonly mark: Mark;
  readonly signal: AbortSignal;
}

/** How following ended, other than by the consumer's will. Nothing that can be expected is thrown. */
export type FollowOutcome =
  | ({ readonly kind: 'exited' } & FollowEnd)
  | { readonly kind: 'not-started'; readonly message: string }
  /** What was to start it ended, and had not started it: its exit and its words. */
  | { readonly kind: 'not-run'; readonly exitCode: number; readonly why: string }
  /** It was started, and its end was not told. */
  | { readonly kind: 'lost'; readonly why: string }
  | { readonly kind: 'aborted' };

/** Follows a command; hosts take it as a parameter so that tests can look at what they would run. */
export type CommandFollower = (command: FollowedCommand) => AsyncGenerator<string, FollowOutcome, void>;

/** What the wrapper needs to end its command, and a little more. */
export const endWithinMs = 1500;
/** Of what it says on standard error, the last. */
export const stderrLimit = 2000;
/** Longest line; what is longer is cut in pieces. */
const lineLimit = 65_536;

/** Starts the command and gives its lines. See `Host.follow`. */
export const followCommand: CommandFollower = async function* (command) {
  const { signal } = command;
  if (signal.aborted) return { kind: 'aborted' };
  const subprocess = startPiped(command.argv);
  const { stdin, stdout, stderr: errors } = subprocess;
  // It may be gone before its standard input is closed.
  stdin.on('error', () => {});
  let stderr = '';
  const [own, ownErrors] = [readMarks(command.mark, 'follow'), readMarks(command.mark, 'follow')];
  errors.on('data', (chunk: Buffer) => {
    stderr = (stderr + ownErrors.add(chunk).toString('utf8')).slice(-stderrLimit);
  });
  errors.on('error', () => {});
  // Reading ends at once, whatever becomes of the command.
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

/** What of a stream is between its marks, as it comes. */
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

/** The lines of a stream, as they come. */
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

/** Closes its standard input and waits for its end, for a moment. */
async function end(subprocess: Ending): Promise<void> {
  subprocess.stdin.end();
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    subprocess.kill();
    resolve();
  }, endWithinMs);
  await Promise.race([subprocess, late]);
  clearTimeout(timer);
  // A descendant that escaped may hold them; they must not keep this process alive.
  subprocess.stdout.destroy();
  subprocess.stderr.destroy();
}

/** A subprocess as far as its end goes. */
interface Ending extends PromiseLike<unknown> {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  kill(): unknown;
}
