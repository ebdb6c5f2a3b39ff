import type { CheckModel } from '../core/plan.ts';
import type { Bounds } from './bounds.ts';

/**
 * Time from the moment at which a check's result would change to the end of the run that makes the change count.
 *
 * Runs begin every `interval`, however long they take. A run that is due while the last one is still running is
 * skipped. So a run that hangs until its timeout (by default the interval) doubles the period. The `fall`th
 * failure in a row, or the `rise`th success, counts when its run ends.
 *
 * Shortest: a run that is about to end already gets the new result. Longest: a run got the old result just before the change.
 * `runtimeMs` is the time of a failing run; a successful run takes less than an interval.
 * Example: interval 5 s, fall 2, runs of 200 ms: 5 s to 10.2 s.
 */
export function checkBounds(
  { intervalMs, runtimeMs, ...check }: Omit<CheckModel, 'kind'>,
  turn: 'fall' | 'rise',
): Bounds {
  const failingMs = periodOf({ intervalMs, runtimeMs });
  if (turn === 'fall') {
    const minMs = (check.fall - 1) * failingMs;
    return { minMs, maxMs: intervalMs + minMs + runtimeMs };
  }
  const minMs = (check.rise - 1) * intervalMs;
  return { minMs, maxMs: failingMs + minMs + Math.min(runtimeMs, intervalMs) };
}

/**
 * Time from the beginning of a failing run to the beginning of the next one, ms: the first multiple of
 * the interval after the run's end.
 */
export function periodOf({ intervalMs, runtimeMs }: Pick<CheckModel, 'intervalMs' | 'runtimeMs'>): number {
  return (Math.floor(runtimeMs / intervalMs) + 1) * intervalMs;
}
