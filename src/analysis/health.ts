import type { PlannedProbe } from '../core/plan.ts';
import type { ProbeLane } from '../core/probe-lane.ts';
import { laneIn } from '../extension/facts.ts';
import { countOf } from './kept-samples.ts';
import { firstIssuedMs, intervalAt, type ProbeSeries, type RunLog } from './run-log.ts';
import { type RecoveryAnalysis, recoverySeries } from './rto.ts';
import { degradedMsIn, degradedText } from './degraded.ts';
import { durationText } from '../core/format-duration.ts';
import { type DurationMs, earlier, later, type RunMs } from '../core/time.ts';

/** Limit of the share of slots around the outage without evidence. Above it the drill is inconclusive. */
const lostShareLimit = 0.02;
/** How long before the outage the prober must be healthy, ms. */
const leadMs = 2000;

/**
 * Problems of the prober around the outage, one sentence each; empty if its samples can be trusted. Examined: the
 * recovery probe from 2 s before t0 until the recovery had held, or until the log's end without a recovery.
 *
 * - More than 2 % of its slots (and more than one) are unknown or dropped.
 * - A slot was sent later than the larger of its interval and half its timeout. Late slots keep their true send time,
 *   so the bounds stay correct. But a prober that stalls for that long can turn a good answer into a timeout.
 * - The thread of the recovery probe, or of a probe whose downtime is judged, stalled for more than half the probe's
 *   timeout. Probes on sockets have a thread of their own; probes that run commands share the main thread.
 * - The prober was degraded before the fault, while the steady state was awaited, so the steady state is uncertain. Or it
 *   was degraded while samples of the probe failed, and no other sample proves that these were an outage.
 * - The machine slept after the steady state began. The run clock stands still during sleep, so any duration across it
 *   (redundancy, return, ownership) was longer than measured.
 */
export function proberProblems(log: RunLog, recovery: RecoveryAnalysis): readonly string[] {
  const series = recoverySeries(log);
  const { probe } = series;
  const fromMs = earlier(recovery.effect.loMs, leadMs);
  const toMs =
    recovery.recovered === null ? log.endMs : later(recovery.recovered.hiMs, log.plan.recovery.stableForMs);
  const inside = (atMs: RunMs) => atMs >= fromMs && atMs <= toMs;
  const sent = series.samples.filter((s) => inside(s.sendMs));
  const unknown = countOf(sent.filter((s) => s.status === 'unknown' && !s.degraded));
  // The target's own pace left out a paced slot; the prober did not lose it.
  const dropped = series.dropped.filter((s) => !s.paced && inside(s.dueMs)).length;
  const slots = countOf(sent) + dropped;
  const problems: string[] = [];
  if (slots === 0) problems.push(`the prober sent no sample of ${probe.id} around the outage`);
  if (unknown + dropped > Math.max(1, slots * lostShareLimit))
    problems.push(
      `the prober lost ${unknown + dropped} of ${slots} samples of ${probe.id} around the outage (${unknown} unknown, ${dropped} not sent), more than 2 %`,
    );
  const worst = sent.reduce(
    (max, s) => {
      const lateMs = s.sendMs - s.dueMs;
      const limitMs = Math.max(intervalAt(log, probe, s.dueMs), probe.timeoutMs / 2);
      return lateMs - limitMs > max.lateMs - max.limitMs ? { lateMs, limitMs } : max;
    },
    { lateMs: 0, limitMs: 0 },
  );
  if (worst.lateMs > worst.limitMs)
    problems.push(
      `the prober sent a sample of ${probe.id} ${durationText(worst.lateMs)} late, more than ${durationText(worst.limitMs)}`,
    );
  for (const judged of judgedProbes(log, series)) {
    const stall = stallMs(log, laneIn(log.plan, judged.kind), fromMs, toMs);
    if (stall <= judged.timeoutMs / 2) continue;
    problems.push(
      `the prober's thread stalled for ${durationText(stall)}, more than half the timeout of ${judged.id}`,
    );
    break;
  }
  const steady = log.gates.findLast((g) => g.gate === 'steady' && g.state === 'met');
  const issuedMs = firstIssuedMs(log);
  const steadyMs = earlier(steady?.t ?? issuedMs, log.plan.steady.forMs);
  if (degradedMsIn(log, steadyMs, issuedMs) > 0)
    problems.push(`the steady state before the fault is uncertain: ${degradedText(log, steadyMs, issuedMs)}`);
  const uncertain = recovery.uncertain.filter((w) => inside(w.firstBadMs));
  if (uncertain.length > 0)
    problems.push(
      `${probe.id} may have been down for up to ${durationText(uncertain.reduce((sum, w) => sum + w.endHiMs - w.startLoMs, 0))}: ${degradedText(log, fromMs, toMs)}`,
    );
  problems.push(...sleepText(log, steadyMs));
  return problems;
}

/** A sentence on the machine's sleep after a moment; empty if it did not sleep. */
export function sleepText({ clockSteps }: RunLog, fromMs: RunMs): readonly string[] {
  const asleep = clockSteps.filter((s) => s.cause === 'suspend' && s.atMs >= fromMs);
  const ms = asleep.reduce((sum, s) => sum + s.byMs, 0);
  return asleep.length === 0
    ? []
    : [
        `the prober's machine slept for ${durationText(ms)}, and the run clock stood still meanwhile; disable its sleep, then repeat the drill`,
      ];
}

/** The recovery probe, and the probes whose downtime is judged. */
function judgedProbes(log: RunLog, recovery: ProbeSeries): readonly PlannedProbe[] {
  const ids = log.plan.checks.flatMap((c) =>
    c.kind === 'downtime' && c.probe !== undefined ? [c.probe] : [],
  );
  const others = ids.flatMap((id) => log.series.get(id)?.probe ?? []);
  return [recovery.probe, ...others];
}

/** The longest reported stall of a thread in a report interval that overlaps the range, ms. */
function stallMs(log: RunLog, lane: ProbeLane, fromMs: RunMs, toMs: RunMs): DurationMs {
  let sinceMs = log.startMs;
  let longest = 0;
  for (const event of log.health) {
    if (event.lane !== lane) continue;
    if (event.t >= fromMs && sinceMs <= toMs) longest = Math.max(longest, event.loopMaxMs);
    sinceMs = event.t;
  }
  return longest;
}
