import { roundMs } from '../core/clock.ts';
import type { Measure } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';
import { type BadWindow, durationOf } from './windows.ts';

/** How long the target was down. */
export interface Downtime {
  readonly total: Measure;
  /** How much of the upper bound is due to slow answers alone, ms. */
  readonly slowMs: DurationMs;
}

/**
 * The downtime of one probe's windows. `down` windows count in full. `uncertain` and `slow` windows may be outages: they count
 * in the upper bound only. The upper bound is the time within any window, because the outer edges of neighbors may overlap.
 */
export function downtimeOf(windows: readonly BadWindow[]): Downtime {
  const down = windows.filter((w) => w.state === 'down');
  const uncertain = windows.filter((w) => w.state === 'uncertain');
  const durations = down.map(durationOf);
  const downMs = unionMs(down);
  const likelyMs = unionMs([...down, ...uncertain]);
  const maxMs = unionMs(windows);
  const minMs = durations.reduce((sum, d) => sum + d.minMs, 0);
  const seenMs = durations.reduce((sum, d) => sum + d.ms, 0) + (likelyMs - downMs) / 2;
  return {
    total: { ms: roundMs(Math.min(seenMs, maxMs)), minMs: roundMs(minMs), maxMs: roundMs(maxMs) },
    slowMs: roundMs(maxMs - likelyMs),
  };
}

/** The time within the outer edges of any of the windows, ms. */
function unionMs(windows: readonly BadWindow[]): DurationMs {
  let totalMs = 0;
  let untilMs = -Infinity;
  for (const { startLoMs, endHiMs } of [...windows].sort((a, b) => a.startLoMs - b.startLoMs)) {
    totalMs += Math.max(0, endHiMs - Math.max(startLoMs, untilMs));
    untilMs = Math.max(untilMs, endHiMs);
  }
  return totalMs;
}
