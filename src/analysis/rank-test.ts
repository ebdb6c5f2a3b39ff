import type { Measure } from '../core/summary.ts';
import { median } from './repeats.ts';

/**
 * Two-sided level: upper limit of the probability that samples of the same distribution count as
 * different.
 */
export const requestedAlpha = 0.05;

/** Largest rounding error of sums of probabilities: 2/40 must not exceed 0.05. */
const rounding = 1e-12;

/** How much larger the values of one sample are than those of another. */
export interface Shift extends Measure {
  /**
   * The interval contains the shift with at least this probability. null: too few values; the interval then contains only the
   * differences of these values.
   */
  readonly coverage: number | null;
  /** Upper limit of the two-sided probability that samples of one distribution are this far apart. */
  readonly p: number;
}

/**
 * P(U = u) for u = 0 to n·m. U is the number of pairs of two samples of one continuous distribution in which the first
 * sample's value is larger.
 *
 * The largest value belongs to the first sample with probability n/(n+m), and is then larger than all m of the second.
 * (Mann and Whitney, Ann. Math. Statist. 18, 1947, eq. 4.) Takes (n·m)²/4 steps.
 */
export function rankDistribution(n: number, m: number): Float64Array {
  let previous: Float64Array[] = Array.from({ length: m + 1 }, () => Float64Array.of(1));
  for (let i = 1; i <= n; i++) {
    const row: Float64Array[] = [Float64Array.of(1)];
    for (let j = 1; j <= m; j++) {
      const own = new Float64Array(i * j + 1);
      const [fewer, shorter] = [previous[j] ?? own, row[j - 1] ?? own];
      for (const [u, p] of fewer.entries()) own[u + j] = (i / (i + j)) * p;
      for (const [u, p] of shorter.entries()) own[u] = (own[u] ?? 0) + (j / (i + j)) * p;
      row.push(own);
    }
    previous = row;
  }
  return previous[m] ?? Float64Array.of(1);
}

const distributions = new Map<string, Float64Array>();

/** `rankDistribution`, cached: a comparison needs a few sizes again and again. */
function distributionOf(n: number, m: number): Float64Array {
  const key = `${n} ${m}`;
  const known = distributions.get(key) ?? rankDistribution(n, m);
  distributions.set(key, known);
  return known;
}

/** P(U <= u). */
function upTo(distribution: Float64Array, u: number): number {
  let sum = 0;
  for (let i = 0; i <= u; i++) sum += distribution[i] ?? 0;
  return sum;
}

/**
 * Lowest possible one-sided p for samples of these sizes: every value of one is above all values of
 * the other.
 */
export function leastP(n: number, m: number): number {
  if (n < 1 || m < 1) return 1;
  // 1 of the (n+m choose n) orders.
  let probability = 1;
  for (let i = 1; i <= n; i++) probability *= i / (m + i);
  return probability;
}

/**
 * Whether samples of these sizes can be significantly different at a one-sided level. Default: the
 * level of an interval's end.
 */
export function canDetect(n: number, m: number, level = requestedAlpha / 2): boolean {
  return leastP(n, m) <= level + rounding;
}

/** Smallest size of two equal samples that can be significantly different. */
export function neededEach(level = requestedAlpha / 2): number {
  let size = 1;
  while (!canDetect(size, size, level)) size++;
  return size;
}

/**
 * Smallest size of a sample that can be significantly different from one of `n` values; null if it is
 * above `most`.
 */
export function neededAgainst(n: number, level: number, most = 10_000): number | null {
  for (let size = 1; size <= most; size++) if (canDetect(n, size, level)) return size;
  return null;
}

/**
 * Exact one-sided p of the Mann-Whitney test. The null hypothesis: `b` is above `a` by at most `marginMs`. p is an upper limit
 * of the probability that at least this many pairs contradict it. Only pairs that are certain by their bounds count. A
 * censored value (longer than the wait) is above another if its lower bound is. This is Gehan's score (Biometrika 52, 1965),
 * with every undecided pair counted against the claim.
 */
export function pAbove(a: readonly Measure[], b: readonly Measure[], marginMs = 0): number {
  if (a.length === 0 || b.length === 0) return 1;
  let above = 0;
  for (const x of a) for (const y of b) if (y.minMs - x.maxMs > marginMs) above++;
  return Math.min(1, upTo(distributionOf(a.length, b.length), a.length * b.length - above));
}

/**
 * The Hodges-Lehmann estimate of how far `b` is above `a`: the median of all differences between a value of `b` and one of `a`.
 * Also its exact distribution-free interval and the exact p of the Mann-Whitney test. Source: Hollander, Wolfe, and Chicken,
 * Nonparametric Statistical Methods, 4.1 to 4.3.
 *
 * The measures' bounds count against the claim. The interval's ends are order statistics of the lowest and of the highest
 * possible differences. p is the highest that values within the bounds can have. Ties count as not above, so they widen the
 * interval and raise p. The interval excludes 0 exactly if p is at most `requestedAlpha`.
 *
 * A value whose `ms` and `maxMs` are Infinity is censored: longer than its `minMs`. The estimate or an end of the interval is
 * infinite if so many values are censored that nothing bounds it.
 *
 * Requires at least one value in each sample.
 */
export function shiftOf(a: readonly Measure[], b: readonly Measure[]): Shift {
  const pairs = a.length * b.length;
  const differences = (of: (a: Measure, b: Measure) => number): number[] =>
    b.flatMap((y) => a.map((x) => of(x, y))).sort((x, y) => x - y);
  const lowest = differences((x, y) => y.minMs - x.maxMs);
  const highest = differences((x, y) => y.maxMs - x.minMs);
  const distribution = distributionOf(a.length, b.length);
  let rank = -1;
  let below = 0;
  while (below + (distribution[rank + 1] ?? 1) <= requestedAlpha / 2 + rounding)
    below += distribution[++rank] ?? 0;
  const surelyAbove = lowest.filter((d) => d > 0).length;
  const surelyBelow = highest.filter((d) => d < 0).length;
  const tail = (count: number): number => upTo(distribution, pairs - count);
  return {
    ms: median(differences((x, y) => difference(x.ms, y.ms))),
    minMs: lowest[Math.max(0, rank)] ?? 0,
    maxMs: highest[pairs - 1 - Math.max(0, rank)] ?? 0,
    coverage: rank < 0 ? null : 1 - 2 * below,
    p: Math.min(1, 2 * Math.min(tail(surelyAbove), tail(surelyBelow))),
  };
}

/** Two censored values (both Infinity) have the difference 0. */
function difference(from: number, to: number): number {
  return from === to ? 0 : to - from;
}
