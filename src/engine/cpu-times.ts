import { readFileSync } from 'node:fs';
import type { CpuTimes } from './harness-cost.ts';

/** USER_HZ of proc(5): a tick of /proc, on all architectures that Node runs on. */
const ticksPerSecond = 100;
/** Places of cutime and cstime behind the command's name in /proc/PID/stat. */
const childrenFields = [13, 14] as const;

/** CPU times of this process and of its ended children, read from the system. */
export function readCpuTimes(): CpuTimes {
  const { user, system } = process.cpuUsage();
  return { ownMs: (user + system) / 1000, childrenMs: childrenMs() };
}

function childrenMs(): number | undefined {
  try {
    // The name may hold anything, also a parenthesis; what follows the last one does not.
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const ticks = childrenFields.reduce((sum, at) => sum + Number(fields[at]), 0);
    return Number.isFinite(ticks) ? (ticks * 1000) / ticksPerSecond : undefined;
  } catch {
    return undefined;
  }
}
