import { roundMs } from '../core/clock.ts';

/** A moment with bounds, ms. */
export interface Moment {
  readonly loMs: number;
  readonly hiMs: number;
  readonly ms: number;
}

/** A moment by its bounds: the estimate is their middle. */
export function moment(loMs: number, hiMs: number): Moment {
  return { loMs, hiMs, ms: middle(loMs, hiMs) };
}

/** Midpoint on the microsecond grid of the log. */
export function middle(lo: number, hi: number): number {
  return roundMs((lo + hi) / 2);
}
