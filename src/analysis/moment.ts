import { roundMs } from '../core/clock.ts';
import type { RunMs } from '../core/time.ts';

/** A moment with bounds, ms. */
export interface Moment {
  readonly loMs: RunMs;
  readonly hiMs: RunMs;
  readonly ms: RunMs;
}

/** A moment from its bounds. The estimate is their middle. */
export function moment(loMs: RunMs, hiMs: RunMs): Moment {
  return { loMs, hiMs, ms: middle(loMs, hiMs) };
}

/** Midpoint, rounded to the log's resolution of 1 us. */
export function middle<T extends number>(lo: T, hi: T): T {
  return roundMs((lo + hi) / 2) as T;
}
