import { instancesRead } from '../core/condition.ts';
import { isFresh } from '../core/freshness.ts';
import { brokenConditions } from '../core/observed-state.ts';
import { slowBeforeFaultShare } from '../core/starvation-limits.ts';
import { Histogram } from './histogram.ts';
import { type KeptSample, lastAnswerMs } from './kept-samples.ts';
import { firstIssuedMs, type ProbeSeries, type RunLog } from './run-log.ts';
import { recoverySeries } from './rto.ts';
import { durationText, limitText } from '../core/format-duration.ts';
import type { ProbeId } from '../core/ids.ts';
import { earlier, type RunMs } from '../core/time.ts';

/**
 * Why the drill did not begin from the steady state: one sentence per reason, empty if it did. Each reason makes failed checks
 * inconclusive, because the fault may not be the cause of the outage. There are three:
 *
 * 1. A sample failed between the gate and the first fault, and its instance was good when the gate was met. This counts the
 *    probes of the steady gate and the recovery probe.
 * 2. A sample that was sent after the gate's hold began shows that a condition of the gate did not hold. Its answer may have
 *    arrived after the gate was met.
 * 3. The p90 of the recovery probe's good answers before the fault was above `slowBeforeFaultShare` of its timeout: a little
 *    more load would make them fail.
 *
 * Only samples are read, so logs of older versions are judged in the same way.
 */
export function steadinessUncertainties(log: RunLog): readonly string[] {
  const issuedMs = firstIssuedMs(log);
  const gate = log.gates.findLast((g) => g.gate === 'steady' && g.state === 'met' && g.t <= issuedMs);
  if (gate === undefined || !Number.isFinite(issuedMs)) return [];
  const failed = failedBetween(log, gate.t, issuedMs);
  const lost = failed.length > 0 ? [] : brokenBetween(log, earlier(gate.t, log.plan.steady.forMs), issuedMs);
  return [...failed, ...lost, ...slowBefore(log, gate.t, issuedMs)];
}

const consequence =
  'so the fault may not be the cause of the outage; find the cause with `firedrill watch`, or use a quieter machine';

/** Reason 1, as one sentence with the failures of all instances; empty if none failed. */
function failedBetween(log: RunLog, metMs: RunMs, issuedMs: RunMs): readonly string[] {
  const failures = [...gateSeries(log)].flatMap((series) => {
    const failed = failedOf(series, metMs, issuedMs);
    const [first] = failed;
    return first === undefined ? [] : [{ id: series.probe.id, first, count: failed.length }];
  });
  if (failures.length === 0) return [];
  const what = failures.map(({ id, first, count }) => {
    const beforeMs = durationText(issuedMs - first.sendMs);
    return `${id} failed ${count === 1 ? 'once' : `${count} times`} (${first.cause ?? 'fail'}, first ${beforeMs} before the fault)`;
  });
  return [`between the steady gate and the fault, ${what.join(', ')}; ${consequence}`];
}

/**
 * Failed samples of an instance that was good when the gate was met, as its latest finished sample showed. A standby that
 * always fails does not count. A sample in flight when the fault was issued counts only if its answer was due before:
 * otherwise the fault may have failed it.
 */
function failedOf({ samples, latency }: ProbeSeries, metMs: RunMs, issuedMs: RunMs): readonly KeptSample[] {
  const before = samples.findLast((s) => s.finishMs <= metMs && s.status !== 'unknown');
  if (before?.status !== 'ok') return [];
  return samples.filter(
    (s) =>
      s.status === 'fail' && s.sendMs > metMs && Math.min(s.finishMs, s.sendMs + latency.slowMs) < issuedMs,
  );
}

/**
 * The first time that a condition of the gate did not hold between `fromMs` and the fault, as a sentence; empty if all held.
 * Replays the answers in order of arrival, and judges the conditions after each answer to a sample that was sent since
 * `fromMs`.
 */
function brokenBetween(log: RunLog, fromMs: RunMs, issuedMs: RunMs): readonly string[] {
  const { require } = log.plan.steady;
  const arrivals = [...conditionSeries(log)]
    .flatMap(({ probe, samples }) => samples.map((sample) => ({ probe, sample })))
    .filter(({ sample }) => sample.finishMs < issuedMs)
    .sort((a, b) => a.sample.finishMs - b.sample.finishMs);
  const probes = [...log.series.values()].map((series) => series.probe);
  const lastSamples = new Map<ProbeId, KeptSample>();
  for (const { probe, sample } of arrivals) {
    const known = lastSamples.get(probe.id);
    if (known === undefined || known.slot <= sample.slot) lastSamples.set(probe.id, sample);
    if (sample.sendMs < fromMs) continue;
    const latest = (id: ProbeId): KeptSample | undefined => {
      const one = id === probe.id ? sample : lastSamples.get(id);
      const series = log.series.get(id);
      if (one === undefined || series === undefined) return undefined;
      return isFresh(series.probe, { sendMs: lastAnswerMs(one) }, sample.finishMs) ? one : undefined;
    };
    const [broken] = brokenConditions(require, { probes, roles: log.plan.roles, latest });
    if (broken === undefined) continue;
    const before = durationText(issuedMs - sample.finishMs);
    return [
      `the steady state did not hold until the fault: ${broken}, ${before} before the fault; ${consequence}`,
    ];
  }
  return [];
}

/** The instances that the steady gate reads, including those of its roles. */
function conditionSeries(log: RunLog): ReadonlySet<ProbeSeries> {
  const probes = [...log.series.values()].map((series) => series.probe);
  const conditions = log.plan.steady.require.flatMap((condition) => {
    const role = condition.role === undefined ? undefined : log.plan.roles[condition.role];
    return role === undefined ? [condition] : [condition, role];
  });
  const read = new Set(conditions.flatMap((one) => instancesRead(one, probes)).map(({ id }) => id));
  return new Set([...log.series.values()].filter(({ probe }) => read.has(probe.id)));
}

/** The instances that the steady gate reads, and the recovery probe. */
function gateSeries(log: RunLog): ReadonlySet<ProbeSeries> {
  return new Set([...conditionSeries(log), recoverySeries(log)]);
}

/** Reason 3, as a sentence; empty if the answers were fast enough, or if there are fewer than two. */
function slowBefore(log: RunLog, metMs: RunMs, issuedMs: RunMs): readonly string[] {
  const { probe, samples } = recoverySeries(log);
  const latency = new Histogram();
  for (const { sendMs, finishMs, status, leftOut } of samples) {
    if (sendMs < metMs - log.plan.steady.forMs || sendMs >= issuedMs) continue;
    if (status === 'ok') latency.add(finishMs - sendMs);
    if (leftOut !== undefined) latency.addAll(leftOut.latency);
  }
  // With fewer than ten answers the p90 is the slowest one, and one slow answer proves nothing. Use the
  // second slowest.
  const p90Ms = latency.count < 2 ? null : latency.percentile(Math.min(0.9, 1 - 1 / latency.count));
  if (p90Ms === null || p90Ms <= probe.timeoutMs * slowBeforeFaultShare) return [];
  return [
    `${probe.id} answered in ${durationText(p90Ms)} (p90) before the fault, which is more than half of its timeout of ${limitText(probe.timeoutMs)}: a little more load causes timeouts without an outage; use a quieter machine or a longer timeout`,
  ];
}
