import type { Measure, Predicted, Repeats, Summary } from '../core/summary.ts';
import { timedFigure } from './figures.ts';

/** With which an interval for the median is wanted, and how sure the share of phases is told. */
export const wantedConfidence = 0.95;

/** Middle value; of an even number, the mean of the two in the middle (0 where these are infinite on both sides). */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] ?? 0;
  if (!Number.isInteger(half)) return upper;
  const middle = ((sorted[half - 1] ?? upper) + upper) / 2;
  return Number.isNaN(middle) ? 0 : middle;
}

/**
 * How sure it is that the median lies between the `rank`th lowest and the `rank`th
 * highest of `count` values that were drawn independently, whatever their distribution:
 * 1 - 2 P(B < rank), with B binomial (count, 1/2).
 *
 * Each value lies below the median with probability 1/2. (David and Nagaraja, Order
 * Statistics, 7.1.) Example: 8 values, rank 1: 1 - 2/256 = 0.992.
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

/** The highest rank whose interval holds the median with the wanted confidence; 1 where so few values give none. */
function rankFor(count: number): number {
  let rank = 1;
  while (rank + 1 <= count / 2 && medianCoverage(count, rank + 1) >= wantedConfidence) rank++;
  return rank;
}

/**
 * What repeats of one drill came to. `measures` are those that were measured, of `drills`; one that is censored
 * (`timedFigure`) counts as longer than any that is not.
 *
 * The interval for the median takes the measures' own bounds: its lower end is an order
 * statistic of the lower bounds, its upper one of the upper bounds, so that it holds
 * whatever the true times between them are.
 *
 * The worst of n independent repeats is at least as long as a share q of all cases
 * with confidence 1 - q^n: each case lies within that share with probability q.
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
      share: (1 - wantedConfidence) ** (1 / count),
      confidence: wantedConfidence,
    },
    ...(predicted === undefined ? {} : { predicted }),
  };
}

/** JSON has no Infinity. */
function finite(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null;
}

/** What repeats of a drill came to in RTO; null for less than two that were measured. */
export function rtoRepeats(summaries: readonly Summary[]): Repeats | null {
  const predicted = summaries.find((s) => s.predicted?.rto !== undefined)?.predicted?.rto;
  return repeatsOf(
    summaries.flatMap((summary) => timedFigure('rto', summary) ?? []),
    summaries.length,
    predicted,
  );
}
