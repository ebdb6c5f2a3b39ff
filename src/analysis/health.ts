import type { PlannedProbe } from '../core/plan.ts';
import { laneOf, type ProbeLane } from '../core/probe-lane.ts';
import { countOf } from './kept-samples.ts';
import { intervalAt, type ProbeSeries, type RunLog } from './read-log.ts';
import { type RecoveryAnalysis, recoverySeries } from './rto.ts';
import { degradedMsIn, degradedWords } from './degraded.ts';
import { durationWords } from '../core/format-duration.ts';

/** More than this share of the slots around the outage without evidence: the figures rest on too little. */
const lostShareLimit = 0.02;
/** The time around the outage that must be well observed, ms. */
const leadMs = 2000;

/**
 * What was wrong with the prober around the outage, a sentence each; empty when it
 * was fit to judge. Looked at: the recovery probe from 2 s before t0 until the
 * recovery had held (without a recovery: until the log's end).
 *
 * - More than 2 % of its slots (and more than one) unknown or dropped.
 * - A slot sent later than the larger of its interval and half its time-out. Late
 *   slots keep their true send time, so that bounds stay true; but a prober that
 *   stands still that long can turn a good answer into a time-out.
 * - The thread of the recovery probe, or of a probe whose downtime is judged, stood still for more than half the probe's time-out:
 *   a probe on sockets has a thread of its own, a probe that runs commands shares the main one.
 * - Its canary was bad before the fault, while the steady state was to hold: what was steady is not known. Or it was bad
 *   while looks of the probe failed, and no other look says that these were an outage.
 * - The machine slept, at any time since the steady state held: the run clock stood still, and what lasted over it (redundancy, a
 *   return, who owned what) lasted longer than was measured.
 */
export function proberComplaints(log: RunLog, recovery: RecoveryAnalysis): readonly string[] {
  const series = recoverySeries(log);
  const { probe } = series;
  const fromMs = recovery.effect.loMs - leadMs;
  const toMs =
    recovery.recovered === null ? log.endMs : recovery.recovered.hiMs + log.plan.recovery.stableForMs;
  const inside = (ms: number) => ms >= fromMs && ms <= toMs;
  const sent = series.samples.filter((s) => inside(s.sendMs));
  const unknown = countOf(sent.filter((s) => s.status === 'unknown' && !s.degraded));
  // A slot that the target's own pace left out was not lost by the prober.
  const dropped = series.dropped.filter((s) => !s.paced && inside(s.dueMs)).length;
  const slots = countOf(sent) + dropped;
  const complaints: string[] = [];
  if (slots === 0) complaints.push(`the prober sent no sample of ${probe.id} around the outage`);
  if (unknown + dropped > Math.max(1, slots * lostShareLimit))
    complaints.push(
      `the prober lost ${unknown + dropped} of ${slots} looks of ${probe.id} around the outage (${unknown} unknown, ${dropped} not sent), more than 2 %`,
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
    complaints.push(
      `the prober sent a look of ${probe.id} ${durationWords(worst.lateMs)} late, more than ${durationWords(worst.limitMs)}`,
    );
  for (const judged of judgedProbes(log, series)) {
    const stall = stallMs(log, laneOf(judged.kind), fromMs, toMs);
    if (stall <= judged.timeoutMs / 2) continue;
    complaints.push(
      `the prober's thread stood still for ${durationWords(stall)}, more than half the time-out of ${judged.id}`,
    );
    break;
  }
  const steady = log.gates.findLast((g) => g.gate === 'steady' && g.state === 'met');
  const issuedMs = Math.min(...log.faults.map((f) => f.issuedMs ?? Infinity));
  const steadyMs = (steady?.t ?? issuedMs) - log.plan.steady.forMs;
  if (degradedMsIn(log, steadyMs, issuedMs) > 0)
    complaints.push(
      `the steady state before the fault is uncertain: ${degradedWords(log, steadyMs, issuedMs)}`,
    );
  const doubtful = recovery.unsure.filter((w) => inside(w.firstBadMs));
  if (doubtful.length > 0)
    complaints.push(
      `${probe.id} may have been down for up to ${durationWords(doubtful.reduce((sum, w) => sum + w.endHiMs - w.startLoMs, 0))}, which is unknown: ${degradedWords(log, fromMs, toMs)}`,
    );
  complaints.push(...sleepWords(log, steadyMs));
  return complaints;
}

/** What is said of the machine's sleep from a moment on; empty where it did not sleep. */
export function sleepWords({ clockSteps }: RunLog, fromMs: number): readonly string[] {
  const asleep = clockSteps.filter((s) => s.cause === 'suspend' && s.atMs >= fromMs);
  const ms = asleep.reduce((sum, s) => sum + s.byMs, 0);
  return asleep.length === 0
    ? []
    : [
        `the prober's machine slept for ${durationWords(ms)}: the run clock stood still meanwhile; keep it awake`,
      ];
}

/** The recovery probe, and those whose downtime is judged. */
function judgedProbes(log: RunLog, recovery: ProbeSeries): readonly PlannedProbe[] {
  const ids = log.plan.checks.flatMap((c) =>
    c.kind === 'downtime' && c.probe !== undefined ? [c.probe] : [],
  );
  const others = ids.flatMap((id) => log.series.get(id)?.probe ?? []);
  return [recovery.probe, ...others];
}

/** The longest reported stall of a thread that overlaps a range or encloses it. */
function stallMs(log: RunLog, lane: ProbeLane, fromMs: number, toMs: number): number {
  let sinceMs = log.startMs;
  let longest = 0;
  for (const event of log.health) {
    if (event.lane !== lane) continue;
    if (event.t >= fromMs && sinceMs <= toMs) longest = Math.max(longest, event.loopMaxMs);
    sinceMs = event.t;
  }
  return longest;
}
