import { expect, test } from 'vitest';
import { families } from '../truth/lib/families.ts';
import { violationsOf } from '../truth/lib/violations.ts';
import { runFamilies } from '../truth/lib/run-families.ts';
import { totals } from '../truth/lib/table.ts';

// `npm run test:truth` judges more logs.
test('simulated logs: the bounds of every figure hold the truth, and no verdict is wrong', async () => {
  const tallies = await runFamilies(families, { logs: 15 * families.length, seed: 1 });
  expect(violationsOf(tallies)).toEqual([]);
  const { cases, checks, inconclusive } = totals(tallies);
  expect(cases).toBe(15 * families.length);
  // Catches an analysis that decides nothing and so is never wrong. Many limits are deliberately close to the truth.
  expect(inconclusive / checks).toBeLessThan(0.65);
});
