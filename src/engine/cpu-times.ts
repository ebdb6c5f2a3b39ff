import { readFileSync } from 'node:fs';
import type { DurationMs } from '../core/time.ts';
import type { CpuTimes } from './harness-cost.ts';
import { cpuMsOf } from './proc-stat.ts';

/** CPU times of this process and of its ended child processes, from the operating system. */
export function readCpuTimes(): CpuTimes {
  const { user, system } = process.cpuUsage();
  return { ownMs: (user + system) / 1000, childrenMs: childrenMs() };
}

function childrenMs(): DurationMs | undefined {
  try {
    return cpuMsOf(readFileSync('/proc/self/stat', 'utf8'), 'children') ?? undefined;
  } catch {
    return undefined;
  }
}
