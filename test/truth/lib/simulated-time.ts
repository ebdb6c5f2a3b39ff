import type { Clock } from '../../../src/core/clock.ts';
import type { Timers } from '../../../src/engine/schedule.ts';

/** Order of what is due at one moment, as in a turn of Node's event loop: timers, then I/O, then immediates. */
export type Turn = 'timer' | 'io' | 'immediate';

const turnOrder: Readonly<Record<Turn, number>> = { timer: 0, io: 1, immediate: 2 };

/** Something that is due. */
interface Due {
  readonly atMs: number;
  readonly order: number;
  /** First come, first served among equals. */
  readonly number: number;
  readonly run: () => void;
  isCanceled: boolean;
}

/** Run clock and timers of one simulated run, in ms from 0. Time stands still while code runs. */
export interface SimulatedTime {
  readonly clock: Clock;
  readonly timers: Timers;
  nowMs(): number;
  /** Runs the callback at that moment, or now if it is past; returns what cancels it. */
  at(atMs: number, run: () => void, turn?: Turn): () => void;
  /** Lets time pass until the promise settles; returns its value. Throws if nothing is due any more. */
  until<T>(done: Promise<T>): Promise<T>;
}

/** What is due, the earliest first: a binary heap. */
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

/** Time that begins at 0, with wall time `wallMs` there. */
export function simulatedTime(wallMs: number): SimulatedTime {
  const queue = new DueQueue();
  let nowMs = 0;
  let count = 0;

  const at = (atMs: number, run: () => void, turn: Turn = 'timer'): (() => void) => {
    const due: Due = {
      atMs: Math.max(nowMs, atMs),
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
    clock: { nowMs: () => nowMs, wallMs: () => wallMs + nowMs, sleep },
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
        // Immediates run when all promises that can go on have gone on.
        await new Promise(setImmediate);
        if (isDone) return settled;
        let next = queue.pop();
        while (next?.isCanceled === true) next = queue.pop();
        if (next === undefined) throw new Error(`nothing is due after ${nowMs} ms of simulated time`);
        nowMs = next.atMs;
        next.run();
      }
    },
  };
}
