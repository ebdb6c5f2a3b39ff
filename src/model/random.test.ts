import { expect, test } from 'vitest';
import { chance } from './random.ts';

test('chance is the same for the same seed, trial, and part, and uniform', () => {
  expect(chance(1, 2, 3)).toBe(chance(1, 2, 3));
  const distinct = new Set([
    chance(1, 2, 3),
    chance(2, 2, 3),
    chance(1, 3, 3),
    chance(1, 2, 4),
    chance(2 ** 40, 2, 3),
  ]);
  expect(distinct.size).toBe(5);
  const values = Array.from({ length: 10_000 }, (_, trial) => chance(1, trial, 0));
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  const tenths = Array.from({ length: 10 }, (_, i) => values.filter((v) => Math.floor(v * 10) === i).length);
  expect(Math.min(...tenths)).toBeGreaterThan(900);
  expect(Math.max(...tenths)).toBeLessThan(1100);
  // Parts of one trial are independent.
  const pairs = values.filter((value, trial) => value < 0.5 === chance(1, trial, 1) < 0.5).length;
  expect(pairs).toBeGreaterThan(4800);
  expect(pairs).toBeLessThan(5200);
});
