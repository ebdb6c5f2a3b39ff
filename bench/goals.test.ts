import { describe, expect, it } from 'vitest';
import type { OutageKind } from './fault-server/messages.ts';
import { goalsOf, shareInterval } from './goals.ts';
import type { Judged } from './judge.ts';
import type { PartResults, PartRun, Results } from './results.ts';
import { renderTable } from './table.ts';

const conditions = {
  startedAt: '2026-03-01T10:00:00.000Z',
  cores: 2,
  cpu: 'simulated',
  memoryGib: 4,
  system: 'Debian',
  kernel: '6.1',
  node: '24.0.0',
  loadBefore: 0,
};
const run = <P extends keyof PartResults>(result: PartResults[P]): PartRun<PartResults[P]> => ({
  conditions,
  seed: 1,
  result,
});

const judged = (errorMs: number, more: Partial<Judged> = {}): Judged => ({
  kind: 'refused',
  trueMs: 3437,
  windows: 1,
  reportedMs: 3437 + errorMs,
  errorMs,
  held: true,
  halfWidthMs: 100,
  ...more,
});

const windows = (outages: readonly Judged[]): Results => ({
  windows: run<'windows'>({
    tools: [{ tool: 'firedrill 100 ms', reading: '', outages, strays: 0, totalRatio: 1 }],
    scripted: 7,
    voided: 2,
    truthUncertainMs: 1,
    noBlackHole: null,
  }),
});

const metOf = (results: Results, what: string) => goalsOf(results).find((goal) => goal.what === what)?.met;

describe('goalsOf', () => {
  it('allows an error of the interval and 5 ms, either way', () => {
    const met = (errorMs: number) =>
      metOf(windows([judged(0), judged(errorMs)]), 'window error, firedrill 100 ms');
    expect([met(105), met(-105), met(106), met(-106)]).toEqual([true, true, false, false]);
  });

  it('requires that every long late reply is found, and ignores short ones', () => {
    const late = (trueMs: number, found: number): Judged =>
      judged(-50, { kind: 'late' satisfies OutageKind, trueMs, windows: found });
    const met = (...outages: readonly Judged[]) => metOf(windows(outages), 'late replies, firedrill 100 ms');
    expect(met(late(437, 1), late(210, 0))).toBe(true);
    expect(met(late(437, 1), late(260, 0))).toBe(false);
  });

  it('requires that the bounds contain the true value in all of at least 300 windows', () => {
    const met = (count: number, wrong: number) =>
      metOf(
        windows([
          ...Array.from({ length: count }, () => judged(0)),
          ...Array.from({ length: wrong }, () => judged(0, { held: false })),
        ]),
        'bounds contain the true value',
      );
    expect([met(300, 0), met(299, 0), met(300, 1)]).toEqual([true, false, false]);
  });

  it('requires an RTO of every drill', () => {
    const trial = (ms: number | null, voided = false) => ({
      kind: 'hang' as const,
      trueMs: 2000,
      reported: ms === null ? null : { ms, minMs: ms - 30, maxMs: ms + 30 },
      voided,
    });
    const met = (...trials: readonly ReturnType<typeof trial>[]) =>
      metOf({ rto: run<'rto'>(trials) }, 'RTO of whole drills, burst 50 ms');
    expect([met(trial(2030), trial(1970)), met(trial(2031)), met(trial(2000), trial(null))]).toEqual([
      true,
      false,
      false,
    ]);
    // A drill with a stall of the server at an edge does not count.
    expect(met(trial(2000), trial(2300, true))).toBe(true);
  });

  it('requires that hostile servers are classified correctly, no slot is lost, and no sample exceeds its timeout', () => {
    const goals = (more: Partial<PartResults['hostile']>) =>
      goalsOf({
        hostile: run<'hostile'>({
          servers: 25,
          samples: 9975,
          lost: 0,
          dropped: 0,
          latenessP99Ms: 2,
          overrunMs: 99,
          stalled: 3,
          misjudged: [],
          growthBytes: 1e6,
          ...more,
        }),
      }).map(({ met }) => met);
    expect(goals({})).toEqual([true, true]);
    for (const bad of [
      { lost: 1 },
      { dropped: 1 },
      { latenessP99Ms: 6 },
      { overrunMs: 101 },
      { growthBytes: 6e6 },
    ])
      expect(goals(bad)).toEqual([false, true]);
    expect(goals({ misjudged: ['resets: ok'] })).toEqual([true, false]);
  });

  it('requires that no outage of a server is reported while it is up, under any load', () => {
    const level = {
      busy: 16,
      raised: true,
      samples: 300,
      failed: 40,
      reported: 0,
      uncertain: 2,
      reportedWithout: 2,
      starved: 3,
      starvedMs: 9000,
      dilation: null,
    };
    const goals = goalsOf({ overload: run<'overload'>([level, { ...level, reported: 1 }]) });
    expect(goals.map(({ met }) => met)).toEqual([true, false]);
  });

  it('has no goals for parts that were not run', () => {
    expect(goalsOf({})).toEqual([]);
  });
});

it('shows errors by kind of outage, absent tools, and missed goals', () => {
  const results = windows([judged(-20), judged(40), judged(-3437, { windows: 0, kind: 'hang' })]);
  const absent = {
    tool: 'httping',
    reading: 'absent',
    outages: null,
    strays: 0,
    totalRatio: null,
  };
  const { result } = results.windows!;
  const text = renderTable({ windows: run<'windows'>({ ...result, tools: [...result.tools, absent] }) });
  expect(text).toContain('| firedrill 100 ms | 2/2: -20..+40 | 0/1: -3437..-3437 |  |  |  | 1.00 | 0 |');
  expect(text).toContain('| httping | absent | absent | absent | absent | absent |  |  |');
  expect(text).toContain('the server itself was stalled at an edge: 2 of 7 outages.');
  expect(text).toContain('-3437 to +40 ms, 3 outages | **no** |');
});

describe('false alarms of a nightly gate', () => {
  const row = (alarms: number, strict: number) => ({
    baselineNights: 7,
    nowNights: 7,
    runs: [1, 1] as const,
    drills: 24,
    unchanged: { alarms, of: 4000 },
    unchangedStrict: { alarms: strict, of: 4000 },
    byRuns: { alarms: 0, of: 1 },
    byRunsStrict: { alarms: 0, of: 1 },
    all10: { alarms: 0, of: 1 },
    all25: { alarms: 0, of: 1 },
    one50: { alarms: 0, of: 1 },
    oneStuck: { alarms: 0, of: 1 },
  });
  const met = (alarms: number, strict: number) =>
    metOf(
      {
        nights: run<'nights'>({
          trials: 4000,
          nightEffect: 0.08,
          runNoise: 0.15,
          rows: [row(alarms, strict)],
        }),
      },
      'false alarms, 7 nights against 7, 24 drills, 1 and 1 runs a night',
    );

  it('miss the goal if they are significantly above 2.5 %, with or without a tolerance', () => {
    expect([met(0, 0), met(100, 110), met(140, 100), met(100, 140)]).toEqual([true, true, false, false]);
  });

  it('have Wilson’s interval', () => {
    const { low, high } = shareInterval({ alarms: 100, of: 4000 });
    expect(low).toBeCloseTo(0.020_6, 4);
    expect(high).toBeCloseTo(0.030_3, 4);
    expect(shareInterval({ alarms: 0, of: 10 }).low).toBe(0);
  });
});
