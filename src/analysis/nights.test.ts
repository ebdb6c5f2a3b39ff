import { expect, test } from 'vitest';
import { wallMs } from '../core/time.ts';
import { byNight, endedShares, nightCount, nightsOf } from './nights.ts';

const hour = 3_600_000;

test('runs without a pause of 6 h are one night, and no night is longer than 20 h', () => {
  const starts = [0, 1, 2, 7.9, 14, 24, 25, 31, 37.5].map((hours) => wallMs(hours * hour));
  expect([...nightsOf(starts)].map(([start, night]) => [start / hour, night / hour])).toEqual([
    [0, 0],
    [1, 0],
    [2, 0],
    [7.9, 0],
    [14, 14],
    [24, 24],
    [25, 24],
    [31, 31],
    [37.5, 37.5],
  ]);
  // Runs without any pause are divided into nights, too.
  const always = Array.from({ length: 100 }, (_, i) => wallMs(i * hour));
  expect(nightCount(always)).toBe(5);
  expect(nightCount([])).toBe(0);
});

test('a night is the median of its runs; runs that did not recover are above all others', () => {
  const exact = (ms: number) => ({ ms, minMs: ms, maxMs: ms });
  const never = { ms: Infinity, minMs: 60, maxMs: Infinity };
  const run = (hours: number, measure: typeof never | null, ended: boolean | null = true) => ({
    startMs: wallMs(hours * hour),
    measure,
    ended,
  });
  const figures = [
    run(25, exact(30)),
    run(0, exact(10)),
    run(1, never, false),
    run(2, exact(20)),
    run(3, null, null),
    run(24, { ms: Infinity, minMs: 5, maxMs: Infinity }, null),
  ];
  expect(byNight(figures, nightsOf(figures.map(({ startMs }) => startMs)))).toEqual([
    { nightMs: 0, runs: 3, ended: [true, false, true], ms: 20, minMs: 20, maxMs: 20 },
    { nightMs: 24 * hour, runs: 2, ended: [true], ms: Infinity, minMs: 17.5, maxMs: Infinity },
  ]);
});

test('a side with more runs per night does not miss more often for that reason', () => {
  const night = (ended: readonly boolean[]) => ({
    nightMs: wallMs(0),
    runs: ended.length,
    ended,
    ms: 1,
    minMs: 1,
    maxMs: 1,
  });
  expect(
    endedShares(
      [night([true]), night([false])],
      [night([true, false, true]), night([false, true]), night([])],
    ),
  ).toEqual({ a: { of: 2, missed: 1 }, b: { of: 2, missed: 1 } });
  expect(endedShares([night([true])], [night([])])).toBeNull();
});
