import type { Clock } from '../core/clock.ts';

/** A clock that other threads can share: they make their own from the same origin. */
export interface SystemClock extends Clock {
  /** Reading of `process.hrtime.bigint()` at offset 0. */
  readonly originNs: bigint;
}

/**
 * The real clock. Offsets come from `process.hrtime`, which is one and the same
 * monotonic clock in all threads of the process; `performance.now()` is not (its
 * origin is the start of each thread).
 *
 * @param originNs offset 0; now by default. A worker thread passes its parent's.
 */
export function createSystemClock(originNs: bigint = process.hrtime.bigint()): SystemClock {
  const nowMs = (): number => Number(process.hrtime.bigint() - originNs) / 1e6;
  return {
    originNs,
    nowMs,
    wallMs: () => Date.now(),
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const endMs = nowMs() + ms;
      let timer: NodeJS.Timeout;
      // Timers may fire a fraction of a millisecond early: a sleep never ends before its time.
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

/** Longest delay that `setTimeout` takes; beyond it, it fires at once. */
const maxTimerMs = 2 ** 31 - 1;
