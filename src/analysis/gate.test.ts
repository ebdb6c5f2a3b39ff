import { describe, expect, test } from 'vitest';
import { chance } from '../model/random.ts';
import { durationOf, type BaselineGate, gateOf, isUnknownDrill } from './gate.ts';
import type { KeptRun } from './kept-run.ts';
import { about, keptOf } from './testing/kept.ts';
import { defaultTolerance, parseTolerance, type Tolerance, toleranceText } from './tolerance.ts';

/** One run per night. */
const runs = (from: number, rtos: readonly (number | null)[], parts: Partial<KeptRun> = {}) =>
  rtos.map((rto, i) => keptOf(from + i, rto, parts));

function judge(
  before: readonly KeptRun[],
  now: readonly KeptRun[],
  tolerance: Tolerance = defaultTolerance,
  figures: ReadonlyMap<string, ReadonlySet<string>> = new Map(),
) {
  return gateOf({ name: 'v1', runs: before }, { name: 'now', runs: now }, { tolerance, figures }).drills;
}

const before = [30_000, 30_500, 31_000, 31_500];

describe('against a baseline', () => {
  test('a figure that is longer by more than noise and the tolerance is worse', () => {
    const [found] = judge(runs(0, before), runs(9, [40_000, 40_500, 41_000, 41_500]));
    expect(found).toMatchObject({
      drill: 'crash',
      figure: 'rto',
      status: 'fail',
      why: 'worse: RTO 30.75 s before, 40.75 s now, longer by +8.40 s to +11.60 s; the tolerance is 3.08 s',
    });
  });

  test('a figure that is longer within the tolerance is not worse', () => {
    const now = runs(9, [33_000, 33_200, 33_400, 33_600]);
    // Certainly 1.4 s to 3.7 s longer: above 1 s, below 4 s, undecided for 10 %.
    const found = (text: string) => judge(runs(0, before), now, parseTolerance(text))[0];
    expect(found('1s')).toMatchObject({ status: 'fail', toleranceMs: 1000 });
    expect(found('4s')).toMatchObject({ status: 'pass', toleranceMs: 4000 });
    expect(found('10%')).toMatchObject({ status: 'inconclusive', toleranceMs: 3075 });
    expect(found('10%')?.why).toMatch(/^inconclusive: .*; the tolerance of 3\.08 s lies within that$/);
  });

  test('a figure that is shorter is no worse', () => {
    const [found] = judge(runs(0, before), runs(9, [20_000, 20_100, 20_200, 20_300]));
    expect(found).toMatchObject({ status: 'pass' });
    expect(found?.why).toMatch(/^no worse: RTO 30\.75 s before, 20\.15 s now/);
  });

  test('too few nights are inconclusive, however much longer they took', () => {
    const [found] = judge(runs(0, [30_000]), runs(9, [90_000]));
    expect(found).toMatchObject({ status: 'inconclusive' });
    expect(found?.why).toMatch(/^inconclusive with 1 and 1 nights, at least 4 are needed on each side/);
  });

  test('wide bounds of the measurements are noise, too', () => {
    const wide = (ms: number) => ({ ...about(ms), minMs: ms - 8000, maxMs: ms + 8000, first: null });
    const now = [40_000, 40_500, 41_000, 41_500].map((ms, i) => keptOf(9 + i, ms, { rto: wide(ms) }));
    expect(judge(runs(0, before), now)[0]).toMatchObject({ status: 'inconclusive' });
  });

  test('a drill without a run in the baseline, or without a measure, is inconclusive', () => {
    const other = { scenario: { ...keptOf(0, 1).scenario, name: 'other' } };
    expect(judge(runs(0, before), runs(9, [1000], other))).toMatchObject([
      { drill: 'other', status: 'inconclusive', why: 'inconclusive: the baseline has no run of this drill' },
    ]);
    expect(isUnknownDrill('inconclusive: the baseline has no run of this drill')).toBe(true);
    expect(isUnknownDrill('cannot tell: the baseline has no run of it')).toBe(true);
    expect(isUnknownDrill('inconclusive: no RTO was measured now')).toBe(false);
    expect(judge(runs(0, before), runs(9, [null]))[0]?.why).toBe('inconclusive: no RTO was measured now');
    expect(judge(runs(0, [null]), runs(9, before))[0]?.why).toBe(
      'inconclusive: no RTO was measured in the baseline',
    );
  });

  test('a drill of a table is judged by the figures of its rows', () => {
    const timed = (ms: number) => ({ redundancy: about(ms) });
    const nights = [...before, ...before.map((ms) => ms + 7)];
    const old = nights.map((ms, i) => keptOf(i, ms, timed(10_000 + i)));
    const now = nights.map((ms, i) => keptOf(9 + i, ms, timed(20_000 + i)));
    const found = judge(old, now, defaultTolerance, new Map([['crash', new Set(['redundancy', 'rto'])]]));
    expect(found.map(({ figure, status }) => [figure, status])).toEqual([
      ['redundancy', 'fail'],
      ['rto', 'pass'],
    ]);
    expect(found[0]?.why).toContain('time to redundancy 10.00 s before');
  });

  test('the runs of one night are one value, so many of them prove nothing', () => {
    // Each side in one night, an hour apart; the machine was slow in one of the two.
    const oneNight = (from: number, rtos: readonly number[]) =>
      rtos.map((rto, i) => {
        const startedAt = new Date(Date.UTC(2026, 3, from, i)).toISOString();
        return keptOf(100 * from + i, rto, { startedAt, endedAt: startedAt });
      });
    const slow = before.map((ms) => ms * 1.5);
    const [found] = judge(oneNight(1, before), oneNight(2, slow));
    expect(found).toMatchObject({
      status: 'inconclusive',
      baseline: { count: 4, nights: 1 },
      now: { nights: 1 },
    });
    expect(found?.why).toMatch(/^inconclusive with 1 and 1 nights, at least 4 are needed on each side/);
  });

  test('runs that did not recover count as longer than the wait', () => {
    const never = [0, 1, 2, 3].map((i) => keptOf(9 + i, null, { longerThan: { rto: 60_000 } }));
    const [found] = judge(runs(0, before), never);
    expect(found).toMatchObject({
      status: 'fail',
      now: { count: 4, unended: { count: 4, longerThanMs: 60_000 } },
    });
    expect(found?.why).toContain('RTO 30.75 s before, longer than 60.00 s now');
    // One of five nights.
    const some = [...runs(9, [30_100, 30_200, 30_300, 30_400]), never[3]!];
    const [one] = judge(
      runs(0, before),
      some.map((run, i) => ({ ...run, startedAt: keptOf(9 + i, 1).startedAt })),
    );
    expect(one).toMatchObject({ status: 'inconclusive', now: { count: 5, maxMs: Infinity } });
  });

  test('a service that recovers less often is worse, however long its limit', () => {
    // The wait is shorter than the baseline's slowest recovery, so the times alone cannot show it.
    const slow = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => keptOf(i, 30_000 + 10_000 * i));
    const never = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => keptOf(20 + i, null, { longerThan: { rto: 31_000 } }));
    const [found] = judge(slow, never);
    expect(found).toMatchObject({ status: 'fail' });
    expect(found?.why).toMatch(/^worse: a run timed out in 8 of 8 nights now, in 0 of 8 before/);
  });

  test('a run that was cut short did not time out', () => {
    const cut = [0, 1, 2, 3, 4, 5, 6, 7].map((i) =>
      keptOf(20 + i, null, { longerThan: { rto: 1000 }, cutShort: true }),
    );
    const slow = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => keptOf(i, 30_000 + 10_000 * i));
    expect(judge(slow, cut)).toMatchObject([{ status: 'inconclusive', p: { missed: null } }]);
  });

  test('without a change, at most one in 40 is worse, also without a tolerance', () => {
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

describe('many drills against a baseline', () => {
  const drills = Array.from({ length: 24 }, (_, i) => `drill-${i}`);
  /** A run of each drill in each night; a night is slow or quick as a whole. */
  const nights = (trial: number, from: number, count: number, factorOf: (drill: number) => number) =>
    Array.from({ length: count }, (_, night) =>
      drills.map((name, drill) => {
        const effect = 0.28 * (chance(11, trial, from + night) - 0.5);
        const own = 0.3 * (chance(12, trial, (from + night) * drills.length + drill) - 0.5);
        const run = keptOf(from + night, (20_000 + 500 * drill) * Math.exp(effect + own) * factorOf(drill));
        return { ...run, runId: `${name}-${from + night}`, scenario: { ...run.scenario, name } };
      }),
    ).flat();
  const gate = (trial: number, count: number, factorOf: (drill: number) => number = () => 1) =>
    gateOf(
      { name: 'v1', runs: nights(trial, 0, count, () => 1) },
      { name: 'now', runs: nights(trial, 100, count, factorOf) },
      { tolerance: defaultTolerance, figures: new Map() },
    );
  const isAlarm = ({ drills, together }: Pick<BaselineGate, 'drills' | 'together'>) =>
    together?.status === 'fail' || drills.some(({ status }) => status === 'fail');
  const alarms = (trials: number, of: (trial: number) => Pick<BaselineGate, 'drills' | 'together'>) =>
    Array.from({ length: trials }, (_, trial) => of(trial)).filter(isAlarm).length;

  test('raise a false alarm in one of 40 nights at most, though a night is slow as a whole', () => {
    const trials = 120;
    // 24 tests of single figures would raise more: the figures of a night depend on each other.
    expect(alarms(trials, (trial) => gate(trial, 7)) / trials).toBeLessThanOrEqual(0.025 + 0.02);
  });

  test('that all take two fifths longer raise an alarm together, although no single one does', () => {
    const found = gate(1, 5, () => 1.4);
    expect(found.together).toMatchObject({ status: 'fail', drills: 24, nights: { baseline: 5, now: 5 } });
    expect(found.together?.why).toMatch(/^slower: \+\d+\.\d % \(.*\) in the median of 24 figures/);
    expect(found.drills.filter(({ status }) => status === 'fail')).toHaveLength(0);
  });

  test('of which one takes twice as long, that one is found', () => {
    const found = gate(2, 8, (drill) => (drill === 3 ? 2 : 1));
    expect(found.drills.filter(({ status }) => status === 'fail').map(({ drill }) => drill)).toEqual([
      'drill-3',
    ]);
    expect(found.together?.status).not.toBe('fail');
  });

  test('that all got slower within an explicit tolerance raise no alarm', () => {
    const runsOf = (from: number, factor: number) => nights(3, from, 8, () => factor);
    const judged = (tolerance: Tolerance) =>
      gateOf(
        { name: 'v1', runs: runsOf(0, 1) },
        { name: 'now', runs: runsOf(100, 1.3) },
        { tolerance, figures: new Map() },
      ).together;
    expect(judged(defaultTolerance)?.status).toBe('fail');
    expect(judged(parseTolerance('50%')!)?.status).not.toBe('fail');
  });
});

describe('a tolerance', () => {
  test.each([
    ['10%', { share: 0.1, ms: 0, together: true as const }, '10 %'],
    ['2.5%', { share: 0.025, ms: 0, together: true as const }, '2.5 %'],
    ['0%', { share: 0, ms: 0, together: true as const }, '0 ms'],
    ['2s', { share: 0, ms: 2000, together: true as const }, '2 s'],
    ['500ms', { share: 0, ms: 500, together: true as const }, '500 ms'],
  ])('%s', (text, tolerance, words) => {
    expect(parseTolerance(text)).toEqual(tolerance);
    expect(toleranceText(tolerance)).toBe(words);
  });

  test.each(['', '10', '-5%', 'ten', '10 %', '1e3%'])('%j is none', (text) => {
    expect(parseTolerance(text)).toBeUndefined();
  });

  test('is 10 % by default, and at least 1 s', () => {
    expect(toleranceText(defaultTolerance)).toBe('10 %, at least 1 s');
    expect(judge(runs(0, [2000]), runs(5, [2000]))[0]?.toleranceMs).toBe(1000);
    expect(judge(runs(0, [60_000]), runs(5, [2000]))[0]?.toleranceMs).toBe(6000);
  });
});

test('the duration of a drill is the median of its runs; for a new drill, the mean of the others', () => {
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
