import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ of proc(5). */
const tickMs = 10;

/** The numbers of /proc/PID/stat behind the name. */
function statOf(pid: number | string): readonly number[] {
  return (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').split(' ').map(Number);
}

/**
 * CPU time of a process, of its children that live, and of what these and it have reaped, ms. `others`: children that do
 * not count.
 */
export function treeCpuMs(pid: number, others: readonly number[] = []): number {
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = statOf(name);
      // Its parent is the second number behind the name.
      const isRoot = Number(name) === pid;
      if ((!isRoot && fields[1] !== pid) || others.includes(Number(name))) continue;
      // Its own times are the twelfth and thirteenth number behind the name, those of what it reaped the next two.
      ticks += fields.slice(11, 15).reduce((sum, time) => sum + time, 0);
    } catch {
      // It ended while it was looked for.
    }
  }
  return ticks * tickMs;
}

/** The last process id that was given out here: in a namespace of process ids, each process and thread has the next one. */
export function lastPid(): number {
  return Number(readFileSync('/proc/sys/kernel/ns_last_pid', 'utf8'));
}
