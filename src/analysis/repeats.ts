import type { Measure, Predicted, Repeats, Summary } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';
import { timedFigure } from './figures.ts';

/** Confidence of the interval for the median, and of the share of phases. */
export const requestedConfidence = 0.95;

/**
 * Middle value; for an even number, the mean of the two middle values (0 if they are infinite with
 * opposite signs).
 */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] ?? 0;
  if (!Number.isInteger(half)) return upper;
  const middle = ((sorted[half - 1] ?? upper) + upper) / 2;
  return Number.isNaN(middle) ? 0 : middle;
}

/**
 * Confidence that the median lies between the `rank`th lowest and the `rank`th highest of `count` independent values, whatever
 * their distribution: 1 - 2 P(B < rank), with B binomial (count, 1/2).
 *
 * Each value lies below the median with probability 1/2. (David and Nagaraja, Order Statistics, 7.1.)
 * Example: 8 values, rank 1: 1 - 2/256 = 0.992.
 */
export function medianCoverage(count: number, rank: number): number {
  let probability = 0.5 ** count;
  let below = 0;
  for (let k = 0; k < rank; k++) {
    below += probability;
    probability *= (count - k) / (k + 1);
  }
  return Math.max(0, 1 - 2 * below);
}

/**
 * The highest rank whose interval contains the median with `requestedConfidence`; 1 if there are too few
 * values.
 */
function rankFor(count: number): number {
  let rank = 1;
  while (rank + 1 <= count / 2 && medianCoverage(count, rank + 1) >= requestedConfidence) rank++;
  return rank;
}

/**
 * The statistics of repeats of one drill. `measures`: the runs, of `drills`, that measured the figure. A censored one
 * (`timedFigure`) counts as longer than any other.
 *
 * The interval for the median uses the measures' bounds: its lower end is an order statistic of the lower bounds, its upper
 * end one of the upper bounds. So it is valid for any true times within them.
 *
 * The worst of n independent repeats is at least as long as a share q of all cases with confidence 1 - q^n: each case lies
 * within that share with probability q.
 */
export function repeatsOf(
  measures: readonly Measure[],
  drills: number,
  predicted: Predicted | undefined,
): Repeats | null {
  const count = measures.length;
  if (count < 2) return null;
  const sorted = (of: (measure: Measure) => number) => measures.map(of).sort((a, b) => a - b);
  const estimates = sorted(({ ms }) => ms);
  const rank = rankFor(count);
  const unended = measures.filter(({ maxMs }) => maxMs === Infinity).map(({ minMs }) => minMs);
  return {
    drills,
    count,
    ...(unended.length === 0
      ? {}
      : { unended: { count: unended.length, longerThanMs: Math.min(...unended) } }),
    minMs: finite(estimates[0] ?? 0),
    medianMs: finite(median(estimates)),
    maxMs: finite(estimates.at(-1) ?? 0),
    medianInterval: {
      lowMs: sorted(({ minMs }) => minMs)[rank - 1] ?? 0,
      highMs: finite(sorted(({ maxMs }) => maxMs)[count - rank] ?? 0),
      coverage: medianCoverage(count, rank),
    },
    worst: {
      maxMs: finite(Math.max(...measures.map(({ maxMs }) => maxMs))),
      share: (1 - requestedConfidence) ** (1 / count),
      confidence: requestedConfidence,
    },
    ...(predicted === undefined ? {} : { predicted }),
  };
}

/** JSON has no Infinity, so null replaces it. */
function finite(ms: DurationMs): number | null {
  return Number.isFinite(ms) ? ms : null;
}

/** The statistics of the RTO over repeats of a drill; null if fewer than two measured it. */
export function rtoRepeats(summaries: readonly Summary[]): Repeats | null {
  const predicted = summaries.find((s) => s.predicted?.rto !== undefined)?.predicted?.rto;
  return repeatsOf(
    summaries.flatMap((summary) => timedFigure('rto', summary) ?? []),
    summaries.length,
    predicted,
  );
}
