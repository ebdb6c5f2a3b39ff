import { describe, expect, test } from 'vitest';
import { Histogram } from './histogram.ts';
import { seeded } from './testing/log-builder.ts';

/** The percentile of all values by nearest rank. */
function exact(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? NaN;
}

describe('a histogram', () => {
  test('is within 1/256 of the true percentiles over seven orders of magnitude', () => {
    const random = seeded(7);
    for (let round = 0; round < 200; round++) {
      const scale = 10 ** (random() * 7 - 2);
      const values = Array.from({ length: 1 + Math.floor(random() * 300) }, () => {
        return Math.round(scale * random() * 1000) / 1000;
      });
      const histogram = new Histogram();
      for (const value of values) histogram.add(value);
      const spread = histogram.spread();
      for (const [share, found] of [
        [0.5, spread?.p50Ms],
        [0.99, spread?.p99Ms],
      ] as const) {
        const true_ = exact(values, share);
        expect(Math.abs((found ?? NaN) - true_)).toBeLessThanOrEqual(true_ / 256 + 0.0005);
      }
      expect(spread?.maxMs).toBe(Math.max(...values));
    }
  });

  test('is exact below 256 us, and where all values are the same', () => {
    const histogram = new Histogram();
    for (let us = 0; us < 256; us++) histogram.add(us / 1000);
    expect(histogram.spread()).toEqual({ p50Ms: 0.127, p99Ms: 0.253, maxMs: 0.255 });
    const same = new Histogram();
    for (let i = 0; i < 9; i++) same.add(4.321);
    expect(same.spread()).toEqual({ p50Ms: 4.321, p99Ms: 4.321, maxMs: 4.321 });
  });

  test('gives the same result in parts as in one', () => {
    const random = seeded(8);
    const [whole, part, joined] = [new Histogram(), new Histogram(), new Histogram()];
    for (let i = 0; i < 1000; i++) {
      const ms = random() ** 4 * 10_000;
      whole.add(ms);
      part.add(ms);
      if (i % 90 === 89) joined.addAll(part.take());
    }
    expect(part.spread()).not.toBeNull();
    joined.addAll(part.take());
    expect(part.spread()).toBeNull();
    expect(joined.spread()).toEqual(whole.spread());
  });

  test('counts a negative value as 0 and a value beyond its end as its end', () => {
    const histogram = new Histogram();
    for (const ms of [-5, 1e9, 1e9]) histogram.add(ms);
    expect(histogram.spread()).toMatchObject({ maxMs: 1e9, p50Ms: expect.closeTo(2 ** 31 / 1000, -5) });
  });
});
