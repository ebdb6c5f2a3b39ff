/**
 * The largest of the values, at least `least`. Takes lists of any length. `Math.max(...values)` throws a
 * RangeError from about 120,000 values on, because each value is an argument on the call stack.
 */
export function maxOf<T extends number>(values: Iterable<T>, least = -Infinity as T): T {
  let max = least;
  for (const value of values) max = Math.max(max, value) as T;
  return max;
}

/** The smallest of the values, at most `most`. Takes lists of any length. */
export function minOf<T extends number>(values: Iterable<T>, most = Infinity as T): T {
  let min = most;
  for (const value of values) min = Math.min(min, value) as T;
  return min;
}
