import { PassThrough } from 'node:stream';
import { messageOf } from '../core/errors.ts';
import type { FollowEnd } from '../core/host.ts';
import { newMark, readMarks } from './command-marks.ts';
import { endWithinMs, linesOf, ownOf, stderrLimit } from './follow-command.ts';
import { markedLine, notRun, strayOf, type ChannelCommand, type NotRun } from './ssh-command.ts';
import type { SshConnection } from './ssh-connection.ts';

/** How following over SSH ended, unless the consumer ended it. */
export type ChannelFollowOutcome =
  | ({ readonly kind: 'exited' } & FollowEnd)
  | { readonly kind: 'aborted' }
  | { readonly kind: 'lost'; readonly why: string }
  | NotRun;

/** A command to follow, and the listener for stray text around its output. */
interface FollowedChannel extends Pick<ChannelCommand, 'argv' | 'sudo' | 'signal'> {
  readonly onStray: (text: string) => void;
}

/**
 * Follows a command on its own channel. The command ends when its standard input is closed: at the end of the channel, or
 * when sshd notices that the connection is lost.
 */
export async function* followOnChannel(
  connection: SshConnection,
  { argv, sudo, signal, onStray }: FollowedChannel,
): AsyncGenerator<string, ChannelFollowOutcome, void> {
  if (signal.aborted) return { kind: 'aborted' };
  const mark = newMark();
  const [out, errors] = [readMarks(mark, 'follow'), readMarks(mark, 'follow')];
  const opened = await connection
    .exec(markedLine({ argv, sudo }, mark, 'follow'))
    .catch((error: unknown) => messageOf(error));
  if (typeof opened === 'string') return { kind: 'lost', why: opened };
  const { channel, exited, closed } = opened;
  const { promise: reported, resolve: onReported } = Promise.withResolvers<void>();
  let broken: string | undefined;
  let exitCode: number | undefined;
  let stderr = '';
  void exited.then((code) => void (exitCode = code));
  channel.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + errors.add(chunk).toString('utf8')).slice(-stderrLimit);
    if (errors.ended !== undefined) onReported();
  });
  // A channel cannot be abandoned at once, but the stream that it is piped to can.
  const source = channel.pipe(new PassThrough());
  const stop = (): void => void source.destroy();
  signal.addEventListener('abort', stop, { once: true });
  const onLost = (why: string): void => {
    broken = why;
    stop();
  };
  void connection.lost.then(onLost);
  try {
    if (signal.aborted) stop();
    yield* linesOf(ownOf(source, out));
    await Promise.race([out.ended === undefined ? closed : reported, closed, connection.lost]);
    if (out.ended !== undefined) return { kind: 'exited', exitCode: out.ended, stderr };
    if (broken !== undefined) return { kind: 'lost', why: broken };
    if (exitCode === undefined) return { kind: 'lost', why: 'its channel closed without an exit code' };
    if (out.started === undefined) return notRun(out, errors, exitCode, sudo);
    return { kind: 'lost', why: 'its channel closed before the command reported its end' };
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    if (broken !== undefined) return { kind: 'lost', why: broken };
    throw error;
  } finally {
    onStray(strayOf(out, errors));
    signal.removeEventListener('abort', stop);
    channel.unpipe(source);
    channel.resume();
    channel.end();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, endWithinMs);
    await Promise.race([closed, late, connection.lost]);
    clearTimeout(timer);
    channel.close();
  }
}
