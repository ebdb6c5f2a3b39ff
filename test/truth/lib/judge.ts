import type { CheckResult, Measure } from '../../../src/core/summary.ts';
import type { Truth } from './recovery-truth.ts';

/**
 * The outcome of a figure with bounds.
 *
 * - `held`: the bounds contain the truth.
 * - `hidden`: they do not, but they contain another course of events that the samples allow.
 * - `one-hidden`: they contain no course of events with the longest outage that no sample met.
 * - `violated`: they contain no course of events that the samples allow.
 */
export type FigureOutcome = 'held' | 'hidden' | 'one-hidden' | 'violated';

/** The outcome of a check; `hidden-wrong` is wrong only because of changes that no sample met. */
export type VerdictOutcome = 'right' | 'inconclusive' | 'hidden-wrong' | 'wrong';

/** Rounding error of figures, which are sums of times in whole microseconds, ms. */
const roundingMs = 0.05;

/** Judges bounds by the truth. */
export function judgeBounds({ minMs, maxMs }: Pick<Measure, 'minMs' | 'maxMs'>, truth: Truth): FigureOutcome {
  const isHeld = (least: number, most: number): boolean =>
    minMs <= most + roundingMs && maxMs >= least - roundingMs;
  if (!isHeld(truth.least, truth.most)) return 'violated';
  if (isHeld(truth.full, truth.full)) return 'held';
  return maxMs >= truth.withLongestHidden - roundingMs ? 'hidden' : 'one-hidden';
}

/** Judges the status of a check on a duration by the truth. */
export function judgeVerdict(
  status: CheckResult['status'],
  { minMs = -Infinity, maxMs = Infinity }: NonNullable<CheckResult['limits']>,
  truth: Truth,
): VerdictOutcome {
  if (status === 'inconclusive') return 'inconclusive';
  const isRight = (least: number, most: number): boolean =>
    status === 'pass'
      ? least <= maxMs + roundingMs && most >= minMs - roundingMs
      : most > maxMs - roundingMs || least < minMs + roundingMs;
  if (!isRight(truth.least, truth.most)) return 'wrong';
  return isRight(truth.full, truth.full) ? 'right' : 'hidden-wrong';
}
