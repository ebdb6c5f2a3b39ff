import { slowBeforeFaultShare } from '../core/starvation-limits.ts';
import { Histogram } from './histogram.ts';
import { seriesOf } from './intervals.ts';
import type { KeptSample } from './kept-samples.ts';
import type { ProbeSeries, RunLog } from './read-log.ts';
import { recoverySeries } from './rto.ts';
import { durationWords, limitWords } from './words.ts';

/**
 * Why the drill did not begin from the steady state, a sentence each; empty when it did. From the log's samples alone, so
 * that old logs are judged by it, too.
 *
 * - A sample of a probe of the steady gate, or of the recovery probe, that was sent between the gate and the first fault
 *   failed, though its instance was good when the gate was met.
 * - The recovery probe's good answers came so late before the fault that some more load makes time-outs of them.
 */
export function steadinessDoubts(log: RunLog): readonly string[] {
  const issuedMs = Math.min(...log.faults.map((f) => f.issuedMs ?? Infinity));
  const gate = log.gates.findLast((g) => g.gate === 'steady' && g.state === 'met' && g.t <= issuedMs);
  if (gate === undefined || !Number.isFinite(issuedMs)) return [];
  return [...failedBetween(log, gate.t, issuedMs), ...slowBefore(log, gate.t, issuedMs)];
}

function failedBetween(log: RunLog, metMs: number, issuedMs: number): readonly string[] {
  const failures = [...gateSeries(log)].flatMap((series) => {
    const failed = failedOf(series, metMs, issuedMs);
    const [first] = failed;
    return first === undefined ? [] : [{ id: series.probe.id, first, count: failed.length }];
  });
  if (failures.length === 0) return [];
  const what = failures.map(({ id, first, count }) => {
    const beforeMs = durationWords(issuedMs - first.sendMs);
    return `${id} failed ${count === 1 ? 'once' : `${count} times`} (${first.cause ?? 'fail'}, first ${beforeMs} before the fault)`;
  });
  return [
    `between the steady gate and the fault, ${what.join(', ')}; so the fault may not be the cause of the outage; find the cause with \`firedrill watch\`, or use a quieter machine`,
  ];
}

/**
 * Failed samples of an instance that was good when the gate was met: a standby that always fails says nothing new. The
 * fault itself may have broken one that was under way, unless that should have been answered long before.
 */
function failedOf({ samples, latency }: ProbeSeries, metMs: number, issuedMs: number): readonly KeptSample[] {
  const before = samples.findLast((s) => s.sendMs <= metMs && s.status !== 'unknown');
  if (before?.status !== 'ok') return [];
  return samples.filter(
    (s) =>
      s.status === 'fail' && s.sendMs > metMs && Math.min(s.finishMs, s.sendMs + latency.slowMs) < issuedMs,
  );
}

/** The instances that the steady gate asks, and the recovery probe. */
function gateSeries(log: RunLog): ReadonlySet<ProbeSeries> {
  const asked = log.plan.steady.require.flatMap((condition) => seriesOf(log, condition));
  return new Set([...asked, recoverySeries(log)]);
}

function slowBefore(log: RunLog, metMs: number, issuedMs: number): readonly string[] {
  const { probe, samples } = recoverySeries(log);
  const latency = new Histogram();
  for (const { sendMs, finishMs, status, leftOut } of samples) {
    if (sendMs < metMs - log.plan.steady.forMs || sendMs >= issuedMs) continue;
    if (status === 'ok') latency.add(finishMs - sendMs);
    if (leftOut !== undefined) latency.addAll(leftOut.latency);
  }
  // Of fewer than ten answers the p90 would be the slowest one, and one slow answer shows nothing: the second slowest is taken.
  const p90Ms = latency.count < 2 ? null : latency.percentile(Math.min(0.9, 1 - 1 / latency.count));
  if (p90Ms === null || p90Ms <= probe.timeoutMs * slowBeforeFaultShare) return [];
  return [
    `${probe.id} answered in ${durationWords(p90Ms)} (p90) before the fault, which is more than half of its time-out of ${limitWords(probe.timeoutMs)}: a little more load causes time-outs without an outage; use a quieter machine or a longer time-out`,
  ];
}
