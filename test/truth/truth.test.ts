import { expect, test } from 'vitest';
import { families } from './lib/families.ts';
import { violationsOf } from './lib/violations.ts';
import { runFamilies } from './lib/run-families.ts';

const logs = 20_000;

test(`${logs} simulated logs: the bounds of every figure hold the truth, and no verdict is wrong`, async () => {
  const violations = violationsOf(await runFamilies(families, { logs, seed: 1 }));
  expect(violations).toEqual([]);
});
