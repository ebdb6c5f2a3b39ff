import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { monoMs } from '../mono.ts';

/** A line that a program wrote and the moment of `monoMs` at which it came. */
export interface StampedLine {
  readonly atMs: number;
  readonly text: string;
}

/** A program at work. */
export interface PeerChild {
  /** When it was started. */
  readonly startedMs: number;
  /** Asks it to end and gives it 5 s; resolves with all its lines. */
  stop(): Promise<readonly StampedLine[]>;
  /** Resolves when it has ended by itself, or has been ended after `withinMs`. */
  ended(withinMs: number): Promise<readonly StampedLine[]>;
}

/** Starts a program; its standard output is kept. */
export function startChild(argv: readonly string[], env: Readonly<Record<string, string>>): PeerChild {
  const [file = '', ...args] = argv;
  const startedMs = monoMs();
  // In this session: it has the priority that the prober has. What it has started when it ends (a `sleep 1`) ends soon.
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
