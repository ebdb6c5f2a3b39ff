import { describe, expect, test } from 'vitest';
import { chance } from '../model/random.ts';
import { medianCoverage, repeatsOf, rtoRepeats, requestedConfidence } from './repeats.ts';
import { summarize } from './summarize.ts';
import { LogBuilder, planWith, probeOf } from './testing/log-builder.ts';

const measure = (ms: number, half = 0) => ({ ms, minMs: ms - half, maxMs: ms + half });
const of = (count: number) => Array.from({ length: count }, (_, i) => measure((i + 1) * 1000));

describe('the interval for the median', () => {
  test('holds it with the probability that the binomial distribution gives', () => {
    expect(medianCoverage(2, 1)).toBe(0.5);
    expect(medianCoverage(5, 1)).toBe(0.9375);
    expect(medianCoverage(6, 1)).toBe(0.968_75);
    expect(medianCoverage(10, 2)).toBeCloseTo(1 - (2 * 11) / 1024, 12);
    expect(medianCoverage(20, 6)).toBeCloseTo(0.958_6, 4);
    expect(medianCoverage(200, 86)).toBeGreaterThan(0.95);
  });

  test.each([
    // Too few values for the confidence: the whole range, with its coverage.
    [2, 1, 2, 0.5],
    [5, 1, 5, 0.937_5],
    [8, 1, 8, 0.992_187_5],
    [9, 2, 8, 0.960_937_5],
    [20, 6, 15, 0.958_610_534_667_968_8],
  ])('of %i values goes from number %i to number %i', (count, low, high, coverage) => {
    expect(repeatsOf(of(count), count, undefined)?.medianInterval).toEqual({
      lowMs: low * 1000,
      highMs: high * 1000,
      coverage,
    });
  });

  test('is at least as wide as the bounds of the measures', () => {
    const measures = [measure(1000, 300), measure(2000, 100), measure(3000, 2500)];
    expect(repeatsOf(measures, 3, undefined)?.medianInterval).toMatchObject({ lowMs: 500, highMs: 5500 });
  });

  test('contains the median of a skewed distribution as often as its coverage', () => {
    const truth = 0.5 ** 3;
    for (const count of [5, 8, 12, 30]) {
      const trials = 2000;
      let held = 0;
      let coverage = 0;
      for (let trial = 0; trial < trials; trial++) {
        const values = Array.from({ length: count }, (_, part) => measure(chance(5, trial, part) ** 3));
        const interval = repeatsOf(values, count, undefined)?.medianInterval;
        coverage = interval?.coverage ?? 0;
        if (interval !== undefined && interval.lowMs <= truth && truth <= (interval.highMs ?? 0)) held++;
      }
      expect(held / trials).toBeGreaterThan(coverage - 0.015);
      expect(held / trials).toBeLessThan(coverage + 0.015);
    }
  });
});

describe('repeats', () => {
  test('need two drills that measured something', () => {
    expect(repeatsOf([], 3, undefined)).toBeNull();
    expect(repeatsOf([measure(1000)], 3, undefined)).toBeNull();
    expect(repeatsOf(of(2), 3, undefined)).toMatchObject({ drills: 3, count: 2, minMs: 1000, maxMs: 2000 });
  });

  test('have the share of all cases that their worst covers', () => {
    const worst = repeatsOf([measure(1000, 10), measure(900, 300)], 2, undefined)?.worst;
    expect(worst).toMatchObject({ maxMs: 1200, confidence: requestedConfidence });
    expect(worst?.share).toBeCloseTo(Math.sqrt(0.05), 12);
    expect(repeatsOf(of(59), 59, undefined)?.worst.share).toBeGreaterThan(0.95);
    expect(repeatsOf(of(58), 58, undefined)?.worst.share).toBeLessThan(0.95);
  });

  test('that did not recover count as longer than all others', () => {
    const never = { ms: Infinity, minMs: 60_000, maxMs: Infinity };
    const found = repeatsOf([measure(1000), never, measure(3000), never], 5, undefined);
    expect(found).toMatchObject({
      drills: 5,
      count: 4,
      unended: { count: 2, longerThanMs: 60_000 },
      minMs: 1000,
      medianMs: null,
      maxMs: null,
      medianInterval: { lowMs: 1000, highMs: null },
      worst: { maxMs: null },
    });
    expect(repeatsOf([measure(1000), measure(2000), never], 3, undefined)).toMatchObject({
      medianMs: 2000,
      maxMs: null,
    });
  });

  test('include drills that did not recover in their RTO', () => {
    const lost = new LogBuilder(planWith({ probes: [probeOf('health')] }))
      .probing('health', 0, 90_000, 1000, (ms) =>
        ms < 10_000
          ? { status: 'ok', finishMs: ms + 5 }
          : { status: 'fail', cause: 'refused', finishMs: ms + 5 },
      )
      .fault(10_000, { healedMs: 80_000 })
      .at(80_000, { type: 'gate', gate: 'recovery', state: 'timeout', unmet: ['health: fail refused'] })
      .at(90_000, { type: 'run.ended' });
    const summary = summarize(lost.read());
    const found = rtoRepeats([summary, summary]);
    expect(found).toMatchObject({ drills: 2, count: 2, medianMs: null, unended: { count: 2 } });
    expect(found?.unended?.longerThanMs).toBeGreaterThan(60_000);
  });
});
