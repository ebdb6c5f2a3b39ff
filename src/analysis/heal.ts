import type { Measure } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';
import type { RunLog } from './run-log.ts';
import { analyseRedundancy, type RedundancyAnalysis } from './redundancy.ts';
import type { Moment } from './moment.ts';
import { type RecoveryAnalysis, recoverySeries, returnBeganMs, windowsAfter } from './rto.ts';

/** The effect of the heal on the service, as measured by the recovery probe. */
export interface HealAnalysis {
  /** When the heal began. It is exact: firedrill started it. */
  readonly began: Moment;
  /** Time from then to restored redundancy; not awaited if redundancy was restored before the heal. */
  readonly return: RedundancyAnalysis;
  /** Sum of the recovery probe's bad windows from then on, ms. */
  readonly outage: Measure;
  /** Part of the upper bound that no sample shows, but that fits between two good samples, ms. */
  readonly unobservedMs: DurationMs;
  /** Part of the upper bound that is due to slow answers alone, ms. */
  readonly slowMs: DurationMs;
  readonly windows: number;
  /** The log ends before the outage does, so `outage` is a lower bound. */
  readonly open: boolean;
}

/** The return after a fault that took effect; null if no fault took effect or none was healed. */
export function analyseHeal(log: RunLog, recovery: RecoveryAnalysis | null): HealAnalysis | null {
  const ms = returnBeganMs(log);
  if (ms === null || recovery === null) return null;
  const began = { loMs: ms, hiMs: ms, ms };
  const { windows, total, unobservedMs, slowMs } = windowsAfter(log, recoverySeries(log), began);
  return {
    began,
    return: analyseRedundancy(log, began),
    outage: total,
    unobservedMs,
    slowMs,
    windows: windows.length,
    open: windows.some((w) => w.open),
  };
}
