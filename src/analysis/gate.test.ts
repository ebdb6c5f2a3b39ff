import { describe, expect, test } from 'vitest';
import { chance } from '../model/random.ts';
import {
  defaultTolerance,
  durationOf,
  parseTolerance,
  regressionsOf,
  type Tolerance,
  toleranceWords,
} from './gate.ts';
import type { KeptRun } from './kept-run.ts';
import { about, keptOf } from './testing/kept.ts';

const runs = (from: number, rtos: readonly (number | null)[], parts: Partial<KeptRun> = {}) =>
  rtos.map((rto, i) => keptOf(from + i, rto, parts));

function judge(
  before: readonly KeptRun[],
  now: readonly KeptRun[],
  tolerance: Tolerance = defaultTolerance,
  figures: ReadonlyMap<string, ReadonlySet<string>> = new Map(),
) {
  return regressionsOf({ name: 'v1', runs: before }, { name: 'now', runs: now }, { tolerance, figures });
}

const before = [30_000, 30_500, 31_000, 31_500];

describe('against a baseline', () => {
  test('what is longer by more than noise and the tolerance is worse', () => {
    const [found] = judge(runs(0, before), runs(9, [40_000, 40_500, 41_000, 41_500]));
    expect(found).toMatchObject({
      drill: 'crash',
      figure: 'rto',
      status: 'fail',
      why: 'worse: RTO 30.75 s before, 40.75 s now, longer by +8.40 s to +11.60 s; 3.08 s more are allowed',
    });
  });

  test('what is longer, but within the tolerance, is not', () => {
    const now = runs(9, [33_000, 33_200, 33_400, 33_600]);
    // 1.4 s to 3.7 s longer, surely: more than 1 s, less than 4 s, neither for 10 %.
    const found = (text: string) => judge(runs(0, before), now, parseTolerance(text))[0];
    expect(found('1s')).toMatchObject({ status: 'fail', toleranceMs: 1000 });
    expect(found('4s')).toMatchObject({ status: 'pass', toleranceMs: 4000 });
    expect(found('10%')).toMatchObject({ status: 'inconclusive', toleranceMs: 3075 });
    expect(found('10%')?.why).toMatch(
      /^cannot tell: .* neither surely more nor surely less than the 3\.08 s/,
    );
  });

  test('what is shorter is no worse', () => {
    const [found] = judge(runs(0, before), runs(9, [20_000, 20_100, 20_200, 20_300]));
    expect(found).toMatchObject({ status: 'pass' });
    expect(found?.why).toMatch(/^no worse: RTO 30\.75 s before, 20\.15 s now/);
  });

  test('too few runs tell nothing, however much longer they took', () => {
    const [found] = judge(runs(0, [30_000]), runs(9, [90_000]));
    expect(found).toMatchObject({ status: 'inconclusive' });
    expect(found?.why).toMatch(/^cannot tell with 1 and 1 runs, it takes 4 each/);
  });

  test('wide bounds of the measurements are noise, too', () => {
    const wide = (ms: number) => ({ ...about(ms), minMs: ms - 8000, maxMs: ms + 8000, first: null });
    const now = [40_000, 40_500, 41_000, 41_500].map((ms, i) => keptOf(9 + i, ms, { rto: wide(ms) }));
    expect(judge(runs(0, before), now)[0]).toMatchObject({ status: 'inconclusive' });
  });

  test('a drill that the baseline has not, or that measured nothing, cannot be told', () => {
    const other = { scenario: { ...keptOf(0, 1).scenario, name: 'other' } };
    expect(judge(runs(0, before), runs(9, [1000], other))).toMatchObject([
      { drill: 'other', status: 'inconclusive', why: 'cannot tell: the baseline has no run of it' },
    ]);
    expect(judge(runs(0, before), runs(9, [null]))[0]?.why).toBe('cannot tell: no RTO was measured now');
    expect(judge(runs(0, [null]), runs(9, before))[0]?.why).toBe(
      'cannot tell: no RTO was measured in the baseline',
    );
  });

  test('a drill of a table is judged by the figures of its rows', () => {
    const timed = (ms: number) => ({ redundancy: about(ms) });
    const old = before.map((ms, i) => keptOf(i, ms, timed(10_000 + i)));
    const now = before.map((ms, i) => keptOf(9 + i, ms, timed(20_000 + i)));
    const found = judge(old, now, defaultTolerance, new Map([['crash', new Set(['redundancy', 'rto'])]]));
    expect(found.map(({ figure, status }) => [figure, status])).toEqual([
      ['redundancy', 'fail'],
      ['rto', 'pass'],
    ]);
    expect(found[0]?.why).toContain('time to redundancy 10.00 s before');
  });

  test('where nothing changed, one in 40 is called worse at most, also without a tolerance', () => {
    const trials = 1500;
    const rto = (trial: number, part: number) => 20_000 + 20_000 * chance(3, trial, part);
    let alarms = 0;
    for (let trial = 0; trial < trials; trial++) {
      const drawn = (from: number) =>
        runs(
          from,
          [0, 1, 2, 3, 4].map((i) => rto(trial, from + i)),
        );
      const [found] = judge(drawn(0), drawn(5), { share: 0, ms: 0 });
      if (found?.status === 'fail') alarms++;
    }
    expect(alarms).toBeGreaterThan(0);
    expect(alarms / trials).toBeLessThanOrEqual(1 / 40);
  });
});

describe('a tolerance', () => {
  test.each([
    ['10%', { share: 0.1, ms: 0 }, '10 %'],
    ['2.5%', { share: 0.025, ms: 0 }, '2.5 %'],
    ['0%', { share: 0, ms: 0 }, '0 ms'],
    ['2s', { share: 0, ms: 2000 }, '2 s'],
    ['500ms', { share: 0, ms: 500 }, '500 ms'],
  ])('%s', (text, tolerance, words) => {
    expect(parseTolerance(text)).toEqual(tolerance);
    expect(toleranceWords(tolerance)).toBe(words);
  });

  test.each(['', '10', '-5%', 'ten', '10 %', '1e3%'])('%j is none', (text) => {
    expect(parseTolerance(text)).toBeUndefined();
  });

  test('is a tenth by default, and a second at least', () => {
    expect(toleranceWords(defaultTolerance)).toBe('10 %, at least 1 s');
    expect(judge(runs(0, [2000]), runs(5, [2000]))[0]?.toleranceMs).toBe(1000);
    expect(judge(runs(0, [60_000]), runs(5, [2000]))[0]?.toleranceMs).toBe(6000);
  });
});

test('how long a drill takes is the median of its runs; of one that is new, the mean of the others', () => {
  const lasting = (number: number, name: string, seconds: number): KeptRun => {
    const run = keptOf(number, 1);
    const endedAt = new Date(Date.parse(run.startedAt) + seconds * 1000).toISOString();
    return { ...run, endedAt, scenario: { ...run.scenario, name } };
  };
  const known = [10, 20, 60].map((seconds, i) => lasting(i, 'a', seconds));
  const of = durationOf([...known, lasting(9, 'b', 40)]);
  expect([of('a'), of('b'), of('new')]).toEqual([20_000, 40_000, 30_000]);
  expect(durationOf([])('any')).toBe(1);
});
