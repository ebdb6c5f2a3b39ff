import { uptime } from 'node:os';
import { type Clock, roundMs } from '../core/clock.ts';
import type { DurationMs, RunMs } from '../core/time.ts';

/** A step of the wall clock relative to the run clock. */
export interface ClockStep {
  /** When it was detected, run clock. */
  readonly atMs: RunMs;
  /** Positive: forward. */
  readonly byMs: DurationMs;
  /** `suspend`: the machine slept for that time, during which the run clock stands still. */
  readonly cause: 'step' | 'suspend';
}

/**
 * Smaller changes are slews: a disciplined clock is slewed by at most 0.5 ms per second (adjtimex(2)). ms.
 */
const stepMs = 100;
/** Two readings further apart than this were interrupted and cannot be compared, ms. */
const sameMomentMs = 5;

/**
 * Compares the wall clock with the run clock at each call, and returns the change since the previous call if
 * it is a step. During a suspend os.uptime() advances (CLOCK_BOOTTIME) and CLOCK_MONOTONIC does not.
 *
 * @param uptimeMs time since boot, including suspended time
 */
export function watchClock(
  clock: Pick<Clock, 'nowMs' | 'wallMs'>,
  uptimeMs = (): number => uptime() * 1000,
): () => ClockStep | undefined {
  let offset = clock.wallMs() - clock.nowMs();
  let asleep = uptimeMs() - clock.nowMs();
  return () => {
    const beforeMs = clock.nowMs();
    const wallMs = clock.wallMs();
    const atMs = clock.nowMs();
    if (atMs - beforeMs > sameMomentMs) return undefined;
    const byMs = wallMs - atMs - offset;
    offset += byMs;
    if (Math.abs(byMs) < stepMs) return undefined;
    const awake = asleep;
    asleep = uptimeMs() - clock.nowMs();
    const slept = Math.abs(asleep - awake - byMs) < stepMs;
    return { atMs: roundMs(atMs), byMs: roundMs(byMs), cause: slept ? 'suspend' : 'step' };
  };
}
