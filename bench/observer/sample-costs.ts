import { readFileSync } from 'node:fs';
import { cpuPressure } from '../../src/lab/cpu-limits.ts';
import type { Conditions } from '../conditions.ts';
import type { ObserverResult } from './messages.ts';

/** File name of what one sample of each kind of probe costs. The reference is made from it. */
export const sampleCostsFile = 'sample-costs.json';

/** Where and on what the costs were measured. null: not recorded. */
export interface CostConditions {
  /** Day of the measurement, UTC: 2026-11-29. */
  readonly date: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGib: number | null;
  readonly system: string | null;
  readonly kernel: string | null;
  readonly node: string;
  /** Load average of the minute before: what else ran. */
  readonly loadBefore: number;
  /** Share of the ten seconds before in which some process waited for a CPU, 0 to 1 (PSI). */
  readonly cpuPressureBefore: number | null;
}

/** What one sample of each kind of probe costs. */
export interface SampleCosts extends ObserverResult {
  readonly conditions: CostConditions;
}

/** The conditions now, for costs that are measured next. */
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
