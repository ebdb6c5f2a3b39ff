/** A test of several that are made at once. */
export interface WeightedTest {
  readonly p: number;
  /** Its part of the level; only the ratios matter. */
  readonly weight: number;
}

/**
 * p values adjusted for being several: to reject those that are at most `alpha` raises a false alarm with probability `alpha` at
 * most, however the tests hang together. Weighted Holm procedure (S. Holm, A simple sequentially rejective multiple test
 * procedure, Scand. J. Statist. 6, 1979, section 4). In the order of the tests.
 */
export function holm(tests: readonly WeightedTest[]): readonly number[] {
  const order = tests
    .map((test, index) => ({ ...test, index }))
    .sort((x, y) => x.p / x.weight - y.p / y.weight);
  const adjusted = tests.map(() => 1);
  let left = tests.reduce((sum, { weight }) => sum + weight, 0);
  let highest = 0;
  for (const { p, weight, index } of order) {
    highest = Math.max(highest, Math.min(1, (p / weight) * left));
    adjusted[index] = highest;
    left -= weight;
  }
  return adjusted;
}
