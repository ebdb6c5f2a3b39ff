import { describe, expect, test } from 'vitest';
import { alarmLevels, alarmNeeds } from './alarm.ts';
import { fisher, leastFisher } from './fisher-test.ts';
import { holm } from './holm.ts';
import { pAbove, shiftOf } from './rank-test.ts';

describe("Fisher's exact test", () => {
  test('of the lady who tasted tea: 3 of 4 and 1 of 4', () => {
    // Fisher, The Design of Experiments; R's fisher.test gives 0.2429 and 0.4857.
    const found = fisher({ count: 1, of: 4 }, { count: 3, of: 4 });
    expect(found.more).toBeCloseTo(17 / 70, 12);
    expect(found.either).toBeCloseTo(34 / 70, 12);
  });

  test('of unequal sides, and of their lowest possible p', () => {
    // R: fisher.test(matrix(c(8, 2, 1, 5), 2)): p = 0.03497.
    expect(fisher({ count: 1, of: 6 }, { count: 8, of: 10 }).either).toBeCloseTo(0.034_965, 6);
    expect(leastFisher({ count: 0, of: 4 }, { count: 4, of: 4 })).toBeCloseTo(1 / 70, 12);
    expect(leastFisher({ count: 1, of: 4 }, { count: 0, of: 4 })).toBeCloseTo(0.5, 12);
    expect(fisher({ count: 0, of: 4 }, { count: 0, of: 4 })).toEqual({ more: 1, either: 1 });
  });
});

describe('the adjustment for multiple tests', () => {
  test('is Holm’s if all tests have the same weight', () => {
    // R: p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm") = 0.04 0.06 0.06 0.06
    const tests = [0.03, 0.01, 0.04, 0.02].map((p) => ({ p, weight: 1 }));
    const found = holm(tests);
    for (const [index, p] of [0.06, 0.04, 0.06, 0.06].entries()) expect(found[index]).toBeCloseTo(p, 12);
    expect(holm([])).toEqual([]);
  });

  test('uses the weights, and passes the level of a rejected test on to the others', () => {
    const [together, single] = holm([
      { p: 0.012, weight: 0.6 },
      { p: 0.02, weight: 0.4 },
    ]);
    expect(together).toBeCloseTo(0.02, 12);
    expect(single).toBeCloseTo(0.02, 12);
    expect(holm([{ p: 0.9, weight: 0.1 }])).toEqual([0.9]);
  });
});

describe('values that are longer than the wait', () => {
  const exact = (...values: readonly number[]) => values.map((ms) => ({ ms, minMs: ms, maxMs: ms }));
  const longerThan = (...waited: readonly number[]) =>
    waited.map((minMs) => ({ ms: Infinity, minMs, maxMs: Infinity }));

  test('are above values shorter than the wait: Gehan’s score, with undecided pairs against the claim', () => {
    const a = exact(10, 20, 30, 40);
    expect(pAbove(a, longerThan(60, 60, 60, 60))).toBeCloseTo(1 / 70, 12);
    // With a wait of 35 s it may be below 40 s, so 12 of 16 pairs count: 1 + 1 + 2 + 3 + 5 of 70 orders have as many.
    expect(pAbove(a, longerThan(35, 35, 35, 35))).toBeCloseTo(12 / 70, 12);
    expect(pAbove(longerThan(60, 60, 60, 60), exact(100, 100, 100, 100))).toBeCloseTo(1, 12);
    expect(pAbove(a, exact(15, 25, 35, 45), 5)).toBe(pAbove(a, exact(10, 20, 30, 40)));
  });

  test('leave an end of the interval open, and never make it NaN', () => {
    const shift = shiftOf(exact(10, 20, 30, 40), longerThan(60, 60, 60, 60));
    expect(shift).toMatchObject({ ms: Infinity, minMs: 20, maxMs: Infinity });
    expect(shift.p).toBeCloseTo(2 / 70, 12);
    expect(shiftOf(longerThan(60, 60), longerThan(50, 50))).toMatchObject({
      ms: 0,
      minMs: -Infinity,
      maxMs: Infinity,
      p: 1,
    });
    expect(shiftOf(longerThan(60, 60), [...exact(1), ...longerThan(50)]).ms).not.toBeNaN();
  });
});

describe('the number of nights for an alarm', () => {
  test('one night, or three against one, cannot raise an alarm, and the words explain it', () => {
    expect(alarmNeeds({ baselineNights: 1, nowNights: 1, drills: 1 })).toEqual({
      possible: false,
      words: [
        '1 night of the baseline against 1 night cannot show a regression: their lowest possible p is 0.5, and an alarm needs 0.025 or less',
        'a regression needs at least 4 nights on each side, or 39 of the baseline against 1 night. Runs less than 6 h apart count as one night.',
      ],
    });
    expect(alarmNeeds({ baselineNights: 3, nowNights: 1, drills: 24 })).toMatchObject({ possible: false });
    expect(alarmNeeds({ baselineNights: 0, nowNights: 1, drills: 24 })).toMatchObject({ possible: false });
  });

  test.each([
    // Baseline, now, drills: whether an alarm is possible at all, and for a single drill.
    [4, 4, 1, true, true],
    [3, 5, 1, true, true],
    [2, 8, 1, true, true],
    [39, 1, 1, true, true],
    [38, 1, 1, false, false],
    [4, 4, 24, true, false],
    [3, 6, 24, true, false],
    [3, 5, 24, false, false],
    [66, 1, 24, true, false],
    [65, 1, 24, false, false],
    [7, 7, 24, true, true],
    [6, 7, 24, true, false],
  ])('%i nights against %i, %i drills', (baselineNights, nowNights, drills, possible, single) => {
    const found = alarmNeeds({ baselineNights, nowNights, drills });
    expect(found.possible).toBe(possible);
    expect(found.words.length === 0).toBe(single);
  });

  test('has levels that add up to one in 40', () => {
    const { together, single } = alarmLevels(24);
    expect((together ?? 0) + 24 * single).toBeCloseTo(0.025, 12);
    expect(alarmLevels(1)).toEqual({ together: null, single: 0.025 });
  });
});
