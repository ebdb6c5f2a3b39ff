import { readFileSync } from 'node:fs';
import { cpuPressure } from '../../src/lab/cpu-limits.ts';
import type { Conditions } from '../conditions.ts';
import type { ObserverResult } from './messages.ts';

/** File name of the costs of a sample of each probe kind. The reference is generated from it. */
export const sampleCostsFile = 'sample-costs.json';

/** The conditions of the measurement. Null: not recorded. */
export interface CostConditions {
  /** Day of the measurement, UTC: 2026-11-29. */
  readonly date: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGib: number | null;
  readonly system: string | null;
  readonly kernel: string | null;
  readonly node: string;
  /** Load average of the minute before. */
  readonly loadBefore: number;
  /** Share of the 10 s before in which a process waited for a CPU, 0 to 1 (PSI). */
  readonly cpuPressureBefore: number | null;
}

/** The costs of a sample of each probe kind. */
export interface SampleCosts extends ObserverResult {
  readonly conditions: CostConditions;
}

/** The present conditions, before a measurement of costs. */
export function costConditions(now: Conditions): CostConditions {
  const { startedAt, ...machine } = now;
  return { date: startedAt.slice(0, 10), ...machine, cpuPressureBefore: pressureNow() };
}

function pressureNow(): number | null {
  try {
    return cpuPressure(readFileSync('/proc/pressure/cpu', 'utf8')) ?? null;
  } catch {
    return null;
  }
}
