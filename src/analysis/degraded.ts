import { controlProbeLimitMs } from '../core/control-probe.ts';
import { dilationText, starvedHint } from '../core/control.ts';
import { roundMs } from '../core/clock.ts';
import { dilationLimit } from '../core/starvation-limits.ts';
import type { ProbeId } from '../core/ids.ts';
import type { DegradedSpan } from './control-probe-record.ts';
import type { KeptSample } from './kept-samples.ts';
import type { ProbeSeries, RunLog } from './run-log.ts';
import { carriesTarget } from './machine-record.ts';
import { durationText, limitText } from '../core/format-duration.ts';
import { distantFuture, earliest, latest, type RunMs } from '../core/time.ts';

/**
 * The log without failures that the degraded prober may have caused. A failed sample becomes `unknown` and is marked
 * `degraded` if the prober was degraded during any part of it. Good answers stay good and do not count as late. Returns
 * the same log if the prober was never degraded, had no control, or runs on the target's machine.
 */
export function withoutDegraded(log: RunLog): RunLog {
  const spans = degradedSpans(log);
  if (spans.length === 0) return log;
  return {
    ...log,
    series: eachWithout(log.series, spans),
    operations: eachWithout(log.operations, spans),
  };
}

function eachWithout(
  all: RunLog['series'],
  spans: readonly DegradedSpan[],
): ReadonlyMap<ProbeId, ProbeSeries> {
  return new Map([...all].map(([id, series]) => [id, seriesWithout(series, spans)]));
}

/**
 * Times in which failed samples are attributed to the prober and not to the target, cut off at the log's end. In a drill
 * on the target's own machine, starvation is not attributed to the prober: the target may starve itself after the fault.
 */
export function degradedSpans(log: RunLog): readonly DegradedSpan[] {
  const ownMachine = carriesTarget(log.machines) && log.plan.faults.length > 0;
  const starved = ownMachine ? [] : starvedSpans(log);
  return [...clipped(log.controlProbe?.degraded ?? [], log), ...starved];
}

/**
 * Times in which the prober's machine was starved of CPU or its control reported nothing, whatever
 * runs there. Cut off at the log's end.
 */
export function starvedSpans(log: RunLog): readonly DegradedSpan[] {
  return clipped(log.control?.starved ?? [], log);
}

function clipped(spans: readonly DegradedSpan[], log: RunLog): readonly DegradedSpan[] {
  return spans.map((span) => ({ ...span, toMs: earliest(span.toMs, log.endMs) }));
}

function seriesWithout(series: ProbeSeries, spans: readonly DegradedSpan[]): ProbeSeries {
  let next = 0;
  const samples = series.samples.map((sample): KeptSample => {
    while ((spans[next]?.toMs ?? distantFuture) < sample.sendMs) next++;
    // Samples left out after this one have the same result, and may have been answered later.
    const untilMs = Math.max(
      sample.finishMs,
      (sample.leftOut?.lastSendMs ?? 0) + (sample.leftOut?.widestMs ?? 0),
    );
    if ((spans[next]?.fromMs ?? distantFuture) > untilMs) return sample;
    if (sample.status === 'fail') return { ...sample, status: 'unknown', degraded: true };
    return sample.status === 'ok' ? { ...sample, stallMs: sample.finishMs - sample.sendMs } : sample;
  });
  return { ...series, samples };
}

/** For how long of [fromMs, toMs] the prober was degraded, ms. */
export function degradedMsIn(log: RunLog, fromMs = log.startMs, toMs = log.endMs): number {
  return sumIn(degradedSpans(log), fromMs, toMs);
}

/** For how long of [fromMs, toMs] the prober's machine was starved, ms. */
export function starvedMsIn(log: RunLog, fromMs = log.startMs, toMs = log.endMs): number {
  return sumIn(starvedSpans(log), fromMs, toMs);
}

function sumIn(spans: readonly DegradedSpan[], fromMs: RunMs, toMs: RunMs): number {
  const ms = spans.reduce(
    (sum, s) => sum + Math.max(0, earliest(s.toMs, toMs) - latest(s.fromMs, fromMs)),
    0,
  );
  return roundMs(ms);
}

/** Why the prober was degraded, and the hint; for use after the consequence and a colon. */
export function degradedText(log: RunLog, fromMs = log.startMs, toMs = log.endMs): string {
  const { controlProbe, control } = log;
  const forMs = durationText(degradedMsIn(log, fromMs, toMs));
  if (control !== null)
    return `the prober was degraded for ${forMs}: its machine was starved of CPU (${dilationNote(control.dilation?.maxMs ?? null)}); ${starvedHint}`;
  if (controlProbe === null) return 'the health of the prober is unknown';
  return `the prober was degraded for ${forMs}: its control probe of an HTTP server on the same machine got no answer within ${limitText(controlProbeLimitMs(controlProbe.probe))}; ${starvedHint}`;
}

/** `the control's work took up to 14 x its CPU time, the limit is 2.5 x` */
export function dilationNote(max: number | null): string {
  return max === null
    ? 'its control reported nothing'
    : `the control's work took up to ${dilationText(max)} its CPU time, the limit is ${dilationText(dilationLimit)}`;
}
