/** One of multiple tests that are made at once. */
export interface WeightedTest {
  readonly p: number;
  /** Its share of the level, relative to the other weights. */
  readonly weight: number;
}

/**
 * p values adjusted for multiple tests, in the order of the tests. Rejecting those at or below `alpha` raises a false alarm
 * with probability `alpha` at most, however the tests depend on each other. Weighted Holm procedure (S. Holm, A simple
 * sequentially rejective multiple test procedure, Scand. J. Statist. 6, 1979, section 4).
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
