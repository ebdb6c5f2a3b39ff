import type { Clock } from '../core/clock.ts';
import { later, type RunMs, runMs, wallMs } from '../core/time.ts';

/** A clock that other threads can share: they create their own from the same origin. */
export interface SystemClock extends Clock {
  /** `process.hrtime.bigint()` at offset 0. */
  readonly originNs: bigint;
}

/**
 * The real clock. Offsets come from `process.hrtime`, which is the same monotonic clock in all threads of the
 * process. `performance.now()` is not: its origin is the start of each thread.
 *
 * @param originNs offset 0; default: now. A worker thread passes its parent's.
 */
export function createSystemClock(originNs: bigint = process.hrtime.bigint()): SystemClock {
  const nowMs = (): RunMs => runMs(Number(process.hrtime.bigint() - originNs) / 1e6);
  return {
    originNs,
    nowMs,
    wallMs: () => wallMs(Date.now()),
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const endMs = later(nowMs(), ms);
      let timer: NodeJS.Timeout;
      // Timers may fire a fraction of a millisecond early, and a sleep must never end early.
      const arm = (): void => {
        const leftMs = endMs - nowMs();
        if (leftMs <= 0) resolve();
        else timer = setTimeout(arm, Math.min(Math.ceil(leftMs), maxTimerMs));
      };
      const abort = (): void => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      arm();
      signal.addEventListener('abort', abort, { once: true });
      try {
        await promise;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
  };
}

/** Longest delay of `setTimeout`, ms; with a longer one it fires at once. */
const maxTimerMs = 2 ** 31 - 1;
