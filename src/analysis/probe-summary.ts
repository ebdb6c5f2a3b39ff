import type { ProbeSummary, Spread } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';
import { downtimeOf } from './downtime.ts';
import { Histogram } from './histogram.ts';
import { countOf, type KeptSample } from './kept-samples.ts';
import { firstIssuedMs, type ProbeSeries, type RunLog } from './run-log.ts';
import { longestUnobservedMs, withUnobserved } from './sample-gaps.ts';
import { type RecoveryAnalysis, waitOverMs } from './rto.ts';
import { type BadWindow, toSummaryWindow } from './windows.ts';

/** Latency of the good answers; null if there are none. */
function latencyOf(samples: readonly KeptSample[]): Spread | null {
  const histogram = new Histogram();
  for (const { status, sendMs, finishMs, leftOut } of samples) {
    if (status === 'ok') histogram.add(finishMs - sendMs);
    if (leftOut !== undefined) histogram.addAll(leftOut.latency);
  }
  return histogram.spread();
}

function latenessOf(samples: readonly KeptSample[]): Spread {
  const histogram = new Histogram();
  for (const { dueMs, sendMs, leftOut } of samples) {
    histogram.add(sendMs - dueMs);
    if (leftOut !== undefined) histogram.addAll(leftOut.lateness);
  }
  return histogram.spread() ?? { p50Ms: 0, p99Ms: 0, maxMs: 0 };
}

/**
 * Latency by send time: before the first fault was issued, from then until the recovery (or the end of
 * the wait), and later.
 */
function latencyAround(
  log: RunLog,
  { samples }: ProbeSeries,
  recovery: RecoveryAnalysis,
): ProbeSummary['latencyAround'] {
  const issuedMs = firstIssuedMs(log);
  const overMs = recovery.recovered?.ms ?? waitOverMs(log);
  return {
    before: latencyOf(samples.filter((s) => s.sendMs < issuedMs)),
    during: latencyOf(samples.filter((s) => s.sendMs >= issuedMs && s.sendMs < overMs)),
    after: latencyOf(samples.filter((s) => s.sendMs >= issuedMs && s.sendMs >= overMs)),
  };
}

/** Rounds to six digits: one second in eleven days. */
function roundShare(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 1e6) / 1e6;
}

/**
 * The share of the run's time for which the target was not down. `uncertain` and `slow` windows, and the longest outage that fits
 * between two good samples, only widen its bounds.
 */
function availabilityOf(
  log: RunLog,
  series: ProbeSeries,
  windows: readonly BadWindow[],
): ProbeSummary['availability'] {
  const { startMs: fromMs, endMs: toMs } = log;
  const wholeMs = toMs - fromMs;
  if (wholeMs <= 0 || series.samples.every((s) => s.status === 'unknown')) return null;
  const down = withUnobserved(
    downtimeOf(windows).total,
    longestUnobservedMs(log, series, { fromMs, toMs }, windows),
  );
  const share = (downMs: DurationMs) => roundShare(1 - downMs / wholeMs);
  return { share: share(down.ms), minShare: share(down.maxMs), maxShare: share(down.minMs) };
}

/** The summary of one probe instance. `recovery`: null if no fault took effect. */
export function probeSummary(
  log: RunLog,
  series: ProbeSeries,
  windows: readonly BadWindow[],
  recovery: RecoveryAnalysis | null,
): ProbeSummary {
  const { probe, samples, dropped, lost } = series;
  const lostCount = lost.reduce((sum, { count }) => sum + count, 0);
  return {
    id: probe.id,
    kind: probe.kind,
    samples: countOf(samples),
    dropped: dropped.length,
    ...(lostCount === 0 ? {} : { lost: lostCount }),
    unknown: countOf(samples.filter((s) => s.status === 'unknown' && !s.degraded)),
    failed: countOf(samples.filter((s) => s.status === 'fail' || s.degraded)),
    lateness: latenessOf(samples),
    latency: latencyOf(samples),
    latencyAround: recovery === null ? null : latencyAround(log, series, recovery),
    availability: availabilityOf(log, series, windows),
    windows: windows.map((w) => toSummaryWindow(log, w)),
  };
}
