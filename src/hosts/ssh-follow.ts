import { PassThrough } from 'node:stream';
import { messageOf } from '../core/errors.ts';
import type { FollowEnd } from '../core/host.ts';
import { anyShellCommand, shellCommand } from '../core/shell-quote.ts';
import { endWithinMs, followedBy, linesOf, stderrLimit } from './follow-command.ts';
import { asRoot, type ChannelCommand } from './ssh-command.ts';
import type { SshConnection } from './ssh-connection.ts';

/** How following over SSH ended, other than by the consumer's will. */
export type ChannelFollowOutcome =
  | ({ readonly kind: 'exited' } & FollowEnd)
  | { readonly kind: 'aborted' }
  | { readonly kind: 'lost'; readonly why: string };

/**
 * Follows a command on a channel of its own. It is held by its standard input: the channel's end, and the connection's as
 * soon as sshd knows of it, end the command.
 */
export async function* followOnChannel(
  connection: SshConnection,
  { argv, sudo, signal }: Pick<ChannelCommand, 'argv' | 'sudo' | 'signal'>,
): AsyncGenerator<string, ChannelFollowOutcome, void> {
  if (signal.aborted) return { kind: 'aborted' };
  const held = followedBy(argv);
  const line = anyShellCommand(`exec ${shellCommand(sudo ? asRoot(held) : held)}`);
  let broken: string | undefined;
  const opened = await connection.exec(line).catch((error: unknown) => messageOf(error));
  if (typeof opened === 'string') return { kind: 'lost', why: opened };
  const { channel, exited, closed } = opened;
  let exitCode: number | undefined;
  let stderr = '';
  void exited.then((code) => void (exitCode = code));
  channel.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-stderrLimit);
  });
  // A channel cannot be given up at once; what is read from can.
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
    yield* linesOf(source);
    await Promise.race([closed, connection.lost]);
    if (exitCode !== undefined) return { kind: 'exited', exitCode, stderr };
    return { kind: 'lost', why: broken ?? 'its channel was closed without an exit' };
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    if (broken !== undefined) return { kind: 'lost', why: broken };
    throw error;
  } finally {
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
