import type { Readable } from 'node:stream';
import { anyShellCommand, scattered } from '../core/shell-quote.ts';
import {
  arrivedScript,
  markedScript,
  newMark,
  readMarks,
  strayMostBytes,
  type Mark,
  type MarkReader,
  type MarkedShape,
} from './command-marks.ts';
import { defaultMaxOutputBytes, type Outcome } from './run-command.ts';
import type { Running, SshConnection } from './ssh-connection.ts';

/** A command on a connection. The signal's reason distinguishes a timeout from an abort. */
export interface ChannelCommand {
  readonly argv: readonly string[];
  /** Run as root, with sudo. */
  readonly sudo: boolean;
  readonly signal: AbortSignal;
  readonly input?: string | undefined;
  readonly maxOutputBytes?: number | undefined;
}

/** How a command on the host ended, if that is known. */
export type ChannelOutcome =
  | Extract<Outcome, { kind: 'exited' | 'overflow' }>
  /** The signal aborted. */
  | { readonly kind: 'cut' }
  /** The connection broke: the command may have run, and may still run. */
  | { readonly kind: 'lost'; readonly why: string }
  | NotRun
  /** The server opened no channel: nothing was run. */
  | { readonly kind: 'full'; readonly why: string };

/** The command was not run: its start mark is missing. */
export type NotRun =
  /** sudo did not run it. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The login did not run it: a forced command, or no login shell. */
  | { readonly kind: 'not-run'; readonly why: string };

/** The outcome of a command, and the process group to kill if the command was cut short and may still run. */
export interface ChannelEnd {
  readonly outcome: ChannelOutcome;
  /** Text around the command's output that is not part of it; may be empty. */
  readonly stray: string;
  /** Leader of the command's process group on the host, as soon as it is known. Undefined if the command never reported its start. */
  readonly leftBehind?: Promise<number | undefined>;
}

/** After the command's exit, output is read until it pauses for this time, ms. sshd keeps the channel open while a descendant holds the output. */
const quietAfterExitMs = 1000;

/** If a command is cut short before it reported its start, its process group is waited for this long, ms. */
const leaderWithinMs = 5000;

/** Runs a command on its own channel. Never rejects. */
export async function runOnChannel(connection: SshConnection, command: ChannelCommand): Promise<ChannelEnd> {
  const mark = newMark();
  const running = await start(connection, command, mark);
  if ('outcome' in running) return running;
  const { channel, exited, closed } = running;
  const { promise, resolve } = Promise.withResolvers<ChannelOutcome>();
  const limit = command.maxOutputBytes ?? defaultMaxOutputBytes;
  let exitCode: number | undefined;
  let quiet: NodeJS.Timeout | undefined;
  const finish = (): void => resolve(outcomeOf(out, errors, exitCode, command));
  const wait = (): void => {
    if (exitCode === undefined) return;
    clearTimeout(quiet);
    quiet = setTimeout(finish, quietAfterExitMs);
  };
  const tooMuch = (): void => {
    if ([out, errors].some(({ marks }) => marks.strayBytes > strayMostBytes)) {
      return resolve(notRun(out.marks, errors.marks, undefined, command.sudo));
    }
    if (command.maxOutputBytes === undefined) return resolve({ kind: 'overflow', limitBytes: limit });
    resolve({ kind: 'exited', exitCode: 0, stdout: out.text(), stderr: errors.text(), truncated: true });
  };
  const out = collect(channel, mark, limit, wait, tooMuch);
  const errors = collect(channel.stderr, mark, limit, wait, tooMuch);
  const onExit = (code: number): void => {
    exitCode = code;
    wait();
  };
  void exited.then(onExit);
  void closed.then(finish);
  // A command such as a reboot may close the connection. If its end mark has arrived, its outcome is known.
  void connection.lost.then((why) =>
    out.marks.ended === undefined || errors.marks.ended === undefined
      ? resolve({ kind: 'lost', why })
      : finish(),
  );
  const onAbort = (): void => resolve({ kind: 'cut' });
  if (command.signal.aborted) onAbort();
  command.signal.addEventListener('abort', onAbort, { once: true });
  channel.end(command.input);
  const outcome = await promise;
  clearTimeout(quiet);
  command.signal.removeEventListener('abort', onAbort);
  const stray = strayOf(out.marks, errors.marks);
  if (exitCode !== undefined || outcome.kind === 'lost') {
    channel.close();
    return { outcome, stray };
  }
  return { outcome, stray, leftBehind: leaderOf(running, errors.marks) };
}

