import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Family } from './drill-script.ts';
import type { FamilyOrder } from './family-worker.ts';
import type { FamilyTally } from './tally.ts';

/** As `runFamilies`, on `threads` threads. A thread takes the next family when it finishes one. */
export async function runOnThreads(
  families: readonly Family[],
  { logs, seed, threads }: { readonly logs: number; readonly seed: number; readonly threads: number },
): Promise<readonly FamilyTally[]> {
  const perFamily = Math.ceil(logs / families.length);
  const found = new Map<string, FamilyTally>();
  const left = families.map(({ name }) => name);
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./family-worker.ts', import.meta.url));
    for (let family = left.shift(); family !== undefined; family = left.shift()) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the receiver is a thread, not a window
      worker.postMessage({ family, logs: perFamily, seed } satisfies FamilyOrder);
      const [[tally]] = (await once(worker, 'message')) as [readonly [FamilyTally]];
      found.set(family, tally);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(threads, families.length) }, work));
  return families.flatMap(({ name }) => found.get(name) ?? []);
}
