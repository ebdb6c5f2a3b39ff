import type { Socket } from 'node:net';
import { environmentScript, keptScript, newMark, readMarks } from './command-marks.ts';
import { defaultMaxOutputBytes, type Command, type Outcome } from './run-command.ts';
import { startPiped } from './start-piped.ts';

/** How a command in a kept shell ended. `lost`: the shell did, or could not be started; what it did is not known. */
export type ShellOutcome = Exclude<Outcome, { kind: 'not-started' }> | { readonly kind: 'lost' };

/** Runs commands in shells that stay open. */
export type ShellRunner = (command: Command) => Promise<ShellOutcome>;

/** A shell that had nothing to do for so long is closed. */
const idleMs = 20_000;
/** A shell whose command was cut short is given so long to end it. */
const lingerMs = 10_000;
/** So many shells at most, where some of them are at commands that were cut short. */
const mostShells = 8;

/**
 * Runs commands in POSIX shells that are started once, by `start`, and read from their standard input. Starting a
 * process from outside of a container costs its machine some ten times what the process itself does (`docker exec`:
 * three programs and a set of namespaces), which probes that look every half second would load the system with that they
 * measure.
 *
 * A shell runs one command at a time; more of them are started as they are needed. One whose command is cut short stays
 * until that has ended, and is used again then: a host that is merely slow is not asked for a new shell each time, which
 * would make it slower. It is given up after a while, or for a new one where there are many. Commands get no input, and
 * must leave nothing behind that writes to their output.
 */
export function keepShells(start: readonly string[]): ShellRunner {
  const idle = new Set<Shell>();
  /** At a command that was cut short, the oldest first. */
  const lingering = new Set<Shell>();
  const open = new Set<Shell>();
  const forget = (shell: Shell): void => {
    for (const set of [idle, lingering, open]) set.delete(shell);
  };
  const openOne = (): Shell => {
    const [oldest] = lingering;
    if (open.size >= mostShells) oldest?.drop();
    const shell = openShell(start, forget);
    open.add(shell);
    return shell;
  };
  return async (command) => {
    if (command.signal.aborted) return { kind: 'aborted' };
    const [known] = idle;
    if (known !== undefined) idle.delete(known);
    const shell = known ?? openOne();
    /** Set while this command is cut short and at work: a later one has its own time. */
    let linger: NodeJS.Timeout | undefined;
    return runIn(shell, command, {
      onCut: () => {
        lingering.add(shell);
        linger = setTimeout(() => lingering.has(shell) && shell.drop(), lingerMs).unref();
      },
      onFree: () => {
        clearTimeout(linger);
        lingering.delete(shell);
        if (!shell.isOpen()) return;
        idle.add(shell);
        shell.closeIn(idleMs);
      },
    });
  };
}

/** What becomes of the shell of a command. */
interface ShellUse {
  /** The command was cut short, and may still be at work. */
  readonly onCut: () => void;
  /** The command has ended: the shell can take another. */
  readonly onFree: () => void;
}

/** A shell at the other end of three pipes. */
interface Shell {
  readonly isOpen: () => boolean;
  /** Runs a script, and gives what it writes on both streams, as it comes, and the shell's end to `reader`. */
  readonly give: (script: string, reader: Reader) => void;
  /** Closes it, unless it is given something before. */
  readonly closeIn: (ms: number) => void;
  /** Ends it now, without waiting for what it does. */
  readonly drop: () => void;
}

interface Reader {
  readonly onBytes: (stream: 'stdout' | 'stderr', piece: Buffer) => void;
  readonly onEnd: () => void;
}

function openShell(start: readonly string[], onEnd: (shell: Shell) => void): Shell {
  const subprocess = startPiped(start);
  const { stdin, stdout, stderr } = subprocess;
  let reader: Reader | undefined;
  let open = true;
  let timer: NodeJS.Timeout | undefined;
  const ended = (): void => {
    if (!open) return;
    open = false;
    clearTimeout(timer);
    onEnd(shell);
    reader?.onEnd();
  };
  // It may be gone before it has read what it is given.
  stdin.on('error', ended);
  stdin.write(`${environmentScript}\n`);
  for (const [name, stream] of Object.entries({ stdout, stderr }) as ['stdout' | 'stderr', typeof stdout][]) {
    stream.on('data', (piece: Buffer) => reader?.onBytes(name, piece));
    stream.on('error', ended);
    stream.on('end', ended);
  }
  void subprocess.then(ended, ended);
  // A shell without a command keeps nobody waiting: it ends when its standard input does.
  subprocess.nodeChildProcess.unref();
  for (const stream of [stdin, stdout, stderr]) (stream as unknown as Socket).unref();

  const shell: Shell = {
    isOpen: () => open,
    give: (script, next) => {
      clearTimeout(timer);
      reader = next;
      if (open) stdin.write(script);
      else next.onEnd();
    },
    closeIn: (ms) => {
      reader = undefined;
      clearTimeout(timer);
      timer = setTimeout(() => {
        onEnd(shell);
        stdin.end();
      }, ms).unref();
    },
    drop: () => {
      ended();
      subprocess.kill();
      stdout.destroy();
      stderr.destroy();
    },
  };
  return shell;
}

async function runIn(shell: Shell, command: Command, { onCut, onFree }: ShellUse): Promise<ShellOutcome> {
  const { promise, resolve } = Promise.withResolvers<ShellOutcome>();
  const limit = command.maxOutputBytes ?? defaultMaxOutputBytes;
  const mark = newMark();
  const streams = { stdout: ownText(), stderr: ownText() };
  const { stdout: out, stderr: errors } = streams;
  function ownText() {
    const marks = readMarks(mark, 'run');
    const pieces: Buffer[] = [];
    let bytes = 0;
    return {
      marks,
      add: (piece: Buffer) => {
        const own = marks.add(piece);
        bytes += own.length;
        if (bytes - own.length <= limit) pieces.push(own);
      },
      isTooMuch: () => bytes > limit,
      text: (end?: number) => Buffer.concat(pieces).subarray(0, end).toString('utf8'),
    };
  }
  const cut = (outcome: ShellOutcome): void => {
    onCut();
    resolve(outcome);
  };
  const timer = setTimeout(() => cut({ kind: 'timed-out' }), command.timeoutMs);
  const onAbort = (): void => cut({ kind: 'aborted' });
  command.signal.addEventListener('abort', onAbort, { once: true });
  shell.give(keptScript(command.argv, mark), {
    onBytes: (stream, piece) => {
      streams[stream].add(piece);
      const { ended } = out.marks;
      if (ended !== undefined && errors.marks.ended !== undefined) {
        onFree();
        resolve({ kind: 'exited', exitCode: ended, stdout: out.text(), stderr: errors.text() });
      } else if (out.isTooMuch() || errors.isTooMuch()) {
        const output = { stdout: out.text(limit), stderr: errors.text(limit) };
        resolve(
          command.maxOutputBytes === undefined
            ? { kind: 'overflow', limitBytes: limit }
            : { kind: 'exited', exitCode: 0, ...output, truncated: true },
        );
        shell.drop();
      }
    },
    onEnd: () => resolve({ kind: 'lost' }),
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    command.signal.removeEventListener('abort', onAbort);
  }
}
