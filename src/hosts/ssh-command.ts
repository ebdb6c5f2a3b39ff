import type { Readable } from 'node:stream';
import { anyShellCommand, shellCommand } from '../core/shell-quote.ts';
import { defaultMaxOutputBytes, type Outcome } from './run-command.ts';
import type { Running, SshConnection } from './ssh-connection.ts';

/** A command on a connection. The signal's reason tells a time-out from an abort. */
export interface ChannelCommand {
  readonly argv: readonly string[];
  /** As root, by sudo. */
  readonly sudo: boolean;
  readonly signal: AbortSignal;
  readonly input?: string | undefined;
  readonly maxOutputBytes?: number | undefined;
}

/** How a command ended over there, or that it is not known. */
export type ChannelOutcome =
  | Extract<Outcome, { kind: 'exited' | 'overflow' }>
  /** The signal aborted. */
  | { readonly kind: 'cut' }
  /** The connection broke: the command may have run, and may still. */
  | { readonly kind: 'lost'; readonly why: string }
  /** sudo did not run it. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The server opened no channel: nothing was run. */
  | { readonly kind: 'full'; readonly why: string };

/** A command, and whom to end where it was cut short and may still be running. */
export interface ChannelEnd {
  readonly outcome: ChannelOutcome;
  /** Leader of the command's process group on the host, as soon as it is known; undefined where it ended, or was never heard of. */
  readonly leftBehind?: Promise<number | undefined>;
}

/** What a descendant that still holds the output may add after the command's exit: sshd closes the channel only when it is done, too. */
const quietAfterExitMs = 1000;

/** How long a command that was cut short before it began is waited for, to be ended. */
const leaderWithinMs = 5000;

/** Runs a command on a channel of its own. Never rejects. */
export async function runOnChannel(connection: SshConnection, command: ChannelCommand): Promise<ChannelEnd> {
  const running = await start(connection, command);
  if ('outcome' in running) return running;
  const { channel, exited, closed } = running;
  const { promise, resolve } = Promise.withResolvers<ChannelOutcome>();
  const limit = command.maxOutputBytes ?? defaultMaxOutputBytes;
  let exitCode: number | undefined;
  let quiet: NodeJS.Timeout | undefined;
  const finish = (): void => {
    if (exitCode === undefined)
      return resolve({ kind: 'lost', why: 'its channel was closed without an exit' });
    const stderr = errors.text();
    if (command.sudo && !pidLine.test(stderr)) return resolve({ kind: 'refused', why: stderr.trim() });
    resolve({ kind: 'exited', exitCode, stdout: out.text(), stderr: stderr.replace(pidLine, '') });
  };
  const wait = (): void => {
    if (exitCode === undefined) return;
    clearTimeout(quiet);
    quiet = setTimeout(finish, quietAfterExitMs);
  };
  const tooMuch = (): void => {
    if (command.maxOutputBytes === undefined) return resolve({ kind: 'overflow', limitBytes: limit });
    const [stdout, stderr] = [out.text(), errors.text().replace(pidLine, '')];
    resolve({ kind: 'exited', exitCode: 0, stdout, stderr, truncated: true });
  };
  const out = collect(channel, limit, wait, tooMuch);
  const errors = collect(channel.stderr, limit + pidLineBytes, wait, tooMuch);
  const onExit = (code: number): void => {
    exitCode = code;
    wait();
  };
  void exited.then(onExit);
  void closed.then(finish);
  // A command may take the connection along, as a reboot does: its exit stands.
  void connection.lost.then((why) => (exitCode === undefined ? resolve({ kind: 'lost', why }) : finish()));
  const onAbort = (): void => resolve({ kind: 'cut' });
  if (command.signal.aborted) onAbort();
  command.signal.addEventListener('abort', onAbort, { once: true });
  channel.end(command.input);
  const outcome = await promise;
  clearTimeout(quiet);
  command.signal.removeEventListener('abort', onAbort);
  if (exitCode !== undefined || outcome.kind === 'lost') {
    channel.close();
    return { outcome };
  }
  return { outcome, leftBehind: leaderOf(running, errors.text()) };
}

/** Gives up a channel whose command goes on: sshd ends nothing when a channel is closed, and obeys few when they ask for a signal. */
async function leaderOf({ channel, closed }: Running, heard: string): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, leaderWithinMs);
  let text = heard;
  const look = (chunk: Buffer): void => {
    text += chunk.toString('latin1');
    if (pidLine.test(text)) resolve();
  };
  channel.stderr.on('data', look);
  void closed.then(resolve);
  channel.resume();
  look(Buffer.alloc(0));
  await promise;
  clearTimeout(timer);
  channel.stderr.off('data', look);
  channel.close();
  const leader = pidLine.exec(text)?.[1];
  return leader === undefined ? undefined : Number(leader);
}

/** The command line of a command: the process says the number of its group first, on standard error, and becomes the command. */
function commandLine({ argv, sudo }: ChannelCommand): string {
  const command = `exec ${shellCommand(argv)}`;
  if (!sudo) return anyShellCommand(`echo "firedrill $$" >&2; ${command}`);
  // sudo is the leader of the group then, or whoever it is that sudo has in between.
  const script = `read -r _ _ _ _ group _ </proc/$$/stat; echo "firedrill $group" >&2; ${command}`;
  return anyShellCommand(`exec ${shellCommand(asRoot(['/bin/sh', '-c', script]))}`);
}

/** The argv that runs an argv as root, or ends at once where a password would be asked for. */
export function asRoot(argv: readonly string[]): string[] {
  return ['sudo', '-n', '--', ...argv];
}

const pidLine = /^firedrill (\d+)\n/m;
/** More than it can have. */
const pidLineBytes = 64;

/** Opens the channel and has the command started, unless the signal aborts before; the command is then cut short, too. */
async function start(connection: SshConnection, command: ChannelCommand): Promise<Running | ChannelEnd> {
  const { signal } = command;
  const opening = connection.exec(commandLine(command));
  const { promise: cut, resolve } = Promise.withResolvers<'cut'>();
  const onAbort = (): void => resolve('cut');
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const opened = await Promise.race([opening, cut, connection.lost]);
    if (typeof opened !== 'string') return opened;
    if (opened !== 'cut') return { outcome: { kind: 'lost', why: opened } };
    const leftBehind = opening.then(
      (running) => leaderOf(running, ''),
      () => undefined,
    );
    return { outcome: { kind: 'cut' }, leftBehind };
  } catch (error) {
    const { message, reason } = error as Error & { reason?: unknown };
    // Only a channel that was refused has a reason; anything else may have come after the command was sent.
    return { outcome: { kind: reason === undefined ? 'lost' : 'full', why: message } };
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Gathers a stream, up to a number of bytes. */
function collect(
  stream: Readable,
  limitBytes: number,
  onData: () => void,
  onLimit: () => void,
): { text(): string } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    const room = limitBytes - bytes;
    if (room > 0) chunks.push(chunk.subarray(0, room));
    bytes += chunk.length;
    onData();
    if (bytes > limitBytes) onLimit();
  });
  return { text: () => Buffer.concat(chunks).toString('utf8') };
}
