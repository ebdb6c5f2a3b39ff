import { expect, test } from 'vitest';
import type { Analysis } from '../../../src/analysis/summarize.ts';
import type { CheckResult, Measure, Summary } from '../../../src/core/summary.ts';
import { runMs } from '../../../src/core/time.ts';
import { familyOf } from './families.ts';
import { judgeBounds, judgeVerdict } from './judge.ts';
import { judgeGates } from './judge-gates.ts';
import { judgeAnalysis, judgeCase } from './judge-case.ts';
import { analyseCase, simulate, type SimulatedCase } from './simulate.ts';
import { addCase, emptyTally, isViolation } from './tally.ts';

const truth = { full: 1000, least: 900, most: 1100, withLongestHidden: 1000 };

test('bounds contain the truth, or miss it, or miss only changes that no sample met', () => {
  expect(judgeBounds({ minMs: 950, maxMs: 1050 }, truth)).toBe('held');
  expect(judgeBounds({ minMs: 0, maxMs: 950 }, truth)).toBe('one-hidden');
  expect(judgeBounds({ minMs: 1050, maxMs: 2000 }, truth)).toBe('hidden');
  expect(judgeBounds({ minMs: 0, maxMs: 890 }, truth)).toBe('violated');
  expect(judgeBounds({ minMs: 1110, maxMs: 2000 }, truth)).toBe('violated');
});

test('a verdict is right, wrong, or wrong only by changes that no sample met', () => {
  expect(judgeVerdict('pass', { maxMs: 1000 }, truth)).toBe('right');
  expect(judgeVerdict('pass', { maxMs: 950 }, truth)).toBe('hidden-wrong');
  expect(judgeVerdict('pass', { maxMs: 890 }, truth)).toBe('wrong');
  expect(judgeVerdict('fail', { maxMs: 890 }, truth)).toBe('right');
  expect(judgeVerdict('fail', { maxMs: 1050 }, truth)).toBe('hidden-wrong');
  expect(judgeVerdict('fail', { maxMs: 1200 }, truth)).toBe('wrong');
  expect(judgeVerdict('fail', { minMs: 890 }, truth)).toBe('wrong');
  expect(judgeVerdict('pass', { minMs: 1200 }, truth)).toBe('wrong');
  expect(judgeVerdict('inconclusive', { maxMs: 890 }, truth)).toBe('inconclusive');
});

async function caseOf(name: string, seed: number): Promise<{ one: SimulatedCase; analysis: Analysis }> {
  const family = familyOf(name);
  if (family === undefined) throw new Error(`find family ${name}: it does not exist`);
  const one = await simulate(family, seed);
  return { one, analysis: analyseCase(one) };
}

const oneOutage = () => caseOf('failures', 1);

const wrongIn = (one: SimulatedCase, analysis: Analysis): string[] =>
  judgeAnalysis(one, analysis)
    .filter(isViolation)
    .map(({ figure }) => figure);

test('a correct analysis has no violation', async () => {
  const { one, analysis } = await oneOutage();
  expect(judgeAnalysis(one, analysis).length).toBeGreaterThan(8);
  expect(wrongIn(one, analysis)).toEqual([]);
});

test('a bound moved past the truth is detected', async () => {
  const { one, analysis } = await oneOutage();
  const { summary } = analysis;
  const { rto, downtime } = summary;
  if (rto === null || downtime === null) throw new Error('read the summary: it has no RTO or no downtime');
  const later = <M extends Measure>(measure: M): M => ({ ...measure, minMs: measure.maxMs + 1, maxMs: 1e6 });
  const sooner = <M extends Measure>(measure: M): M => ({ ...measure, minMs: 0, maxMs: measure.minMs - 1 });
  const withRto = (changed: typeof rto): Analysis => ({ ...analysis, summary: { ...summary, rto: changed } });
  expect(wrongIn(one, withRto(later(rto)))).toEqual(['RTO']);
  expect(wrongIn(one, withRto(sooner(rto)))).toEqual(['RTO']);
  expect(wrongIn(one, { ...analysis, summary: { ...summary, downtime: sooner(downtime) } })).toEqual([
    'downtime',
  ]);
});

test('an inverted verdict is detected', async () => {
  const { one, analysis } = await oneOutage();
  const turned = { pass: 'fail', fail: 'pass', inconclusive: 'inconclusive' } as const;
  const checks = analysis.summary.checks.map((check) => ({ ...check, status: turned[check.status] }));
  const decided = checks.filter(({ status }) => status !== 'inconclusive').length;
  const wrong = wrongIn(one, { ...analysis, summary: { ...analysis.summary, checks } });
  expect(decided).toBeGreaterThan(2);
  expect(wrong).toHaveLength(decided);
});

test('a window with a moved edge, and an outage without a window, are detected', async () => {
  const { one, analysis } = await oneOutage();
  const [[id, [window]] = ['', []], ...others] = [...analysis.windows];
  if (window === undefined) throw new Error('read the windows: there is none');
  const moved = { ...window, startLoMs: window.startHiMs, startHiMs: runMs(window.startHiMs + 1) };
  expect(others).toEqual([]);
  expect(wrongIn(one, { ...analysis, windows: new Map([[id, [moved]]]) })).toEqual(['window']);
  expect(wrongIn(one, { ...analysis, windows: new Map([[id, []]]) })).toEqual(['outage found']);
});

