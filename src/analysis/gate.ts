import { durationText } from '../core/format-duration.ts';
import type { VerdictWord } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';
import { alarmAlpha, alarmLevels, levelText, nightText, togetherShare } from './alarm.ts';
import { drillsOf, nightFigures, runFigures, type Sampled, sampled, type Side } from './compare.ts';
import { figureName, timedFigure } from './figures.ts';
import { fisher, leastFisher } from './fisher-test.ts';
import { holm, type WeightedTest } from './holm.ts';
import type { KeptRun } from './kept-run.ts';
import { endedShares, type NightFigure } from './nights.ts';
import { canDetect, neededEach, pAbove, type Shift, shiftOf } from './rank-test.ts';
import { median } from './repeats.ts';
import { nightScores } from './together.ts';
import { allowedMs, type Tolerance } from './tolerance.ts';
import { signedText } from './format.ts';

/** A figure of a drill against its baseline. */
export interface Regression {
  readonly drill: string;
  readonly figure: string;
  /** `fail`: worse, proven. `pass`: not worse, proven. `inconclusive`: undecided. */
  readonly status: VerdictWord;
  /** One sentence. */
  readonly why: string;
  readonly baseline: Sampled | null;
  readonly now: Sampled | null;
  /** Now minus the baseline, night by night; null if a side measured no night. */
  readonly shift: Shift | null;
  /** null without a baseline. */
  readonly toleranceMs: DurationMs | null;
  /**
   * Adjusted for all tests of the night (Holm): `longer` than the tolerance allows, and `missed` more
   * often. null: not tested.
   */
  readonly p: { readonly longer: number | null; readonly missed: number | null };
  /** The compared nights; Infinity is null in JSON. */
  readonly nights: { readonly baseline: readonly NightFigure[]; readonly now: readonly NightFigure[] };
}

/** All drills together against the baseline: the median of their ratios. */
export interface Together {
  readonly status: VerdictWord;
  /** One sentence. */
  readonly why: string;
  readonly drills: number;
  readonly nights: { readonly baseline: number; readonly now: number };
  /** Example: 1.1 is 10 % slower now. null: unbounded. */
  readonly ratio: { readonly estimate: number; readonly min: number; readonly max: number };
  /** One-sided, adjusted; null: too few nights for a test. */
  readonly p: number | null;
}

/** The result of a comparison with a baseline. */
export interface BaselineGate {
  /** The path or label of the baseline. */
  readonly of: string;
  readonly tolerance: string;
  /** The tolerance as numbers; absent in tables of older versions. */
  readonly allowed?: Tolerance;
  readonly drills: readonly Regression[];
  /** null: fewer than two figures have values on both sides. Absent in tables of older versions. */
  readonly together?: Together | null;
}

/** Figures that are compared with a baseline, by scenario: those of its failure tables. */
export type FiguresOf = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Compares each drill of `now` with the baseline, and all of them together. The figures are those of the scenario's failure
 * tables, or the RTO if it has none. The unit is the night. If nothing changed, at most one of 40 such comparisons raises an
 * alarm, over all figures.
 */
export function gateOf(
  baseline: Side,
  now: Side,
  {
    tolerance,
    figures,
    figuresInAll,
  }: {
    readonly tolerance: Tolerance;
    readonly figures: FiguresOf;
    readonly figuresInAll?: number | undefined;
  },
): Pick<BaselineGate, 'drills' | 'together'> {
  const rows = [...drillsOf(baseline.runs, now.runs)].flatMap(([drill, { a, b }]) => {
    const scenario = b[0]?.scenario.name;
    if (scenario === undefined) return [];
    return [...(figures.get(scenario) ?? ['rto'])].map((figure) => rowOf(drill, figure, a, b));
  });
  return judgeRows(rows, tolerance, figuresInAll);
}

/** Reason for a drill without a run in the baseline. */
const unknownDrill = 'inconclusive: the baseline has no run of this drill';

/** Whether a stored reason is that of a drill without a run in the baseline. Tables of 0.1 have the older text. */
export function isUnknownDrill(why: string): boolean {
  return why === unknownDrill || why === 'cannot tell: the baseline has no run of it';
}

/** A figure of a drill before it is judged. */
export type GateRow = Pick<Regression, 'drill' | 'figure' | 'baseline' | 'now' | 'nights'> & {
  /** The baseline has runs of the drill, whether or not they measured the figure. */
  readonly known: boolean;
};

function rowOf(drill: string, figure: string, a: readonly KeptRun[], b: readonly KeptRun[]): GateRow {
  const [before, now] = [a, b].map((runs) => runFigures(runs, (run) => timedFigure(figure, run)));
  return {
    drill,
    figure,
    baseline: sampled(before ?? [], true),
    now: sampled(now ?? [], true),
    nights: { baseline: nightFigures(before ?? []), now: nightFigures(now ?? []) },
    known: a.length > 0,
  };
}

/** A test of one row, or of all rows together (`row` is null). */
interface RowTest extends WeightedTest {
  readonly row: number | null;
  readonly kind: 'longer' | 'missed' | 'together';
}

