import { expect, test } from 'vitest';
import { parseRanges, rangesOf, rangesText } from './row-ranges.ts';

test.each([
  ['nothing', [], ''],
  ['one number', [7], '7'],
  ['consecutive numbers', [3, 1, 2, 5], '1-3 5'],
  ['a number that is present twice', [1, 2, 2, 3], '1 2x2 3'],
  ['a range that is present twice', [4, 5, 4, 5, 6], '4-5x2 6'],
])('%s', (_what, numbers, text) => {
  const ranges = rangesOf(numbers);
  expect(rangesText(ranges)).toBe(text);
  expect(parseRanges(text)).toEqual(ranges);
});

test('ranges are parsed in any order, and invalid parts are skipped', () => {
  expect(parseRanges('9 1-2 x 4-')).toEqual([
    { from: 1, to: 2, times: 1 },
    { from: 9, to: 9, times: 1 },
  ]);
});
