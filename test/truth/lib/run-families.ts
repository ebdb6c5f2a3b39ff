import type { Family } from './drill-script.ts';
import { judgeCase } from './judge-case.ts';
import { simulate } from './simulate.ts';
import { addCase, emptyTally, type FamilyTally } from './tally.ts';

/** Simulates and judges `logs` logs, spread evenly over the families. Each family begins with the same seed. */
export async function runFamilies(
  families: readonly Family[],
  { logs, seed }: { readonly logs: number; readonly seed: number },
): Promise<readonly FamilyTally[]> {
  const perFamily = Math.ceil(logs / families.length);
  const tallies: FamilyTally[] = [];
  for (const family of families) {
    const tally = emptyTally(family.name);
    for (let i = 0; i < perFamily; i++) {
      const one = await simulate(family, seed + i);
      addCase(tally, one, judgeCase(one));
    }
    tallies.push(tally);
  }
  return tallies;
}
