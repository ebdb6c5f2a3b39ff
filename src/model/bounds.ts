import type { DurationMs } from '../core/time.ts';

/**
 * Shortest and longest time of one step, ms. The phase of a cycle at the event decides where the time
 * falls.
 */
export interface Bounds {
  readonly minMs: DurationMs;
  readonly maxMs: DurationMs;
}
