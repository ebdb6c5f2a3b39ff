import { canaryLimitMs } from '../core/canary.ts';
import { roundMs } from '../core/clock.ts';
import type { SickSpan } from './canary-record.ts';
import type { KeptSample } from './kept-samples.ts';
import type { ProbeSeries, RunLog } from './read-log.ts';
import { durationWords, limitWords } from './words.ts';

/**
 * The log without what a sick prober cannot tell (spans of a bad canary): a look that failed while it was sick, be it for
 * a part of the look, is not known to have failed (`unknown`, marked `sick`), and a good answer of that time is no late
 * one. Good answers stay good. The same log where the prober was well, or had no canary.
 */
export function withoutSick(log: RunLog): RunLog {
  const spans = sickSpans(log);
  if (spans.length === 0) return log;
  return {
    ...log,
    series: new Map([...log.series].map(([id, series]) => [id, seriesWithout(series, spans)])),
  };
}

/** When the prober was sick, those spans cut off at the log's end. */
export function sickSpans(log: RunLog): readonly SickSpan[] {
  return (log.canary?.sick ?? []).map((span) => ({ ...span, toMs: Math.min(span.toMs, log.endMs) }));
}

function seriesWithout(series: ProbeSeries, spans: readonly SickSpan[]): ProbeSeries {
  let next = 0;
  const samples = series.samples.map((sample): KeptSample => {
    while ((spans[next]?.toMs ?? Infinity) < sample.sendMs) next++;
    // What is left out after a sample says the same as it, and may have been seen later.
    const untilMs = Math.max(
      sample.finishMs,
      (sample.leftOut?.lastSendMs ?? 0) + (sample.leftOut?.widestMs ?? 0),
    );
    if ((spans[next]?.fromMs ?? Infinity) > untilMs) return sample;
    if (sample.status === 'fail') return { ...sample, status: 'unknown', sick: true };
    return sample.status === 'ok' ? { ...sample, stallMs: sample.finishMs - sample.sendMs } : sample;
  });
  return { ...series, samples };
}

/** For how long of [fromMs, toMs] the prober was sick, ms. */
export function sickMsIn(log: RunLog, fromMs = log.startMs, toMs = log.endMs): number {
  const ms = sickSpans(log).reduce(
    (sum, s) => sum + Math.max(0, Math.min(s.toMs, toMs) - Math.max(s.fromMs, fromMs)),
    0,
  );
  return roundMs(ms);
}

/** What is wrong with a sick prober, and the mend; as the rest of a sentence that begins with what hangs on it. */
export function sickWords(log: RunLog, fromMs = log.startMs, toMs = log.endMs): string {
  const { canary } = log;
  if (canary === null) return 'nothing vouched for the prober';
  return `the prober was sick for ${durationWords(sickMsIn(log, fromMs, toMs))}: its canary, a server of its own on the same machine, did not answer within ${limitWords(canaryLimitMs(canary.probe))}; use a quieter machine, fewer probes or longer intervals`;
}
