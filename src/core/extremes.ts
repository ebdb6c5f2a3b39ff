/**
 * The largest of the values, at least `least`. Takes lists of any length. `Math.max(...values)` throws a
 * RangeError from about 120,000 values on, because each value is an argument on the call stack.
 */
export function maxOf(values: Iterable<number>, least = -Infinity): number {
  let max = least;
  for (const value of values) max = Math.max(max, value);
  return max;
}

/** The smallest of the values, at most `most`. Takes lists of any length. */
export function minOf(values: Iterable<number>, most = Infinity): number {
  let min = most;
  for (const value of values) min = Math.min(min, value);
  return min;
}
