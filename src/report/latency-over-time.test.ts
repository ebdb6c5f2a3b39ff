import { expect, test } from 'vitest';
import { LogBuilder, planWith, probeOf, readLines, seeded } from '../analysis/testing/log-builder.ts';
import { LatencyOverTime } from './latency-over-time.ts';

/** Nearest rank, from all values. */
function rank(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

test.each([
  ['a short run', 30_000, 20, 250],
  ['a run longer than its buckets', 1_000_000, 200, 8000],
])('of %s has every good answer in one bucket, with its percentiles', (_, endMs, everyMs, widthMs) => {
  const random = seeded(7);
  const answers: { readonly sendMs: number; readonly ms: number }[] = [];
  const builder = new LogBuilder(planWith({ probes: [probeOf('health')] })).probing(
    'health',
    0,
    endMs,
    everyMs,
    (sendMs) => {
      // Some answers arrive after answers of the next bucket.
      const ms = Math.round(1000 * (random() < 0.02 ? 600 * random() : 2 + 8 * random())) / 1000;
      const failed = sendMs > endMs / 3 && sendMs < endMs / 2;
      if (!failed) answers.push({ sendMs, ms });
      return { status: failed ? 'fail' : 'ok', finishMs: sendMs + ms };
    },
  );
  const latency = new LatencyOverTime();
  readLines(builder.lines(), latency);
  const buckets = latency.of('health');
  expect(buckets.length).toBeLessThanOrEqual(200);
  expect(buckets.some((b) => b.fromMs > endMs / 3 + widthMs && b.toMs < endMs / 2)).toBe(false);
  let reported = 0;
  for (const { fromMs, toMs, ...found } of buckets) {
    expect(toMs - fromMs).toBe(widthMs);
    const values = answers.filter((a) => a.sendMs >= fromMs && a.sendMs < toMs).map((a) => a.ms);
    reported += values.length;
    const exact = [Math.min(...values), rank(values, 0.5), rank(values, 0.99), Math.max(...values)];
    for (const [i, ms] of [found.minMs, found.p50Ms, found.p99Ms, found.maxMs].entries())
      expect(Math.abs(ms - (exact[i] ?? NaN))).toBeLessThanOrEqual((exact[i] ?? 0) / 200);
  }
  expect(reported).toBe(answers.length);
  expect(latency.of('health')).toEqual(buckets);
  expect(latency.of('nobody')).toEqual([]);
});
