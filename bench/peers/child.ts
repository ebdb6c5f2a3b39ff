import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { monoMs } from '../mono.ts';

/** A line of a program's output, and the time of `monoMs` at which it came. */
export interface StampedLine {
  readonly atMs: number;
  readonly text: string;
}

/** A running program. */
export interface PeerChild {
  /** Start time, on the clock of `monoMs`. */
  readonly startedMs: number;
  /** Sends SIGTERM, and SIGKILL after 5 s. Resolves with all lines. */
  stop(): Promise<readonly StampedLine[]>;
  /** Resolves when it has ended. Sends SIGKILL after `withinMs`. */
  ended(withinMs: number): Promise<readonly StampedLine[]>;
}

/** Starts a program and records its standard output. */
export function startChild(argv: readonly string[], env: Readonly<Record<string, string>>): PeerChild {
  const [file = '', ...args] = argv;
  const startedMs = monoMs();
  // In this session, so that it has the prober's priority. Its own children (a `sleep 1`) may end a little later.
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } });
  const lines: StampedLine[] = [];
  createInterface({ input: child.stdout }).on('line', (text) => lines.push({ atMs: monoMs(), text }));
  const closed = once(child, 'close').catch(() => {});
  const ended = async (withinMs: number): Promise<readonly StampedLine[]> => {
    const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
    await closed;
    clearTimeout(timer);
    return lines;
  };
  return {
    startedMs,
    stop: () => {
      child.kill('SIGTERM');
      return ended(5000);
    },
    ended,
  };
}
