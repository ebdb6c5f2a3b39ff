import { roundMs } from '../core/clock.ts';

/** A moment with bounds, ms. */
export interface Moment {
  readonly loMs: number;
  readonly hiMs: number;
  readonly ms: number;
}

/** A moment from its bounds. The estimate is their middle. */
export function moment(loMs: number, hiMs: number): Moment {
  return { loMs, hiMs, ms: middle(loMs, hiMs) };
}

/** Midpoint, rounded to the log's resolution of 1 us. */
export function middle(lo: number, hi: number): number {
  return roundMs((lo + hi) / 2);
}
