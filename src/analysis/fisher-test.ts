/** How many of a side's units did something. */
export interface Share {
  readonly count: number;
  readonly of: number;
}

/** ln(n!), summed up: the numbers here are nights. */
function logFactorial(n: number): number {
  let sum = 0;
  for (let i = 2; i <= n; i++) sum += Math.log(i);
  return sum;
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** P(X = k) for each k that the margins allow: X of b's units among all that did it. Hypergeometric. */
function distributionOf(a: Share, b: Share): readonly { readonly count: number; readonly p: number }[] {
  const all = a.count + b.count;
  const lowest = Math.max(0, all - a.of);
  const highest = Math.min(all, b.of);
  return Array.from({ length: highest - lowest + 1 }, (_, i) => {
    const count = lowest + i;
    const log = logChoose(b.of, count) + logChoose(a.of, all - count) - logChoose(a.of + b.of, all);
    return { count, p: Math.exp(log) };
  });
}

/** What sums of probabilities are rounded by, at most. */
const rounding = 1e-9;

/**
 * Fisher's exact test of two shares (R. A. Fisher, The Design of Experiments, 1935; Agresti, Categorical Data Analysis, 3.5).
 * `more`: how probable it is that at least as many of b's units did it if the units of both sides are alike. `either`: two-sided,
 * the sum over all outcomes that are no more probable than this one.
 */
export function fisher(a: Share, b: Share): { readonly more: number; readonly either: number } {
  const distribution = distributionOf(a, b);
  const own = distribution.find(({ count }) => count === b.count)?.p ?? 1;
  const sumOf = (test: (entry: { readonly count: number; readonly p: number }) => boolean): number =>
    Math.min(
      1,
      distribution.filter(test).reduce((sum, { p }) => sum + p, 0),
    );
  return {
    more: sumOf(({ count }) => count >= b.count),
    either: sumOf(({ p }) => p <= own * (1 + rounding)),
  };
}

/** The least one-sided p that these margins allow. */
export function leastFisher(a: Share, b: Share): number {
  return distributionOf(a, b).at(-1)?.p ?? 1;
}
