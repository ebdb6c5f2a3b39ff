import { describe, expect, test } from 'vitest';
import { renderMarkdown } from '../report/markdown.ts';
import { summarize } from './summarize.ts';
import { type Answer, LogBuilder, planWith, probeOf } from './testing/log-builder.ts';

/** Down from 30 s to 40 s, sampled every second. Latency: 2 ms before the fault, 5 ms while down, 3 ms afterwards. */
function drill(answer: (sendMs: number) => Partial<Answer>): LogBuilder {
  const plan = planWith({
    probes: [probeOf('health'), probeOf('other')],
    recovery: { probe: 'health', withinMs: 60_000, stableForMs: 5000 },
  });
  const latencyMs = (s: number) => (s < 30_000 ? 2 : s < 40_000 ? 5 : 3);
  const down = (s: number) => s >= 30_000 && s < 40_000;
  return new LogBuilder(plan)
    .probing('health', 0, 100_000, 1000, (s) => ({
      ...(down(s) ? ({ status: 'fail', cause: 'refused' } as const) : ({ status: 'ok' } as const)),
      finishMs: s + 1,
    }))
    .probing('other', 100, 100_000, 1000, (s) => ({ status: 'ok', finishMs: s + latencyMs(s), ...answer(s) }))
    .fault(29_500, { healedMs: 90_000 })
    .at(46_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(100_000, { type: 'run.ended' });
}

describe('the summary of a probe', () => {
  test('has the latencies before, during, and after the outage', () => {
    const log = drill((s) => (s > 35_000 && s < 36_000 ? { finishMs: s + 9 } : {})).read();
    const summary = summarize(log);
    expect(summary.probes[1]?.latencyAround).toEqual({
      before: { p50Ms: 2, p99Ms: expect.closeTo(2, 1), maxMs: 2 },
      during: { p50Ms: expect.closeTo(5, 1), p99Ms: expect.closeTo(9, 1), maxMs: 9 },
      after: { p50Ms: 3, p99Ms: 3, maxMs: 3 },
    });
    // The recovery probe has no good answer while it is down.
    expect(summary.probes[0]?.latencyAround).toMatchObject({ during: null, after: { maxMs: 1 } });
    expect(renderMarkdown(summary, log)).toContain(
      '| latency p50 / p99 / max | before the fault | until recovered | after that |',
    );
  });

  test('has the share of time without an outage, by the bounds of its windows', () => {
    const { probes } = summarize(drill(() => ({})).read());
    // Between 9 s (from the first refusal to the last) and 11 s of 100 s, and up to 1 s between two good samples.
    expect(probes[0]?.availability).toEqual({
      share: 0.9,
      minShare: expect.closeTo(0.88, 4),
      maxShare: expect.closeTo(0.91, 4),
    });
    expect(probes[1]?.availability).toEqual({ share: 1, minShare: expect.closeTo(0.99, 4), maxShare: 1 });
  });

  test('has neither without a drill or without a known sample', () => {
    const watch = new LogBuilder(planWith({ probes: [probeOf('health'), probeOf('other')] }))
      .probing('health', 0, 9000, 1000, (s) => ({ status: 'ok', finishMs: s + 1 }))
      .probing('other', 0, 9000, 1000, (s) => ({ status: 'unknown', finishMs: s + 1 }))
      .at(9000, { type: 'run.ended' });
    const { probes } = summarize(watch.read());
    expect(probes[0]).toMatchObject({ latencyAround: null, availability: { share: 1 } });
    expect(probes[1]).toMatchObject({ latencyAround: null, latency: null, availability: null });
  });
});
