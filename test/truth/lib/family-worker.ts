import { parentPort } from 'node:worker_threads';
import { familyOf } from './families.ts';
import { runFamilies } from './run-families.ts';

/** One family's share of the work. */
export interface FamilyOrder {
  readonly family: string;
  readonly logs: number;
  readonly seed: number;
}

// A thread that simulates one family after another, as they are asked for, and answers with their tallies.
parentPort?.on('message', async ({ family: name, logs, seed }: FamilyOrder) => {
  const family = familyOf(name);
  if (family === undefined) throw new Error(`no family ${name}`);
  parentPort?.postMessage(await runFamilies([family], { logs, seed }));
});
