import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ of proc(5). */
const tickMs = 10;

/** The numbers after the name in /proc/PID/stat. */
function statOf(pid: number | string): readonly number[] {
  return (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').split(' ').map(Number);
}

/**
 * CPU time of a process and its living children, including the processes that they have reaped, ms. `others`: children that are
 * not counted.
 */
export function treeCpuMs(pid: number, others: readonly number[] = []): number {
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = statOf(name);
      // The second number after the name is the parent's pid.
      const isRoot = Number(name) === pid;
      if ((!isRoot && fields[1] !== pid) || others.includes(Number(name))) continue;
      // The 12th and 13th number after the name are the process's own times; the next two are those of reaped children.
      ticks += fields.slice(11, 15).reduce((sum, time) => sum + time, 0);
    } catch {
      // The process has just ended.
    }
  }
  return ticks * tickMs;
}

/** The last assigned pid. In a PID namespace, each new process and thread gets the next number. */
export function lastPid(): number {
  return Number(readFileSync('/proc/sys/kernel/ns_last_pid', 'utf8'));
}
