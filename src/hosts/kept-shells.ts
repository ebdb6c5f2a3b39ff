import type { Socket } from 'node:net';
import type { DurationMs } from '../core/time.ts';
import { environmentScript, keptScript, newMark, readMarks } from './command-marks.ts';
import { defaultMaxOutputBytes, type Command, type Outcome } from './run-command.ts';
import { startPiped } from './start-piped.ts';

/** How a command in a kept shell ended. `lost`: the shell ended or could not be started, and the outcome is unknown. */
export type ShellOutcome = Exclude<Outcome, { kind: 'not-started' }> | { readonly kind: 'lost' };

/** Runs a command in a shell that stays open. */
export type ShellRunner = (command: Command) => Promise<ShellOutcome>;

/** An idle shell is closed after this time. */
const idleMs = 20_000;
/** If a command is cut short, its shell has this time to end it. */
const lingerMs = 10_000;
/** From this many open shells on, a new one replaces the oldest shell with a command that was cut short. */
const mostShells = 8;

/**
 * Runs commands in POSIX shells that `start` starts once, and that read scripts from their standard input. To start a process
 * from outside a container costs the machine about ten times as much as the process itself (`docker exec`: three programs
 * and a set of namespaces). Probes that run twice a second would load the system that they measure.
 *
 * A shell runs one command at a time, and more shells are started when they are needed. If a command is cut short, its shell
 * stays until the command has ended, and is then used again: a new shell each time would make a slow host slower. The shell
 * is dropped after `lingerMs`, or earlier if `mostShells` are open. Commands get no input, and must not leave a process
 * that writes to their output.
 */
export function keepShells(start: readonly string[]): ShellRunner {
  const idle = new Set<Shell>();
  /** Shells whose command was cut short and still runs, the oldest first. */
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
    /** Set while this command is cut short and still runs. */
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

/** Callbacks about the state of a command's shell. */
interface ShellUse {
  /** The command was cut short, and may still run. */
  readonly onCut: () => void;
  /** The command has ended: the shell can take another. */
  readonly onFree: () => void;
}

/** A shell behind three pipes. */
interface Shell {
  readonly isOpen: () => boolean;
  /** Runs a script. `reader` gets the bytes of both streams, and the shell's end. */
  readonly give: (script: string, reader: Reader) => void;
  /** Closes the shell after this time, unless `give` is called before. */
  readonly closeIn: (ms: DurationMs) => void;
  /** Kills the shell at once. */
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
  // The shell may end before it has read its script.
  stdin.on('error', ended);
  stdin.write(`${environmentScript}\n`);
  for (const [name, stream] of Object.entries({ stdout, stderr }) as ['stdout' | 'stderr', typeof stdout][]) {
    stream.on('data', (piece: Buffer) => reader?.onBytes(name, piece));
    stream.on('error', ended);
    stream.on('end', ended);
  }
  void subprocess.then(ended, ended);
  // An idle shell must not keep this process alive. It ends with its standard input.
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
