import type { Clock } from '../../core/clock.ts';

/**
 * A clock that stands still while code runs, and jumps to the end of the next sleep
 * when everything waits. Concurrent waits end in the order of their times on any machine.
 */
export function simulatedClock(): Clock {
  let nowMs = 0;
  let ticking = false;
  const sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];

  const tick = (): void => {
    ticking = false;
    sleepers.sort((a, b) => a.atMs - b.atMs);
    const next = sleepers.shift();
    if (next === undefined) return;
    nowMs = Math.max(nowMs, next.atMs);
    next.wake();
    schedule();
  };
  /** Immediates run after all pending promise callbacks. */
  const schedule = (): void => {
    if (ticking) return;
    ticking = true;
    setImmediate(tick);
  };

  return {
    nowMs: () => nowMs,
    wallMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const abort = (): void => {
          sleepers.splice(sleepers.indexOf(sleeper), 1);
          reject(signal.reason as Error);
        };
        const sleeper = {
          atMs: nowMs + ms,
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
