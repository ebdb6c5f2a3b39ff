import { expect, test } from 'vitest';
import { maxOf, minOf } from './extremes.ts';

test('the extremes of lists longer than the limit of call arguments', () => {
  const many = Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 300_007);
  expect(maxOf(many)).toBe(300_006);
  expect(minOf(many)).toBe(0);
});

test('the extremes are those of Math, and the bound is that of an empty list', () => {
  for (const values of [[], [3], [2, -5, 7], [1, Number.NaN]]) {
    expect(maxOf(values)).toBe(Math.max(...values));
    expect(minOf(values)).toBe(Math.min(...values));
    expect(maxOf(values, 4)).toBe(Math.max(4, ...values));
    expect(minOf(values, 4)).toBe(Math.min(4, ...values));
  }
});
