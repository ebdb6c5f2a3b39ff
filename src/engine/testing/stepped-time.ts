import type { Clock } from '../../core/clock.ts';
import { later, latest, type RunMs, runMs, wallMs } from '../../core/time.ts';
import type { Timers } from '../schedule.ts';

/** Simulated time that moves only by `advance` and `stall`, with the runtime's timer rules: whole ms, in order of time. */
export interface SteppedTime {
  readonly clock: Clock;
  readonly nowMs: () => RunMs;
  readonly timers: Timers;
  /** Advances the time; each due timer runs at its time, with its promise callbacks before the next timer. */
  advance(ms: number): Promise<void>;
  /** Advances the time without running timers, as a busy event loop does. */
  stall(ms: number): void;
}

/** Simulated time from 0. */
export function steppedTime(): SteppedTime {
  let now = runMs(0);
  let nextId = 1;
  const pending = new Map<number, { readonly at: RunMs; readonly callback: () => void }>();
  const timers: Timers = {
    setTimeout: (callback, ms) => {
      pending.set(nextId, { at: later(now, Math.max(1, Math.trunc(ms))), callback });
      return nextId++;
    },
    clearTimeout: (id) => void pending.delete(id as number),
  };
  return {
    nowMs: () => now,
    clock: {
      nowMs: () => now,
      wallMs: () => wallMs(now),
      sleep: () => Promise.reject(new Error('stepped time has no sleep')),
    },
    timers,
    stall: (ms) => void (now = later(now, ms)),
    async advance(ms) {
      const end = later(now, ms);
      for (;;) {
        const next = [...pending].sort(([, a], [, b]) => a.at - b.at)[0];
        if (next === undefined || next[1].at > end) break;
        pending.delete(next[0]);
        now = latest(now, next[1].at);
        next[1].callback();
        // Two turns: for the callback's promises, and for its immediates.
        await new Promise(setImmediate);
        await new Promise(setImmediate);
      }
      now = latest(now, end);
    },
  };
}
