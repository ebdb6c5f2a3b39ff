import { describe, expect, test } from 'vitest';
import { compareFigure, compareSides, drillsOf, mostRuns } from './compare.ts';
import { asKeptRun, type KeptRun } from './kept-run.ts';
import { keptOf } from './testing/kept.ts';

const runs = (rtos: readonly (number | null)[], parts: Partial<KeptRun> = {}, from = 0) =>
  rtos.map((rto, i) => keptOf(from + i, rto, parts));

function compare(a: readonly KeptRun[], b: readonly KeptRun[]) {
  return compareSides({ name: 'v1', runs: a }, { name: 'v2', runs: b });
}

const outcomes = (a: readonly KeptRun[], b: readonly KeptRun[]) =>
  compare(a, b).scenarios.map(({ scenario, figures }) => [
    scenario,
    ...figures.map(({ name, outcome }) => `${name}: ${outcome}`),
  ]);

describe('a comparison', () => {
  test('shows for each stage whether it is longer by more than noise', () => {
    const a = runs([30_000, 31_000, 32_000, 33_000]);
    const b = runs([40_000, 41_000, 42_000, 43_000], {}, 10);
    expect(outcomes(a, b)).toEqual([['crash', 'RTO: longer', 'notices: no-difference', 'serves: longer']]);
    expect(outcomes(b, a)).toEqual([['crash', 'RTO: shorter', 'notices: no-difference', 'serves: shorter']]);
    const [rto] = compare(a, b).scenarios[0]?.figures ?? [];
    expect(rto).toMatchObject({
      a: {
        count: 4,
        medianMs: 31_500,
        minMs: 30_000,
        maxMs: 33_000,
        bounds: { minMs: 29_950, maxMs: 33_050 },
      },
      shift: { ms: 10_000, minMs: 6900, maxMs: 13_100 },
    });
  });

  test('is undecided with one run each, however different they are', () => {
    expect(outcomes(runs([30_000]), runs([90_000], {}, 5))).toEqual([
      ['crash', 'RTO: cannot-tell', 'notices: cannot-tell', 'serves: cannot-tell'],
    ]);
  });

  test('counts the runs that measured the figure', () => {
    const compared = compare(
      runs([30_000, null, 31_000, null]),
      runs([40_000, 41_000, 42_000, 43_000], {}, 9),
    );
    expect(compared.scenarios[0]).toMatchObject({
      runs: { a: { total: 4, pass: 2, fail: 2, inconclusive: 0 } },
      figures: [{ figure: 'rto', a: { count: 2 }, outcome: 'cannot-tell' }, {}, {}],
    });
  });

  test('lists figures and scenarios of only one side', () => {
    const other = { scenario: { ...keptOf(0, 1).scenario, name: 'other' } };
    const compared = compare(
      [...runs([null]), ...runs([1000], other, 4)],
      [...runs([1000], {}, 8), ...runs([1], { scenario: { ...other.scenario, name: 'third' } }, 9)],
    );
    expect(compared).toMatchObject({ onlyA: ['other'], onlyB: ['third'] });
    expect(compared.scenarios[0]?.figures.map(({ outcome }) => outcome)).toEqual([
      'one-sided',
      'one-sided',
      'one-sided',
    ]);
  });

  test('has the bounds of stages if all runs have them', () => {
    const bounded = keptOf(1, 30_000, {
      stages: [
        { name: 'serves', startAt: '', endAt: '', ms: 29_000, minMs: 28_500, maxMs: 29_500, includes: [] },
      ],
    });
    const boundsOf = (b: KeptRun) =>
      compare([bounded], [b]).scenarios[0]?.figures.find(({ name }) => name === 'serves')?.a?.bounds;
    expect(boundsOf(bounded)).toEqual({ minMs: 28_500, maxMs: 29_500 });
    expect(boundsOf(keptOf(2, 30_000))).toBeNull();
  });

  test('reads the name of older versions for time that is not attributed', () => {
    const old = { ...keptOf(1, 30_000), stages: [{ name: 'unattributed', ms: 1000 }] };
    expect(asKeptRun(old)).toMatchObject({ stages: [{ name: 'not attributed' }] });
  });

  test('compares a stage that includes another one separately', () => {
    const joined = keptOf(1, 30_000);
    const b = { ...joined, stages: [{ ...joined.stages[1], includes: ['notices'] }] } as KeptRun;
    expect(outcomes(runs([30_000]), [b])).toEqual([
      [
        'crash',
        'RTO: cannot-tell',
        'notices: one-sided',
        'serves: one-sided',
        'serves (notices: not seen): one-sided',
      ],
    ]);
  });

  test('notes differences between the sides', () => {
    const bare = { stages: [] };
    const b = runs(
      [1000],
      { ...bare, target: 'staging', scenario: { ...keptOf(0, 1).scenario, sha256: 'bb' } },
      3,
    );
    expect(compare(runs([1000], bare), b).scenarios[0]?.notes).toEqual([
      'A ran on lab, B on staging',
      'the scenario file is not the same in all runs',
    ]);
    expect(compare(runs([1000], bare), runs([1000], bare, 3)).scenarios[0]?.notes).toEqual([]);
  });

  test('counts runs that did not recover as longer than the wait', () => {
    const never = runs([null, null, null, null], { longerThan: { rto: 60_000 } }, 9);
    const [rto] = compare(runs([30_000, 31_000, 32_000, 33_000]), never).scenarios[0]?.figures ?? [];
    expect(rto).toMatchObject({
      name: 'RTO',
      outcome: 'longer',
      b: { count: 4, nights: 4, unended: { count: 4, longerThanMs: 60_000 }, medianMs: Infinity },
      missed: { a: { of: 4, missed: 0 }, b: { of: 4, missed: 4 } },
    });
    expect(rto?.missed?.p).toBeCloseTo(2 / 70, 6);
  });

  test('notes which runs have no bounds of stages, and why', () => {
    const bounded = {
      stages: keptOf(0, 1000).stages.map((stage) => ({ ...stage, minMs: stage.ms - 5, maxMs: stage.ms + 5 })),
    };
    const notesOf = (a: readonly KeptRun[], b: readonly KeptRun[]) => compare(a, b).scenarios[0]?.notes;
    expect(notesOf(runs([1000, 1001]), runs([1000], bounded, 3))).toEqual([
      'stages are shown without bounds: 2 runs of A have none, because an older version wrote them, and they count as exact; run `firedrill report` on their folders to add bounds',
    ]);
    expect(notesOf(runs([1000], bounded), [...runs([1000], {}, 3), ...runs([1], bounded, 4)])).toEqual([
      'stages are shown without bounds: 1 run of B has none, because an older version wrote them, and it counts as exact; run `firedrill report` on their folders to add bounds',
    ]);
    expect(notesOf(runs([1000]), runs([1000], {}, 3))).toEqual([
      'stages are shown without bounds: 1 run of A and 1 run of B have none, because an older version wrote them, and they count as exact; run `firedrill report` on their folders to add bounds',
    ]);
    expect(notesOf(runs([1000], bounded), runs([1000], bounded, 3))).toEqual([]);
    expect(notesOf(runs([null]), runs([null], {}, 3))).toEqual([]);
  });

  test('compares other figures by their name in a table', () => {
    const total = (ms: number) => ({
      checks: [{ kind: 'happens', name: 'split', measured: { ms, minMs: ms, maxMs: ms } }],
    });
    expect(compareFigure('happens:split', runs([1], total(100)), runs([1], total(300)))).toMatchObject({
      name: 'split',
      shift: { ms: 200 },
    });
  });
});

