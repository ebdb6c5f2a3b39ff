import type { CheckModel } from '../core/plan.ts';
import type { Bounds } from './bounds.ts';

/**
 * From the moment at which a check would first answer otherwise to the end of the run
 * that makes it count.
 *
 * Runs begin every `interval`, however long they take; one that is due while the last is
 * still at work is left out, so that a run that hangs until its time-out, by default the
 * interval, doubles the period. The `fall`th failure, or the `rise`th success, in a row
 * counts when its run ends.
 *
 * Soonest, a run that is about to end sees it already; latest, one has just looked.
 * `runtimeMs` is that of a run that fails; one that succeeds takes less than an interval.
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

/** From the beginning of a failing run to that of the next: the interval, or the first multiple of it after the run's end, ms. */
export function periodOf({ intervalMs, runtimeMs }: Pick<CheckModel, 'intervalMs' | 'runtimeMs'>): number {
  return (Math.floor(runtimeMs / intervalMs) + 1) * intervalMs;
}