/**
 * `longer` weighs more: a run that timed out is a censored time, so four nights against four still
 * show it there.
 */
const singleWeights = { longer: 4, missed: 1 } as const;

/**
 * Judges the figures of one comparison. Their levels depend on the number of figures. `figuresInAll`: the rows are a part (a
 * shard) of that many figures and get only their share of the level; the test of all together follows after the merge.
 */
export function judgeRows(
  rows: readonly GateRow[],
  tolerance: Tolerance,
  figuresInAll?: number,
): Pick<BaselineGate, 'drills' | 'together'> {
  const compared = rows.map((row) => comparedRow(row, tolerance));
  const isPart = figuresInAll !== undefined;
  const drills = Math.max(rows.length, figuresInAll ?? 0);
  const pooled = isPart ? null : pool(rows, compared, tolerance);
  const single = compared.flatMap(({ tests }, row) => tests.map((test) => ({ ...test, row })));
  const isPooled = pooled !== null && canDetect(pooled.scores.a.length, pooled.scores.b.length, alarmAlpha);
  const isShared = isPooled || (isPart && drills > 1);
  const all = single.reduce((sum, { kind }) => sum + singleWeights[kind], 0);
  const others = singleWeights.longer * (drills - rows.length);
  const each = (isShared ? 1 - togetherShare : 1) / Math.max(1, all + others);
  const tests: readonly RowTest[] = [
    ...(isPooled
      ? [
          {
            row: null,
            kind: 'together' as const,
            p: pooled.p,
            weight: single.length === 0 ? 1 : togetherShare,
          },
        ]
      : []),
    ...single.map((test) => ({ ...test, weight: each * singleWeights[test.kind] })),
    // Figures that are judged in other shards keep their share of the level.
    ...(isPart ? [{ row: null, kind: 'longer' as const, p: 1, weight: 1 - each * all }] : []),
  ];
  const adjusted = holm(tests);
  const pOf = (row: number | null, kind: RowTest['kind']): number | null =>
    adjusted[tests.findIndex((test) => test.row === row && test.kind === kind)] ?? null;
  return {
    drills: rows.map((row, index) =>
      judged(row, compared[index]!, {
        longer: pOf(index, 'longer'),
        missed: pOf(index, 'missed'),
        drills,
      }),
    ),
    together: pooled === null ? null : judgedTogether(pooled, pOf(null, 'together'), drills),
  };
}

interface ComparedRow {
  readonly shift: Shift | null;
  readonly toleranceMs: DurationMs | null;
  readonly baselineMs: DurationMs;
  readonly nowMs: DurationMs;
  readonly shares: ReturnType<typeof endedShares>;
  /**
   * Tests that can raise an alarm with these numbers of nights. Others would only lower the levels
   * (Tarone, Biometrics 46, 1990).
   */
  readonly tests: readonly { readonly kind: 'longer' | 'missed'; readonly p: number }[];
}

function comparedRow({ nights }: GateRow, tolerance: Tolerance): ComparedRow {
  const { baseline: a, now: b } = nights;
  const [baselineMs, nowMs] = [a, b].map((side) => median(side.map(({ ms }) => ms)));
  const shares = endedShares(a, b);
  const toleranceMs = a.length === 0 ? null : allowedMs(tolerance, baselineMs ?? 0);
  const missed =
    shares === null ? null : ([shares.a, shares.b] as const).map(({ of, missed }) => ({ of, count: missed }));
  const [before, now] = missed ?? [];
  const tests = [
    ...(toleranceMs !== null && canDetect(a.length, b.length, alarmAlpha)
      ? [{ kind: 'longer' as const, p: pAbove(a, b, toleranceMs) }]
      : []),
    ...(before !== undefined && now !== undefined && leastFisher(before, now) <= alarmAlpha
      ? [{ kind: 'missed' as const, p: fisher(before, now).more }]
      : []),
  ];
  return {
    shift: a.length > 0 && b.length > 0 ? shiftOf(a, b) : null,
    toleranceMs,
    baselineMs: baselineMs ?? 0,
    nowMs: nowMs ?? 0,
    shares,
    tests,
  };
}

interface Pooled {
  readonly scores: ReturnType<typeof nightScores>;
  readonly p: number;
  readonly shift: Shift;
}

function pool(
  rows: readonly GateRow[],
  compared: readonly ComparedRow[],
  tolerance: Tolerance,
): Pooled | null {
  const scores = nightScores(
    rows.map(({ nights }, index) => ({
      a: nights.baseline,
      b: nights.now,
      marginMs: tolerance.together === true ? (compared[index]?.toleranceMs ?? 0) : 0,
    })),
  );
  if (scores.rows < 2 || scores.a.length === 0 || scores.b.length === 0) return null;
  return { scores, p: pAbove(scores.a, scores.b), shift: shiftOf(scores.a, scores.b) };
}

