import type { Clock } from '../../core/clock.ts';
import { later, latest, type RunMs, runMs, wallMs } from '../../core/time.ts';
import type { Timers } from '../schedule.ts';

/** A simulated clock. */
export interface SimulatedClock extends Clock {
  /** Sleeps that have not ended. */
  sleeping(): number;
}

/**
 * A clock that stands still while code runs, and jumps to the end of the next sleep
 * when everything waits. Concurrent waits end in the order of their times on any machine.
 */
export function simulatedClock(): SimulatedClock {
  let nowMs = runMs(0);
  let ticking = false;
  const sleepers: { readonly atMs: RunMs; readonly wake: () => void }[] = [];

  const tick = (): void => {
    ticking = false;
    sleepers.sort((a, b) => a.atMs - b.atMs);
    const next = sleepers.shift();
    if (next === undefined) return;
    nowMs = latest(nowMs, next.atMs);
    next.wake();
    schedule();
  };
  /** Two turns: immediates run after all pending promise callbacks, and the second one after their immediates. */
  const schedule = (): void => {
    if (ticking) return;
    ticking = true;
    setImmediate(() => setImmediate(tick));
  };

  return {
    nowMs: () => nowMs,
    wallMs: () => wallMs(nowMs),
    sleeping: () => sleepers.length,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const abort = (): void => {
          sleepers.splice(sleepers.indexOf(sleeper), 1);
          reject(signal.reason as Error);
        };
        const sleeper = {
          atMs: later(nowMs, ms),
          wake: () => {
            signal.removeEventListener('abort', abort);
            resolve();
          },
        };
        sleepers.push(sleeper);
        signal.addEventListener('abort', abort, { once: true });
        schedule();
      }),
  };
}

/** Timers on a clock, with the runtime's rule of whole milliseconds and at least one. */
export function timersOn(clock: Clock): Timers {
  return {
    setTimeout: (callback, ms) => {
      const cleared = new AbortController();
      const { signal } = cleared;
      const run = async (): Promise<void> => {
        await clock.sleep(Math.max(1, Math.trunc(ms)), signal).catch(() => undefined);
        if (!signal.aborted) callback();
      };
      void run();
      return cleared;
    },
    clearTimeout: (handle) => {
      if (handle instanceof AbortController) handle.abort();
    },
  };
}

/** Calls `act` at each interval, ms. Returns a function that ends that. */
export function repeat(clock: Clock, everyMs: number, act: () => void): () => Promise<void> {
  const stop = new AbortController();
  const repeating = (async () => {
    for (;;) {
      await clock.sleep(everyMs, stop.signal);
      act();
    }
  })().catch(() => undefined);
  return async () => {
    stop.abort();
    await repeating;
  };
}
