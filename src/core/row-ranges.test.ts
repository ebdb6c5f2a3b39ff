import { expect, test } from 'vitest';
import { fromRanges, toRanges } from './row-ranges.ts';

test.each([
  ['nothing', [], ''],
  ['one number', [7], '7'],
  ['numbers that follow one another', [3, 1, 2, 5], '1-3 5'],
  ['one that is there twice', [1, 2, 2, 3], '1 2x2 3'],
  ['several that are there twice', [4, 5, 4, 5, 6], '4-5x2 6'],
])('%s', (_what, numbers, text) => {
  expect(toRanges(numbers)).toBe(text);
  const counts = fromRanges(text);
  expect([...counts].flatMap(([number, times]) => Array<number>(times).fill(number))).toEqual(
    [...numbers].sort((a, b) => a - b),
  );
});

test('what is no range is passed over', () => {
  expect([...fromRanges('1-2 x 9')]).toEqual([
    [1, 1],
    [2, 1],
    [9, 1],
  ]);
});
