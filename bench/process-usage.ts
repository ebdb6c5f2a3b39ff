import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { monoMs } from './mono.ts';

/** CPU time and memory of a process, from /proc (proc_pid_stat(5), proc_pid_status(5)). */
export interface ProcessUsage {
  readonly atMs: number;
  /** User and system time of all threads, ms, in steps of a clock tick. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly maxRssBytes: number;
}

const tickMs = 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Reads the present usage. @throws if there is no such process */
export function processUsage(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name may contain spaces and parentheses; it ends with the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
  return {
    atMs: monoMs(),
    cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
    rssBytes: kib('VmRSS') * 1024,
    maxRssBytes: kib('VmHWM') * 1024,
  };
}

/** Share of a core between two readings. */
export function cpuShare(from: ProcessUsage, to: ProcessUsage): number {
  return (to.cpuMs - from.cpuMs) / (to.atMs - from.atMs);
}
