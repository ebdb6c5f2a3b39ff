import type { Clock } from '../../core/clock.ts';
import type { Timers } from '../schedule.ts';

/** Time that only moves when told, with the runtime's timer rules: whole ms, in order of time. */
export interface SteppedTime {
  readonly clock: Clock;
  readonly nowMs: () => number;
  readonly timers: Timers;
  /** Lets so much time pass; each timer that is due runs at its time, and what it starts goes on before the next one. */
  advance(ms: number): Promise<void>;
  /** The event loop is busy: so much time passes, and no timer runs. */
  stall(ms: number): void;
}

/** Time that begins at 0. */
export function steppedTime(): SteppedTime {
  let now = 0;
  let nextId = 1;
  const pending = new Map<number, { readonly at: number; readonly callback: () => void }>();
  const timers: Timers = {
    setTimeout: (callback, ms) => {
      pending.set(nextId, { at: now + Math.max(1, Math.trunc(ms)), callback });
      return nextId++;
    },
    clearTimeout: (id) => void pending.delete(id as number),
  };
  return {
    nowMs: () => now,
    clock: {
      nowMs: () => now,
      wallMs: () => now,
      sleep: () => Promise.reject(new Error('stepped time has no sleep')),
    },
    timers,
    stall: (ms) => void (now += ms),
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...pending].sort(([, a], [, b]) => a.at - b.at)[0];
        if (next === undefined || next[1].at > end) break;
        pending.delete(next[0]);
        now = Math.max(now, next[1].at);
        next[1].callback();
        // What a callback does at once, and what it leaves to the next turn.
        await new Promise(setImmediate);
        await new Promise(setImmediate);
      }
      now = Math.max(now, end);
    },
  };
}
