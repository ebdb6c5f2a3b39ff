import { parseDuration } from '../core/duration.ts';
import type { VerdictWord } from '../core/summary.ts';
import { type Compared, compareFigure, drillsOf, type Sampled, type Side } from './compare.ts';
import { figureName } from './figures.ts';
import type { KeptRun } from './kept-run.ts';
import { neededEach, type Shift } from './rank-test.ts';
import { median } from './repeats.ts';
import { durationWords, limitWords, signedWords } from './words.ts';

/** How much longer than the baseline a figure may be: the greater of a share of the baseline's median and a time. */
export interface Tolerance {
  readonly share: number;
  readonly ms: number;
}

/** A tenth, and of short times a second: less nobody would roll a release back for. */
export const defaultTolerance: Tolerance = { share: 0.1, ms: 1000 };

/** Reads `10%` or `2s`; undefined for anything else. */
export function parseTolerance(text: string): Tolerance | undefined {
  const percent = /^(\d{1,4}(?:\.\d{1,3})?)%$/.exec(text)?.[1];
  if (percent !== undefined) return { share: Number(percent) / 100, ms: 0 };
  const ms = parseDuration(text);
  return ms === undefined ? undefined : { share: 0, ms };
}

/** `10 %`, `2 s`, `10 %, at least 1 s` */
export function toleranceWords({ share, ms }: Tolerance): string {
  const percent = `${Number((share * 100).toFixed(3))} %`;
  if (share === 0) return limitWords(ms);
  return ms === 0 ? percent : `${percent}, at least ${limitWords(ms)}`;
}

/** A figure of a drill against its baseline. */
export interface Regression {
  readonly drill: string;
  readonly figure: string;
  /** `fail`: worse, proven. `pass`: not worse, proven. `inconclusive`: cannot tell. */
  readonly status: VerdictWord;
  /** One sentence. */
  readonly why: string;
  readonly baseline: Sampled | null;
  readonly now: Sampled | null;
  /** Of now against the baseline; null where a side measured none. */
  readonly shift: Shift | null;
  /** null without a baseline. */
  readonly toleranceMs: number | null;
}

/** Figures that are held against a baseline, by scenario: those that failure tables show of it. */
export type FiguresOf = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Each drill of `now` against the baseline: the figures that tables show of its scenario, the RTO of those that are in none.
 * Worse is what is longer by more than the tolerance, whatever chance and the bounds of the measurements have to do with it: the
 * whole interval of the shift lies above it. If nothing changed, that happens to a figure in one of 40 comparisons at most.
 */
export function regressionsOf(
  baseline: Side,
  now: Side,
  { tolerance, figures }: { readonly tolerance: Tolerance; readonly figures: FiguresOf },
): readonly Regression[] {
  return [...drillsOf(baseline.runs, now.runs)].flatMap(([drill, { a, b }]) => {
    const scenario = b[0]?.scenario.name;
    if (scenario === undefined) return [];
    return [...(figures.get(scenario) ?? ['rto'])].map((figure) =>
      judged(drill, compareFigure(figure, a, b), a.length, tolerance),
    );
  });
}

function judged(drill: string, compared: Compared, baselineRuns: number, tolerance: Tolerance): Regression {
  const { figure, a, b, shift } = compared;
  const name = figureName(figure);
  const toleranceMs = a === null ? null : Math.max(tolerance.share * a.medianMs, tolerance.ms);
  const found = { drill, figure, baseline: a, now: b, shift, toleranceMs };
  const undecided = (why: string): Regression => ({ ...found, status: 'inconclusive', why });
  if (baselineRuns === 0) return undecided('cannot tell: the baseline has no run of it');
  if (shift === null || a === null || b === null || toleranceMs === null)
    return undecided(`cannot tell: no ${name} was measured ${a === null ? 'in the baseline' : 'now'}`);
  const allowed = `${durationWords(toleranceMs)} more are allowed`;
  const interval = `${signedWords(shift.minMs)} to ${signedWords(shift.maxMs)}`;
  const moved = `${name} ${durationWords(a.medianMs)} before, ${durationWords(b.medianMs)} now`;
  if (shift.coverage === null)
    return undecided(
      `cannot tell with ${a.count} and ${b.count} runs, it takes ${neededEach()} each: ${moved}, ${interval} in these; ${allowed}`,
    );
  if (shift.minMs > toleranceMs)
    return { ...found, status: 'fail', why: `worse: ${moved}, longer by ${interval}; ${allowed}` };
  if (shift.maxMs <= toleranceMs)
    return { ...found, status: 'pass', why: `no worse: ${moved}, ${interval}; ${allowed}` };
  return undecided(
    `cannot tell: ${moved}, ${interval}, which is neither surely more nor surely less than the ${durationWords(toleranceMs)} that are allowed`,
  );
}

/** What a baseline came to. */
export interface Gate {
  /** The path or label of the baseline. */
  readonly of: string;
  readonly tolerance: string;
  readonly drills: readonly Regression[];
}

/** How long runs of a scenario took, by its name, ms; of one that was not run, the mean of the others. */
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
