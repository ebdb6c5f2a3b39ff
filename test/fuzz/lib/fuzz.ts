import { Worker } from 'node:worker_threads';

/** Size of a fuzz run. */
export interface FuzzOrder {
  readonly seed: number;
  readonly mutants: number;
  readonly typos: number;
  /** Shared with the worker: the number of files read so far, then the length and bytes of the current file. */
  readonly progress: SharedArrayBuffer;
}

/** Results by number of files. */
export interface FuzzCounts {
  taken: number;
  refused: number;
  typos: number;
  slowestMs: number;
}

/** A file that takes longer counts as stuck, ms; usual are a few ms. */
const stuckAfterMs = 30_000;

/**
 * Changes valid files and reads each of them, in a thread that can be terminated if it hangs. The same seed gives the same
 * files.
 * @throws Error with the smallest file found that is not handled correctly
 */
export async function fuzz(order: Omit<FuzzOrder, 'progress'>): Promise<FuzzCounts> {
  const progress = new SharedArrayBuffer(1_000_008);
  const counter = new Int32Array(progress, 0, 2);
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: { ...order, progress } });
  const { promise, resolve, reject } = Promise.withResolvers<FuzzCounts>();
  let seen = -1;
  const watch = setInterval(() => {
    const count = Atomics.load(counter, 0);
    if (count === seen) {
      const text = Buffer.from(new Uint8Array(progress, 8, counter[1])).toString('utf8');
      reject(new Error(`read file ${count}: not finished after ${stuckAfterMs} ms:\n${text}`));
    }
    seen = count;
  }, stuckAfterMs);
  worker.once('message', ({ failed, counts }: { failed: string | undefined; counts: FuzzCounts }) =>
    failed === undefined ? resolve(counts) : reject(new Error(failed)),
  );
  worker.once('error', reject);
  try {
    return await promise;
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}
