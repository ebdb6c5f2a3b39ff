import type { Measure } from '../core/summary.ts';
import type { RunLog } from './read-log.ts';
import { analyseRedundancy, type RedundancyAnalysis } from './redundancy.ts';
import type { Moment } from './moment.ts';
import { type RecoveryAnalysis, recoverySeries, returnBeganMs, windowsAfter } from './rto.ts';

/** What the heal did to the service, seen by the recovery probe. */
export interface HealAnalysis {
  /** When the heal began: known exactly, it was us. */
  readonly began: Moment;
  /** From then to restored redundancy; not awaited where redundancy came before the heal. */
  readonly return: RedundancyAnalysis;
  /** Sum of the recovery probe's bad windows from then on. */
  readonly outage: Measure;
  /** How much of its upper bound is an outage that fits between two good samples, ms. */
  readonly unseenMs: number;
  /** How much of its upper bound is due to slow answers alone, ms. */
  readonly slowMs: number;
  readonly windows: number;
  /** The log ends, or was cut off, before the outage was seen to its end: it is a lower bound. */
  readonly open: boolean;
}

/** The return after a fault that took effect; null when none did, or none was healed. */
export function analyseHeal(log: RunLog, recovery: RecoveryAnalysis | null): HealAnalysis | null {
  const ms = returnBeganMs(log);
  if (ms === null || recovery === null) return null;
  const began = { loMs: ms, hiMs: ms, ms };
  const { windows, total, unseenMs, slowMs } = windowsAfter(log, recoverySeries(log), began);
  return {
    began,
    return: analyseRedundancy(log, began),
    outage: total,
    unseenMs,
    slowMs,
    windows: windows.length,
    open: windows.some((w) => w.open),
  };
}