describe('one drill', () => {
  const withVariables = (variables: Record<string, string>) => ({
    scenario: { ...keptOf(0, 1).scenario, variables },
  });

  test('has the same values of the variables that differ at all', () => {
    const both = runs([1, 2], withVariables({ direction: 'both', cut: '30s' }));
    const one = runs([3], withVariables({ direction: 'in', cut: '30s' }), 4);
    const drills = drillsOf([...both, ...one], []);
    expect([...drills].map(([name, { a }]) => [name, a.length])).toEqual([
      ['crash (direction=both)', 2],
      ['crash (direction=in)', 1],
    ]);
  });

  test('is on one target if a side has multiple, and may be on two if each side has one', () => {
    const staging = runs([1], { target: 'staging' }, 5);
    expect([...drillsOf(runs([1]), staging).keys()]).toEqual(['crash']);
    expect([...drillsOf([...runs([1]), ...staging], runs([2], {}, 9)).keys()]).toEqual([
      'crash on lab',
      'crash on staging',
    ]);
  });

  test('has its newest runs, at most `mostRuns`', () => {
    const many = runs(Array.from({ length: mostRuns + 20 }, (_, i) => i + 1));
    const { a = [] } = drillsOf(many, []).get('crash') ?? {};
    expect(a).toHaveLength(mostRuns);
    expect(a[0]?.runId).toBe(`run-${mostRuns + 19}`);
  });
});
