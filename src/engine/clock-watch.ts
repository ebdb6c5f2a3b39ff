import { uptime } from 'node:os';
import { type Clock, roundMs } from '../core/clock.ts';

/** A movement of the wall clock against the run clock. */
export interface ClockStep {
  /** When it was found, run clock. */
  readonly atMs: number;
  /** Forwards if positive. */
  readonly byMs: number;
  /** `suspend`: the machine slept for that time, in which the run clock stands still. */
  readonly cause: 'step' | 'suspend';
}

/** Smaller movements are slews: a clock that is disciplined moves by 0.5 ms a second at most (adjtimex(2)). */
const stepMs = 100;
/** Readings that are further apart than this were interrupted, and say nothing. */
const sameMomentMs = 5;

/**
 * Compares the wall clock with the run clock at each call and gives what the former has moved by since the last one, where
 * that is a step. os.uptime() goes on while the machine sleeps (CLOCK_BOOTTIME), CLOCK_MONOTONIC does not.
 *
 * @param uptimeMs since the machine was started, sleep among it
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
