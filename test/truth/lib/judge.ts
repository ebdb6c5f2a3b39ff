import type { CheckResult, Measure } from '../../../src/core/summary.ts';
import type { Truth } from './recovery-truth.ts';

/**
 * How a figure came out.
 *
 * - `held`: its bounds hold the truth.
 * - `hidden`: they do not, but some course of events that the samples leave possible would be held.
 * - `one-hidden`: they hold no course of events with the longest outage that no sample met.
 * - `violated`: no course of events that the samples leave possible is held.
 */
export type FigureOutcome = 'held' | 'hidden' | 'one-hidden' | 'violated';

/** How a check came out; `hidden-wrong` is wrong only by changes that no sample met. */
export type VerdictOutcome = 'right' | 'inconclusive' | 'hidden-wrong' | 'wrong';

/** Microseconds are rounded, and figures are sums of rounded ones, ms. */
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
