import { parentPort } from 'node:worker_threads';
import { familyOf } from './families.ts';
import { runFamilies } from './run-families.ts';

/** One family's share of the work. */
export interface FamilyOrder {
  readonly family: string;
  readonly logs: number;
  readonly seed: number;
}

// A thread that simulates the requested families, one after the other, and answers with their tallies.
parentPort?.on('message', (order: FamilyOrder) => void answer(order));

async function answer({ family: name, logs, seed }: FamilyOrder): Promise<void> {
  const family = familyOf(name);
  if (family === undefined) throw new Error(`find family ${name}: it does not exist`);
  const tallies = await runFamilies([family], { logs, seed });
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(tallies);
}
