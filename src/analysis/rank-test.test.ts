import { describe, expect, test } from 'vitest';
import { chance } from '../model/random.ts';
import { canDetect, neededEach, rankDistribution, shiftOf, requestedAlpha } from './rank-test.ts';

/** Values without an error. */
const exact = (...values: readonly number[]) => values.map((ms) => ({ ms, minMs: ms, maxMs: ms }));

describe('the distribution of U', () => {
  test.each([
    [3, 2, [1, 1, 2, 2, 2, 1, 1]],
    [4, 4, [1, 1, 2, 3, 5, 5, 7, 7, 8, 7, 7, 5, 5, 3, 2, 1, 1]],
    [1, 3, [1, 1, 1, 1]],
  ])('of %i and %i values is the number of orders', (n, m, counts) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const found = [...rankDistribution(n, m)].map((p) => p * total);
    expect(found).toHaveLength(counts.length);
    for (const [u, count] of counts.entries()) expect(found[u]).toBeCloseTo(count, 9);
  });

  // Tables of the Mann-Whitney test, two-sided 0.05.
  test.each([
    [4, 4, 0],
    [3, 5, 0],
    [5, 5, 2],
    [6, 6, 5],
    [8, 8, 13],
    [9, 7, 12],
    [10, 10, 23],
    [20, 20, 127],
  ])('of %i and %i values has the tables’ critical value %i', (n, m, critical) => {
    const upTo = (u: number) =>
      [...rankDistribution(n, m)].slice(0, u + 1).reduce((sum, probability) => sum + probability, 0);
    expect(2 * upTo(critical)).toBeLessThanOrEqual(0.05);
    expect(2 * upTo(critical + 1)).toBeGreaterThan(0.05);
  });
});

describe('the shift', () => {
  test('of the textbook’s permeability data: estimate, interval, and p', () => {
    // Hollander and Wolfe, Nonparametric Statistical Methods, table 4.1; as R's wilcox.test has it.
    const y = exact(0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46);
    const x = exact(1.15, 0.88, 0.9, 0.74, 1.21);
    const { ms, minMs, maxMs, coverage, p } = shiftOf(x, y);
    expect(ms).toBeCloseTo(0.305, 9);
    expect(minMs).toBeCloseTo(-0.15, 9);
    expect(maxMs).toBeCloseTo(0.76, 9);
    expect(coverage).toBeCloseTo(0.96004, 5);
    expect(p).toBeCloseTo(0.254412, 6);
  });

  test('of samples without overlap is significant at the smallest possible sizes', () => {
    const a = exact(33, 35.1, 36.2, 36.9, 38.4);
    const b = exact(39.2, 40.3, 41, 44.1);
    const shift = shiftOf(a, b);
    expect(shift.p).toBeCloseTo(2 / 126, 9);
    // Sizes 5 and 4 allow one pair in the other order: the second smallest difference.
    expect(shift.minMs).toBeCloseTo(1.9, 9);
    expect(shift.maxMs).toBeCloseTo(9, 9);
    expect(shift.ms).toBeCloseTo(5, 9);
  });

  test('changes its sign with its samples, and nothing else', () => {
    const a = exact(3, 1, 4, 1.5, 9);
    const b = exact(2, 6, 5, 3.5, 8.9, 7.9);
    const there = shiftOf(a, b);
    const back = shiftOf(b, a);
    expect(back.ms).toBeCloseTo(-1 * there.ms, 12);
    expect([back.minMs, back.maxMs]).toEqual([-1 * there.maxMs, -1 * there.minMs]);
    expect([back.p, back.coverage]).toEqual([there.p, there.coverage]);
  });

  test('of one value each is their difference with its bounds, without coverage', () => {
    const shift = shiftOf([{ ms: 10, minMs: 9, maxMs: 11 }], [{ ms: 20, minMs: 18, maxMs: 23 }]);
    expect(shift).toEqual({ ms: 10, minMs: 7, maxMs: 14, coverage: null, p: 1 });
  });

  test('counts the bounds against the claim: values that may be equal prove nothing', () => {
    const wide = (ms: number) => ({ ms, minMs: ms - 3, maxMs: ms + 3 });
    const [a, b] = [
      [10, 11, 12, 13],
      [17, 18, 19, 20],
    ];
    expect(shiftOf(exact(...a), exact(...b))).toMatchObject({ minMs: 4, maxMs: 10 });
    const { p, minMs, maxMs } = shiftOf(a.map(wide), b.map(wide));
    expect([minMs, maxMs]).toEqual([-2, 16]);
    expect(p).toBeGreaterThan(requestedAlpha);
  });

  test('counts ties against a difference', () => {
    const { p, minMs } = shiftOf(exact(1, 2, 3, 4), exact(4, 5, 6, 7));
    expect(minMs).toBe(0);
    expect(p).toBeGreaterThan(requestedAlpha);
    expect(shiftOf(exact(5, 5, 5, 5), exact(5, 5, 5, 5))).toMatchObject({ ms: 0, p: 1 });
  });
});