/** The outcome of a command whose channel has ended. */
function outcomeOf(
  out: Collected,
  errors: Collected,
  exitCode: number | undefined,
  command: ChannelCommand,
): ChannelOutcome {
  const { ended } = out.marks;
  if (ended !== undefined && errors.marks.ended !== undefined) {
    return { kind: 'exited', exitCode: ended, stdout: out.text(), stderr: errors.text() };
  }
  const started = [out, errors].filter(({ marks }) => marks.started !== undefined);
  if (started.length === 2) {
    const exit = exitCode === undefined ? '' : ` (its shell exited with ${exitCode})`;
    return { kind: 'lost', why: `its channel closed before the command reported its end${exit}` };
  }
  if (exitCode === undefined) return { kind: 'lost', why: 'its channel closed without an exit code' };
  if (started.length === 0) return notRun(out.marks, errors.marks, exitCode, command.sudo);
  return {
    kind: 'lost',
    why: `the login shell does not pass on the command's ${started[0] === out ? 'standard error' : 'standard output'}`,
  };
}

/** Why the command was not run, and the text that came instead of its output. */
export function notRun(
  out: MarkReader,
  errors: MarkReader,
  exitCode: number | undefined,
  sudo: boolean,
): NotRun {
  if (sudo && errors.arrived) return { kind: 'refused', why: errors.sudoSaid.trim() || 'nothing' };
  const said = strayOf(out, errors);
  const exit = exitCode === undefined ? `it printed more than ${strayMostBytes} bytes` : `exit ${exitCode}`;
  return { kind: 'not-run', why: [exit, said].filter(Boolean).join(': ') };
}

/** Text on both streams that is not the command's own output. */
export function strayOf(out: MarkReader, errors: MarkReader): string {
  return [errors.stray, errors.sudoSaid, out.stray, out.sudoSaid]
    .map((text) => text.trim())
    .filter(Boolean)
    .join('\n');
}

/** Closes a channel whose command still runs, and returns its process group. sshd does not end the command of a closed channel, and ignores most signal requests. */
async function leaderOf({ channel, closed }: Running, errors: MarkReader): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, leaderWithinMs);
  // `runOnChannel` already passes the channel's data to this reader.
  const checkOutput = (): void => {
    if (errors.started !== undefined) resolve();
  };
  channel.stderr.on('data', checkOutput);
  void closed.then(resolve);
  channel.resume();
  checkOutput();
  await promise;
  clearTimeout(timer);
  channel.stderr.off('data', checkOutput);
  channel.close();
  return errors.started;
}

/** The command line of a command between marks, for any login shell. */
export function markedLine(
  { argv, sudo }: Pick<ChannelCommand, 'argv' | 'sudo'>,
  mark: Mark,
  shape: MarkedShape,
): string {
  const script = markedScript(argv, mark, shape);
  return sudo ? anyShellCommand(arrivedScript(asRoot, mark), scattered(script)) : anyShellCommand(script);
}

/** Runs a command as root, or fails at once if sudo requires a password. */
const asRoot = ['sudo', '-n', '--'] as const;

/** Opens the channel and starts the command. If the signal aborts before that, the command is cut short. */
async function start(
  connection: SshConnection,
  command: ChannelCommand,
  mark: Mark,
): Promise<Running | ChannelEnd> {
  const { signal } = command;
  const opening = connection.exec(markedLine(command, mark, 'run'));
  const { promise: cut, resolve } = Promise.withResolvers<'cut'>();
  const onAbort = (): void => resolve('cut');
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const opened = await Promise.race([opening, cut, connection.lost]);
    if (typeof opened !== 'string') return opened;
    if (opened !== 'cut') return { outcome: { kind: 'lost', why: opened }, stray: '' };
    const leftBehind = opening.then(
      (running) => {
        const errors = readMarks(mark, 'run');
        running.channel.stderr.on('data', (piece: Buffer) => errors.add(piece));
        return leaderOf(running, errors);
      },
      () => undefined,
    );
    return { outcome: { kind: 'cut' }, stray: '', leftBehind };
  } catch (error) {
    const { message, reason } = error as Error & { reason?: unknown };
    // Only a refused channel has a reason. Any other error may have occurred after the command was sent.
    return { outcome: { kind: reason === undefined ? 'lost' : 'full', why: message }, stray: '' };
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** One stream of a command: its own output, up to a limit. */
interface Collected {
  readonly marks: MarkReader;
  text(): string;
}

/** Collects a command's output on a stream, up to `limitBytes`. */
function collect(
  stream: Readable,
  mark: Mark,
  limitBytes: number,
  onData: () => void,
  onLimit: () => void,
): Collected {
  const chunks: Buffer[] = [];
  const marks = readMarks(mark, 'run');
  let bytes = 0;
  stream.on('data', (piece: Buffer) => {
    const own = marks.add(piece);
    const room = limitBytes - bytes;
    if (room > 0) chunks.push(own.subarray(0, room));
    bytes += own.length;
    onData();
    if (bytes > limitBytes || marks.strayBytes > strayMostBytes) onLimit();
  });
  return { marks, text: () => Buffer.concat(chunks).toString('utf8') };
}