function judgedTogether({ scores, shift }: Pooled, p: number | null, drills: number): Together {
  const nights = { baseline: scores.a.length, now: scores.b.length };
  const [estimate, min, max] = [shift.ms, shift.minMs, shift.maxMs].map((log) => Math.exp(log));
  const ratio = { estimate: estimate ?? 1, min: min ?? 1, max: max ?? 1 };
  const found = { drills: scores.rows, nights, ratio, p };
  const sides = `${nightText(nights.baseline)} before, ${nightText(nights.now)} now`;
  const moved = `${percentText(ratio.estimate)} (${percentText(ratio.min)} to ${percentText(ratio.max)}) in the median of ${scores.rows} figures, ${sides}`;
  const level = alarmLevels(drills).together ?? alarmAlpha;
  if (p === null || shift.coverage === null)
    return {
      ...found,
      status: 'inconclusive',
      why: `inconclusive with ${nights.baseline} and ${nights.now} nights, at least ${neededEach(level)} are needed on each side: ${moved}`,
    };
  const sure = `p ${levelText(p)}, adjusted for ${drills} figures`;
  if (p <= alarmAlpha) return { ...found, status: 'fail', why: `slower: ${moved}; ${sure}` };
  return {
    ...found,
    status: ratio.max <= 1 ? 'pass' : 'inconclusive',
    why: `${ratio.max <= 1 ? 'no slower' : 'not proven slower'}: ${moved}; ${sure}`,
  };
}

/** A ratio as a change: `+10.0 %`, `−3.2 %`. */
function percentText(ratio: number): string {
  const change = (ratio - 1) * 100;
  if (!Number.isFinite(change)) return 'without a limit';
  return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(1)} %`;
}

function judged(
  row: GateRow,
  compared: ComparedRow,
  { drills, ...p }: Regression['p'] & { readonly drills: number },
): Regression {
  const { drill, figure, baseline, now, nights, known } = row;
  const { shift, toleranceMs, shares } = compared;
  const name = figureName(figure);
  const found = { drill, figure, baseline, now, shift, toleranceMs, p, nights };
  const as = (status: VerdictWord, why: string): Regression => ({ ...found, status, why });
  if (!known) return as('inconclusive', unknownDrill);
  if (shift === null || baseline === null || now === null || toleranceMs === null)
    return as(
      'inconclusive',
      `inconclusive: no ${name} was measured ${baseline === null ? 'in the baseline' : 'now'}`,
    );
  const allowed = `the tolerance is ${durationText(toleranceMs)}`;
  const interval = `${endText(shift.minMs)} to ${endText(shift.maxMs)}`;
  const moved = `${name} ${medianText(compared.baselineMs, baseline)} before, ${medianText(compared.nowMs, now)} now`;
  if (p.missed !== null && p.missed <= alarmAlpha && shares !== null)
    return as(
      'fail',
      `worse: a run timed out in ${shares.b.missed} of ${shares.b.of} nights now, in ${shares.a.missed} of ${shares.a.of} before; ${moved}`,
    );
  if (p.longer !== null && p.longer <= alarmAlpha)
    return as('fail', `worse: ${moved}, longer by ${interval}; ${allowed}`);
  if (shift.coverage === null) {
    const each = neededEach(alarmLevels(drills).single);
    return as(
      'inconclusive',
      `inconclusive with ${nights.baseline.length} and ${nights.now.length} nights, at least ${each} are needed on each side: ${moved}, ${interval} in these; ${allowed}`,
    );
  }
  if (shift.maxMs <= toleranceMs) return as('pass', `no worse: ${moved}, ${interval}; ${allowed}`);
  if (shift.minMs > toleranceMs)
    return as(
      'inconclusive',
      `inconclusive: ${moved}, longer by ${interval}; ${allowed}; not significant (p ${levelText(p.longer ?? 1)}, adjusted for ${drills} figures)`,
    );
  return as(
    'inconclusive',
    `inconclusive: ${moved}, ${interval}; the tolerance of ${durationText(toleranceMs)} lies within that`,
  );
}

/** An end of an interval; in words if censored values leave it open. */
function endText(ms: DurationMs): string {
  if (Number.isFinite(ms)) return signedText(ms);
  return ms > 0 ? 'without an upper bound' : 'without a lower bound';
}

function medianText(ms: DurationMs, { unended }: Sampled): string {
  return Number.isFinite(ms) ? durationText(ms) : `longer than ${durationText(unended?.longerThanMs ?? 0)}`;
}

/**
 * Median duration of the runs of a scenario, by its name, ms. For a scenario without runs, the mean of
 * the others.
 */
export function durationOf(runs: readonly KeptRun[]): (scenario: string) => number {
  const found = new Map<string, number[]>();
  for (const { scenario, startedAt, endedAt } of runs) {
    const own = found.get(scenario.name) ?? [];
    own.push(Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)));
    found.set(scenario.name, own);
  }
  const medians = new Map([...found].map(([name, times]) => [name, median(times)]));
  const known = [...medians.values()];
  const mean = known.length === 0 ? 1 : known.reduce((sum, ms) => sum + ms, 0) / known.length;
  return (scenario) => medians.get(scenario) ?? mean;
}