test('a log that the analysis cannot read counts as a violation', async () => {
  const { one } = await oneOutage();
  const judged = judgeCase({ ...one, lines: ['{'] });
  const tally = emptyTally('failures');
  addCase(tally, one, judged);
  expect(judged.map(({ outcome }) => outcome)).toEqual(['crashed']);
  expect(tally.figures.get('analysis')).toMatchObject({ violated: 1, seeds: [1] });
});

test('the same seed gives the same log', async () => {
  const [a, b] = [await oneOutage(), await oneOutage()];
  expect(a.one.lines).toEqual(b.one.lines);
});

/** Makes one figure of a summary wrong. */
type Spoil = (summary: Summary) => Partial<Summary>;

/** Inverts checks: a pass becomes a fail, and everything else a pass. */
function turned(isMeant: (check: CheckResult) => boolean): Spoil {
  return ({ checks }) => ({
    checks: checks.map((check) =>
      isMeant(check) ? { ...check, status: check.status === 'pass' ? 'fail' : 'pass' } : check,
    ),
  });
}

const moved = <M extends Measure>(measure: M): M => ({ ...measure, minMs: 1e6, maxMs: 2e6 });

test.each<{ family: string; figure: string; spoil: Spoil }>([
  {
    family: 'owners',
    figure: 'none total',
    spoil: ({ ownership }) => ({
      ownership: ownership.map((thing) => ({
        ...thing,
        sides: thing.sides.map((side) => ({
          ...side,
          none: [
            { ...moved({ ms: 0, minMs: 0, maxMs: 0 }), startAt: '', endAt: null, fromMs: 0, certain: false },
          ],
        })),
      })),
    }),
  },
  {
    family: 'owners',
    figure: 'check never',
    spoil: ({ checks }) => ({
      checks: checks.map((check) => (check.kind === 'never' ? { ...check, status: 'pass' } : check)),
    }),
  },
  {
    family: 'owners',
    figure: 'check role-stays',
    spoil: ({ checks }) => ({
      checks: checks.map((check) => (check.kind === 'role-stays' ? { ...check, status: 'pass' } : check)),
    }),
  },
  {
    family: 'owners',
    figure: 'check ownership differs',
    spoil: turned(({ kind, name }) => kind === 'ownership' && name.startsWith('differs')),
  },
  {
    family: 'delivered',
    figure: 'check delivered',
    spoil: turned(({ kind }) => kind === 'delivered'),
  },
  {
    family: 'until-redundancy',
    figure: 'RTO',
    spoil: ({ rto }) => ({ rto: rto === null ? null : moved(rto) }),
  },
  {
    family: 'stages-marked',
    figure: 'stage bounds',
    spoil: ({ stages }) => ({ stages: stages.map((stage) => ({ ...stage, ...moved(stage), ms: stage.ms })) }),
  },
  {
    family: 'row-lines-lost',
    figure: 'phantoms',
    spoil: ({ writers }) => ({
      writers: writers.map(({ found, ...writer }) => ({
        ...writer,
        found: found === null ? null : { ...found, phantom: found.phantom + 1 },
      })),
    }),
  },
  {
    family: 'redundancy',
    figure: 'redundancy',
    spoil: ({ redundancy }) => ({ redundancy: redundancy === null ? null : moved(redundancy) }),
  },
  {
    family: 'row-loss',
    figure: 'RPO',
    spoil: ({ writers }) => ({
      writers: writers.map((writer) => ({ ...writer, rpo: writer.rpo === null ? null : moved(writer.rpo) })),
    }),
  },
  {
    family: 'row-loss',
    figure: 'rows lost',
    spoil: ({ writers }) => ({
      writers: writers.map(({ found, ...writer }) => ({
        ...writer,
        found: found === null ? null : { ...found, lost: found.lost + 1 },
      })),
    }),
  },
  {
    family: 'stale-reads',
    figure: 'stale reads',
    spoil: ({ writers }) => ({
      writers: writers.map((writer) => ({
        ...writer,
        reads: { ...writer.reads, staleFor: moved(writer.reads.staleFor) },
      })),
    }),
  },
  {
    family: 'stages',
    figure: 'stage sum',
    spoil: ({ stages }) => ({ stages: stages.map((stage) => ({ ...stage, ms: stage.ms + 100 })) }),
  },
  {
    family: 'no-return',
    figure: 'check no-recovery',
    spoil: turned(({ kind }) => kind === 'no-recovery'),
  },
])('in $family, a wrong "$figure" is detected', async ({ family, figure, spoil }) => {
  const found = new Set<string>();
  for (let seed = 1; seed <= 10 && !found.has(figure); seed++) {
    const { one, analysis } = await caseOf(family, seed);
    const before = wrongIn(one, analysis);
    const spoiled = { ...analysis, summary: { ...analysis.summary, ...spoil(analysis.summary) } };
    for (const wrong of wrongIn(one, spoiled)) if (!before.includes(wrong)) found.add(wrong);
  }
  expect([...found]).toEqual([figure]);
});

test('a gate that was met despite a failed sample in its hold time is detected', async () => {
  const { one } = await oneOutage();
  const { known } = one;
  const failedMs = known.sent.find(({ sample }) => sample.status === 'fail')?.sample.sendMs ?? 0;
  const gates = [{ gate: 'recovery', t: failedMs + 4000, isMet: true }];
  expect(judgeGates({ ...known, gates }).map(({ outcome }) => outcome)).toEqual(['violated']);
  expect(judgeGates(known).map(({ outcome }) => outcome)).toEqual(['held', 'held', 'held']);
});
