import { expect, test } from 'vitest';
import { families } from '../truth/lib/families.ts';
import { violationsOf } from '../truth/lib/violations.ts';
import { runFamilies } from '../truth/lib/run-families.ts';
import { totals } from '../truth/lib/table.ts';

// The same at length: npm run test:truth.
test('simulated logs: the bounds of every figure hold the truth, and no verdict is wrong', async () => {
  const tallies = await runFamilies(families, { logs: 15 * families.length, seed: 1 });
  expect(violationsOf(tallies)).toEqual([]);
  const { cases, checks, inconclusive } = totals(tallies);
  expect(cases).toBe(15 * families.length);
  // An analysis that decides nothing is never wrong. Many limits are next to the truth on purpose.
  expect(inconclusive / checks).toBeLessThan(0.65);
});
