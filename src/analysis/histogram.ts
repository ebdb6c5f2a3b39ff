import { roundMs } from '../core/clock.ts';
import type { Spread } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';

/** Values below this, in microseconds, have a bucket each. */
const exactBelow = 256;
const exactBits = 8;
/** Buckets per doubling above that. */
const perDoubling = exactBelow / 2;
const doublings = 31 - exactBits;
const buckets = exactBelow + doublings * perDoubling;
const largestUs = 2 ** 31 - 1;

/** The nonempty buckets of a histogram: bucket, count, bucket, count, and so on. */
export interface Counts {
  readonly pairs: Uint32Array;
  readonly maxMs: DurationMs;
}

function bucketOf(us: number): number {
  if (us < exactBelow) return us;
  const top = 31 - Math.clz32(us);
  return exactBelow + (top - exactBits) * perDoubling + (us >>> (top - exactBits + 1)) - perDoubling;
}

/** The middle of a bucket, microseconds. */
function middleOf(bucket: number): number {
  if (bucket < exactBelow) return bucket;
  const above = bucket - exactBelow;
  const width = 2 ** (Math.floor(above / perDoubling) + 1);
  return ((above % perDoubling) + perDoubling) * width + (width - 1) / 2;
}

/** The shortest counted duration, ms, within 1/256; 0 if none was counted. */
export function leastMs({ pairs, maxMs }: Counts): DurationMs {
  const [bucket] = pairs;
  return bucket === undefined ? 0 : roundMs(Math.min(middleOf(bucket) / 1000, maxMs));
}

/**
 * A histogram of durations in 13 KB, whatever their number. Exact below 256 us. Above, a percentile is within 1/256
 * (0.4 %) of the true value. The maximum is exact. Durations above 35 min count as 35 min.
 */
export class Histogram {
  readonly #counts = new Uint32Array(buckets);
  #total = 0;
  #maxMs = 0;

  add(ms: DurationMs): void {
    const us = ms > 0 ? (ms * 1000 < largestUs ? (ms * 1000 + 0.5) | 0 : largestUs) : 0;
    const bucket = bucketOf(us);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total++;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** Adds the counts of another histogram. */
  addAll({ pairs, maxMs }: Counts): void {
    for (let i = 0; i < pairs.length; i += 2) {
      const bucket = pairs[i] ?? 0;
      const count = pairs[i + 1] ?? 0;
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
      this.#total += count;
    }
    this.#maxMs = Math.max(this.#maxMs, maxMs);
  }

  /** Returns the counts and empties the histogram. */
  take(): Counts {
    const pairs: number[] = [];
    for (const [bucket, count] of this.#counts.entries()) if (count > 0) pairs.push(bucket, count);
    const taken = { pairs: Uint32Array.from(pairs), maxMs: this.#maxMs };
    this.#counts.fill(0);
    this.#total = 0;
    this.#maxMs = 0;
    return taken;
  }

  /** null if nothing was counted. */
  spread(): Spread | null {
    if (this.#total === 0) return null;
    return { p50Ms: this.#percentile(0.5), p99Ms: this.#percentile(0.99), maxMs: roundMs(this.#maxMs) };
  }

  /** Number of counted durations. */
  get count(): number {
    return this.#total;
  }

  /** By nearest rank; null if nothing was counted. */
  percentile(share: number): number | null {
    return this.#total === 0 ? null : this.#percentile(share);
  }

  #percentile(share: number): number {
    let left = Math.max(1, Math.ceil(this.#total * share));
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return roundMs(Math.min(middleOf(bucket) / 1000, this.#maxMs));
    }
    return roundMs(this.#maxMs);
  }
}
