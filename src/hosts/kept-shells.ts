import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { shellCommand } from '../core/shell-quote.ts';
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
  readonly onText: (stream: 'stdout' | 'stderr', text: string) => void;
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
  for (const [name, stream] of Object.entries({ stdout, stderr }) as ['stdout' | 'stderr', typeof stdout][]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => reader?.onText(name, text));
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
  const mark = randomUUID();
  const out = untilMark(new RegExp(`\n${mark} (\\d+)\n$`));
  const errors = untilMark(new RegExp(`\n${mark}()\n$`));
  const cut = (outcome: ShellOutcome): void => {
    onCut();
    resolve(outcome);
  };
  const timer = setTimeout(() => cut({ kind: 'timed-out' }), command.timeoutMs);
  const onAbort = (): void => cut({ kind: 'aborted' });
  command.signal.addEventListener('abort', onAbort, { once: true });
  shell.give(scriptOf(command.argv, mark), {
    onText: (stream, text) => {
      (stream === 'stdout' ? out : errors).add(text);
      const code = out.marked();
      if (code !== undefined && errors.marked() !== undefined) {
        onFree();
        resolve({ kind: 'exited', exitCode: Number(code), stdout: out.text(), stderr: errors.text() });
      } else if (out.length() > limit || errors.length() > limit) {
        const output = { stdout: out.text().slice(0, limit), stderr: errors.text().slice(0, limit) };
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

/**
 * The command in a subshell, for the shell's own state to stay as it is, by `exec`, for programs and not the shell's
 * builtins; then a mark on each stream, which no output can foresee.
 */
function scriptOf(argv: readonly string[], mark: string): string {
  const run = `( exec ${shellCommand(argv)} ) </dev/null`;
  const told = String.raw`printf '\n%s %d\n' ${mark} "$?"; printf '\n%s\n' ${mark} >&2`;
  return `${run}; ${told}\n`;
}

/** Text that comes in pieces, up to a mark at its end. */
function untilMark(mark: RegExp): {
  add(piece: string): void;
  /** What the mark says, once it is there. */
  marked(): string | undefined;
  /** What came before the mark. */
  text(): string;
  /** Its length so far. */
  length(): number;
} {
  /** A mark and its exit code, with room to spare. */
  const longest = 64;
  const pieces: string[] = [];
  let length = 0;
  // Looking at the end of all that came would copy it once for each piece.
  let end = '';
  let found: string | undefined;
  return {
    add: (piece) => {
      if (found !== undefined) return;
      pieces.push(piece);
      length += piece.length;
      end = `${end}${piece}`.slice(-longest);
      const match = mark.exec(end);
      if (match === null) return;
      found = match[1];
      length -= match[0].length;
    },
    marked: () => found,
    text: () => pieces.join('').slice(0, length),
    length: () => length,
  };
}