describe('the smallest number of runs', () => {
  test('is four each, or one against thirty-nine', () => {
    expect(neededEach()).toBe(4);
    const table: readonly (readonly [number, number, boolean])[] = [
      [1, 1, false],
      [3, 3, false],
      [4, 4, true],
      [3, 5, true],
      [2, 7, false],
      [2, 8, true],
      [1, 38, false],
      [1, 39, true],
      [0, 50, false],
    ];
    for (const [n, m, able] of table) expect([n, m, canDetect(n, m)]).toEqual([n, m, able]);
  });

  test('agrees with the interval', () => {
    for (const [n, m] of [
      [3, 3],
      [4, 4],
      [2, 7],
      [2, 8],
      [1, 39],
    ] as const) {
      const values = (count: number) => exact(...Array.from({ length: count }, (_, i) => i));
      expect(shiftOf(values(n), values(m)).coverage !== null).toBe(canDetect(n, m));
    }
  });
});

describe('random samples', () => {
  const trials = 4000;
  /** Recovery times: a delay, a phase, and sometimes a long extra time; with bounds that contain the truth. */
  const drawn = (trial: number, part: number, shiftMs: number) => {
    const [phase, tail, where] = [0, 1, 2].map((k) => chance(7, trial, part * 3 + k));
    const truth = 20_000 + 10_000 * (phase ?? 0) - 2000 * Math.log(1 - (tail ?? 0)) + shiftMs;
    const minMs = truth - 200 * (where ?? 0);
    return { ms: minMs + 100, minMs, maxMs: minMs + 200 };
  };
  const sample = (trial: number, from: number, count: number, shiftMs: number) =>
    Array.from({ length: count }, (_, i) => drawn(trial, from + i, shiftMs));

  test.each([
    [4, 4],
    [5, 5],
    [3, 9],
    [8, 6],
  ])('of %i and %i runs: false alarms at most at the level, and the shift is in its interval', (n, m) => {
    let alarms = 0;
    let missed = 0;
    for (let trial = 0; trial < trials; trial++) {
      const same = shiftOf(sample(trial, 0, n, 0), sample(trial, n, m, 0));
      if (same.minMs > 0 || same.maxMs < 0) alarms++;
      expect(same.minMs > 0 || same.maxMs < 0).toBe(same.p <= requestedAlpha);
      const moved = shiftOf(sample(trial, 0, n, 0), sample(trial, n, m, 3000));
      if (moved.minMs > 3000 || moved.maxMs < 3000) missed++;
    }
    expect(alarms / trials).toBeLessThanOrEqual(requestedAlpha);
    expect(missed / trials).toBeLessThanOrEqual(requestedAlpha);
    // With all values apart, the test does alarm.
    expect(alarms).toBeGreaterThan(0);
  });

  test('a shift as wide as the spread is found nine times in ten with eight runs each', () => {
    let found = 0;
    for (let trial = 0; trial < 500; trial++)
      if (shiftOf(sample(trial, 0, 8, 0), sample(trial, 8, 8, 10_000)).minMs > 0) found++;
    expect(found / 500).toBeGreaterThan(0.9);
  });
});
