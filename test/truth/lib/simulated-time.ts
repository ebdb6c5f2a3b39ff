import type { Clock } from '../../../src/core/clock.ts';
import { latest, type RunMs, runMs, wallMs } from '../../../src/core/time.ts';
import type { Timers } from '../../../src/engine/schedule.ts';

/** The order of callbacks at the same time, as in a turn of Node's event loop: timers, then I/O, then immediates. */
export type Turn = 'timer' | 'io' | 'immediate';

const turnOrder: Readonly<Record<Turn, number>> = { timer: 0, io: 1, immediate: 2 };

/** A scheduled callback. */
interface Due {
  readonly atMs: RunMs;
  readonly order: number;
  /** Among equal times and turns, the smallest number runs first. */
  readonly number: number;
  readonly run: () => void;
  isCanceled: boolean;
}

/** Run clock and timers of one simulated run, in ms from 0. No time passes while code runs. */
export interface SimulatedTime {
  readonly clock: Clock;
  readonly timers: Timers;
  nowMs(): RunMs;
  /** Runs the callback at `atMs`, or now if `atMs` is past. Returns a function that cancels the callback. */
  at(atMs: number, run: () => void, turn?: Turn): () => void;
  /** Advances the time until the promise settles. Returns its value. Throws if no callback is scheduled. */
  until<T>(done: Promise<T>): Promise<T>;
}

/** Scheduled callbacks in a binary heap, the earliest first. */
class DueQueue {
  readonly #heap: Due[] = [];

  push(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(due, heap[parent])) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = due;
  }

  pop(): Due | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Due | undefined, b: Due | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.atMs - b.atMs < 0 || (a.atMs === b.atMs && (a.order - b.order || a.number - b.number) < 0);
}

/** Starts a simulated time at 0 ms. Its wall clock is then `startWallMs`. */
export function simulatedTime(startWallMs: number): SimulatedTime {
  const queue = new DueQueue();
  let nowMs = runMs(0);
  let count = 0;

  const at = (atMs: number, run: () => void, turn: Turn = 'timer'): (() => void) => {
    const due: Due = {
      atMs: latest(nowMs, runMs(atMs)),
      order: turnOrder[turn],
      number: count++,
      run,
      isCanceled: false,
    };
    queue.push(due);
    return () => {
      due.isCanceled = true;
    };
  };
  const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const wake = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const cancel = at(nowMs + ms, wake);
      const abort = (): void => {
        cancel();
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', abort, { once: true });
    });

  return {
    clock: { nowMs: () => nowMs, wallMs: () => wallMs(startWallMs + nowMs), sleep },
    timers: {
      setTimeout: (run, ms) => at(nowMs + Math.max(1, Math.trunc(ms)), run),
      clearTimeout: (cancel) => (cancel as (() => void) | undefined)?.(),
    },
    nowMs: () => nowMs,
    at,
    async until(done) {
      let isDone = false;
      const settled = done.finally(() => {
        isDone = true;
      });
      settled.catch(() => undefined);
      for (;;) {
        // A `setImmediate` callback runs after all pending promise callbacks.
        await new Promise(setImmediate);
        if (isDone) return settled;
        let next = queue.pop();
        while (next?.isCanceled === true) next = queue.pop();
        if (next === undefined)
          throw new Error(
            `simulated time at ${nowMs} ms: no callback is scheduled, and the promise has not settled`,
          );
        nowMs = next.atMs;
        next.run();
      }
    },
  };
}
