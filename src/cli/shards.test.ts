import { describe, expect, test } from 'vitest';
import { planWith } from '../analysis/testing/log-builder.ts';
import { seedForShard } from './one-drill.ts';
import { jobsOfShard, ofShard, parseShard, spread } from './shards.ts';
import { jobsOf, loadSuite } from './suite.ts';
import type { TableJob } from './table-run.ts';

const loaded = loadSuite('certlocker', { variables: {} });
const jobs = jobsOf(loaded, { repeat: 2, seed: 7 });

/** A drill of the given rows. */
function job(number: number, ...rowIndices: readonly number[]): TableJob {
  const scenario = { name: `drill-${number}`, title: '', path: '', sha256: '', variables: {} };
  return { number, rowIndices, label: '', plan: planWith({ scenario }), round: 0 };
}

const rowsIn = (some: readonly TableJob[]) => [...new Set(some.flatMap(({ rowIndices }) => rowIndices))];

describe('the shards of a table', () => {
  test.each([1, 2, 3, 5])(
    '%i: each drill is in exactly one of them, with all drills of its rows',
    (count) => {
      const shards = Array.from({ length: count }, (_, i) => jobsOfShard(jobs, { index: i + 1, count }));
      const numbers = shards.flatMap((shard) => shard.map(({ number }) => number)).sort((a, b) => a - b);
      expect(numbers).toEqual(jobs.map(({ number }) => number));
      expect(numbers).toEqual(numbers.map((_, i) => i + 1));
      const rows = shards.flatMap(rowsIn);
      expect(new Set(rows).size).toBe(rows.length);
      for (const shard of shards) expect(shard.length).toBeGreaterThan(0);
    },
  );

  test('are the same after each split, in the table’s order', () => {
    const part = () => jobsOfShard(jobs, { index: 2, count: 3 }).map(({ number }) => number);
    expect(part()).toEqual(part());
    expect(part()).toEqual([...part()].sort((a, b) => a - b));
  });

  test('keep rows with a common drill together, directly or through other rows', () => {
    const some = [job(1, 0), job(2, 1, 4), job(3, 3), job(4, 2, 4), job(5, 5)];
    const shards = [1, 2].map((index) => rowsIn(jobsOfShard(some, { index, count: 2 })));
    expect(shards).toEqual([
      [1, 4, 2, 5],
      [0, 3],
    ]);
  });

  test('have about the same duration', () => {
    const some = [job(1, 0), job(2, 1), job(3, 2), job(4, 3)];
    const weightOf = (name: string) => (name === 'drill-3' ? 300 : 90);
    const shards = [1, 2].map((index) =>
      jobsOfShard(some, { index, count: 2 }, weightOf).map(({ number }) => number),
    );
    expect(shards).toEqual([[3], [1, 2, 4]]);
  });

  test('are at most as many as there are rows', () => {
    expect(() => jobsOfShard([job(1, 0), job(2, 0, 1)], { index: 1, count: 2 })).toThrow(
      /2 shards, but only 1 rows/,
    );
    expect(() => ofShard(['a', 'b'], { index: 3, count: 3 }, () => 1)).toThrow(/3 shards, but only 2 drills/);
  });
});

describe('the seed of a shard', () => {
  const fault = { id: 'f', kind: 'k', on: { host: 'h' }, atMs: 0, params: null };
  const plain = planWith({ faults: [fault] });
  const drawn = planWith({ faults: [{ ...fault, jitterMs: 1000 }] });
  const output = { data: () => undefined, text: () => undefined, progress: () => undefined };

  test('is required with a jitter, because each shard would have other fault times', () => {
    expect(() => seedForShard([plain, drawn], undefined, output)).toThrow(/--shard needs --seed/);
    expect(seedForShard([plain, drawn], 12, output)).toBe(12);
    expect(seedForShard([plain], undefined, output)).toBeGreaterThanOrEqual(0);
  });
});

test('parts go to the shard with the least weight, the heaviest part first', () => {
  expect(spread([1, 1, 1, 1], 2)).toEqual([1, 2, 1, 2]);
  expect(spread([14, 1, 1, 1, 3, 4, 1], 3)).toEqual([1, 3, 2, 3, 3, 2, 2]);
  // Drills without a known duration have weight 0.
  expect(spread([0, 0, 0], 2)).toEqual([1, 2, 1]);
  expect(spread([9, 0, 0], 3)).toEqual([1, 2, 3]);
});

test.each(['0/2', '3/2', '1', '1/', '-1/2', '1.5/2', '1/2/3', 'a/b', '1/99999', ''])(
  '%j is no shard',
  (text) => {
    expect(parseShard(text)).toBeUndefined();
    expect(parseShard('2/3')).toEqual({ index: 2, count: 3 });
  },
);
