import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { DurationMs } from '../core/time.ts';
import { cpuMsOf } from './proc-stat.ts';
import { readPressureLine, type MachineReading } from './pressure-reading.ts';

/** The machine that runs firedrill. */
export interface LocalMachine {
  /** The kernel's boot id; undefined on systems other than Linux. */
  readonly bootId: string | undefined;
  readonly cores: number;
  /** null if the counters cannot be read. */
  read(): MachineReading | null;
  /** CPU time of firedrill and its child processes so far, ms; null if it cannot be read. */
  ownCpuMs(): DurationMs | null;
}

/** Reads /proc: a few small files per call, about 0.2 ms. */
export function localMachine(read: (path: string) => string = readText): LocalMachine {
  const first = (path: string): string => attempt(() => read(path).split('\n')[0] ?? '') ?? '';
  const stall = (kind: string): string => {
    const text = attempt(() => read(`/proc/pressure/${kind}`)) ?? '';
    const of = (word: string): string => new RegExp(`^${word} .*total=(\\d+)`, 'm').exec(text)?.[1] ?? '-';
    return `${of('some')} ${of('full')}`;
  };
  const bootId = first('/proc/sys/kernel/random/boot_id').trim();
  return {
    bootId: bootId === '' ? undefined : bootId,
    cores: Math.max(1, cpus().length),
    read: () => {
      const [up = '-'] = first('/proc/uptime').split(' ');
      const stat = first('/proc/stat').trim().split(/\s+/).slice(1, 9);
      const ticks = stat.length === 8 ? stat : Array.from({ length: 8 }, () => '-');
      const running = /(\d+)\/\d+/.exec(first('/proc/loadavg'))?.[1] ?? '-';
      const stalls = ['cpu', 'memory', 'io'].map(stall);
      return readPressureLine(['at', up, '-', ...stalls, ...ticks, running].join(' '))?.machine ?? null;
    },
    ownCpuMs: () => {
      const own = cpuMsOf(first('/proc/self/stat'), 'all');
      if (own === null) return null;
      // The process's own figure contains only children that have ended.
      const children = first(`/proc/self/task/${process.pid}/children`).trim().split(' ').filter(Boolean);
      return children.reduce((sum, pid) => sum + (cpuMsOf(first(`/proc/${pid}/stat`), 'all') ?? 0), own);
    },
  };
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    // Not available on this system, or not permitted.
    return undefined;
  }
}
