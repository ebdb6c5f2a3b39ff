import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { FollowEnd } from '../core/host.ts';
import { startPiped } from './start-piped.ts';

/** A long-running command, wrapped by `followedBy`, and how to run it here. */
export interface FollowedCommand {
  readonly argv: readonly string[];
  readonly signal: AbortSignal;
}

/** How following ended, other than by the consumer's will. Nothing that can be expected is thrown. */
export type FollowOutcome =
  | ({ readonly kind: 'exited' } & FollowEnd)
  | { readonly kind: 'not-started'; readonly message: string }
  | { readonly kind: 'aborted' };

/** Follows a command; hosts take it as a parameter so that tests can look at what they would run. */
export type CommandFollower = (command: FollowedCommand) => AsyncGenerator<string, FollowOutcome, void>;

/**
 * Runs the command for as long as somebody holds the shell's standard input. Whoever follows holds it; when he stops or
 * dies, it is closed all the way down (`docker exec -i` closes it when its client goes, sshd when the connection does),
 * and the command is ended: first asked, then killed. A signal would end the client alone and leave the command behind.
 */
const script = `
exec 3<&0 </dev/null
"$@" 3<&- & child=$!
{ while read -r line; do :; done <&3; kill "$child"; sleep 1; kill -9 "$child"; } >/dev/null 2>&1 & guard=$!
wait "$child"; code=$?
kill "$guard" 2>/dev/null
exit "$code"`;

/** The command line that runs `argv` for as long as its standard input is open. */
export function followedBy(argv: readonly string[]): string[] {
  return ['sh', '-c', script, 'follow', ...argv];
}

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
  errors.setEncoding('utf8');
  errors.on('data', (text: string) => void (stderr = (stderr + text).slice(-stderrLimit)));
  errors.on('error', () => {});
  // Reading ends at once, whatever becomes of the command.
  const onAbort = (): void => void stdout.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    yield* linesOf(stdout);
    const result = await subprocess;
    if (result.exitCode !== undefined) return { kind: 'exited', exitCode: result.exitCode, stderr };
    if (result.signal !== undefined) {
      return { kind: 'exited', exitCode: 128 + constants.signals[result.signal], stderr };
    }
    return { kind: 'not-started', message: result.originalMessage ?? 'not started' };
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await end(subprocess);
  }
};

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
