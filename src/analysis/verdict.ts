import { staleAfterMs } from '../core/freshness.ts';
import { messageText } from '../core/message-text.ts';
import type { Check, PlannedFault } from '../core/plan.ts';
import type { Summary, VerdictWord } from '../core/summary.ts';
import { gateUncertainty } from './uncertainty.ts';
import { proberProblems, sleepText } from './health.ts';
import { type Evidence, isComplete, type JudgedCheck, unmetText } from './outcome.ts';
import { countOf, lastAnswerMs } from './kept-samples.ts';
import type { FaultRecord, ProbeSeries, RunLog } from './run-log.ts';
import { othersUncertainty } from './others.ts';
import { recoverySeries } from './rto.ts';
import { proberNotes } from './prober-summary.ts';
import { degradedText } from './degraded.ts';
import { steadinessUncertainties } from './steadiness.ts';
import type { BadWindow } from './windows.ts';
import { lostText } from './lost-samples.ts';
import { durationText, limitText } from '../core/format-duration.ts';
import type { ProbeId } from '../core/ids.ts';
import { type DurationMs, latest } from '../core/time.ts';

/** A verdict with its reasons, the most important first. */
export interface Verdict {
  readonly verdict: VerdictWord;
  readonly reasons: readonly string[];
  readonly healed: boolean;
}

/** Whether the run only watched: no fault was planned or injected. */
export function isWatch(log: RunLog): boolean {
  return (
    log.phases.some((p) => p.phase === 'watching') ||
    (log.plan.faults.length === 0 && log.faults.length === 0)
  );
}

function faultText(fault: FaultRecord): string {
  return fault.host === null ? `${fault.id} (${fault.kind})` : `${fault.id} (${fault.kind} on ${fault.host})`;
}

/**
 * Faults and preparations that may have acted and are not proven healed. A failed one may have acted,
 * too.
 */
function unhealed(log: RunLog): readonly FaultRecord[] {
  return [...log.faults, ...log.preparations].filter((f) => f.issuedMs !== null && f.healedMs === null);
}

/** Why there was no drill, or only a part of one. */
function brokenOff(log: RunLog): readonly string[] {
  const reasons: string[] = [];
  if (log.aborted !== null) reasons.push(`the run was cut short: ${log.aborted.reason}`);
  else if (!log.ended)
    reasons.push('the log ends in the middle of the run: firedrill was killed, or its disk was full');
  const steady = log.gates.filter((g) => g.gate === 'steady');
  const lastSteady = steady.at(-1);
  if (lastSteady?.state === 'timeout') {
    const what = steady.some((g) => g.state === 'met')
      ? 'the steady state was lost again before the fault'
      : `the steady state was not met within ${limitText(log.plan.steady.withinMs)}`;
    reasons.push(`${what}, so no fault was injected: ${unmetText(lastSteady.unmet)}`);
  }
  for (const step of [...log.preparations, ...log.faults]) {
    const verb = log.preparations.includes(step) ? 'done' : 'injected';
    if (step.failure !== null)
      reasons.push(
        step.ackedMs === null && step.unansweredMs === null
          ? `${faultText(step)} could not be ${verb}: ${step.failure}`
          : `${faultText(step)} failed after it was issued: ${step.failure}`,
      );
    else if (step.issuedMs !== null && step.effect === null)
      reasons.push(`${faultText(step)} had no observed effect`);
  }
  for (const step of log.repairs) {
    if (step.failure !== null) reasons.push(`${faultText(step)} failed: ${step.failure}`);
    else if (step.ackedMs === null && step.effect === null)
      reasons.push(`the log does not show the end of ${faultText(step)}`);
  }
  if (reasons.length > 0) return reasons;
  return [
    ...notCome('not prepared', log.plan.prepare, log.preparations),
    ...notCome('not injected', log.plan.faults, log.faults),
    ...notCome('not repaired', log.plan.repair, log.repairs),
  ];
}

/** Planned steps without an event in the log. */
function notCome(
  words: string,
  planned: readonly PlannedFault[],
  records: readonly FaultRecord[],
): readonly string[] {
  const missing = planned.filter((p) => !records.some((f) => f.id === p.id));
  return missing.length === 0 ? [] : [`${words}: ${missing.map((f) => `${f.id} (${f.kind})`).join(', ')}`];
}

/**
 * A gate that timed out after the fault fails the drill by itself, unless a check with its own limit judges the same thing.
 */
function gateFailures(
  evidence: Evidence,
  checks: readonly JudgedCheck[],
): { readonly failed: readonly string[]; readonly uncertain: readonly string[] } {
  const { log, recovery, redundancy } = evidence;
  const unsteady = steadinessUncertainties(log);
  const failed: string[] = [];
  const uncertain: string[] = [];
  if (recovery === null) return { failed, uncertain };
  const report = (gate: 'recovery' | 'redundancy', words: string) => {
    const timeoutMs = log.gates.findLast((g) => g.gate === gate)?.t ?? log.endMs;
    const uncertainty = gateUncertainty(log, gate) ?? unsteady[0] ?? othersUncertainty(log, timeoutMs);
    if (uncertainty === null) failed.push(words);
    else uncertain.push(`${words}, but this is inconclusive: ${uncertainty}`);
  };
  const judged = (kind: Check['kind']) => checks.some((c) => c.result.kind === kind);
  const gate = log.gates.findLast((g) => g.gate === 'recovery');
  if (gate?.state === 'timeout' && recovery.rto === null && !judged('rto') && !judged('no-recovery'))
    report(
      'recovery',
      `no stable recovery within ${limitText(log.plan.recovery.withinMs)}: ${unmetText(gate.unmet)}`,
    );
  if (redundancy.state === 'timeout' && !judged('redundancy'))
    report(
      'redundancy',
      `redundancy was not restored within ${limitText(log.plan.redundancy.withinMs)}: ${unmetText(redundancy.unmet)}`,
    );
  return { failed, uncertain };
}

/**
 * The verdict on a drill. Order of precedence:
 * 1. Fail: a check failed, or a gate after the fault timed out.
 * 2. Inconclusive: the drill was cut short, its steady state was not met or was lost before the fault, or a fault had no effect.
 *    Also if a check is inconclusive, no sample shows a recovery, or the prober's samples cannot be trusted.
 * 3. Inconclusive: a fault is not proven healed.
 * 4. Pass.
 *
 * A run that firedrill's own failure cut short (for example, a full disk) is inconclusive, whatever its samples show.
 * Unhealed faults come first among the reasons. The exit code for `healed: false` outranks the verdict's.
 */
export function judgeDrill(evidence: Evidence, checks: readonly JudgedCheck[]): Verdict {
  const { log, recovery } = evidence;
  const left = unhealed(log).map(
    (f) => `${faultText(f)} is not proven healed${f.healFailure === null ? '' : `: ${f.healFailure}`}`,
  );
  const reasonsOf = (status: VerdictWord) =>
    checks.flatMap((c) =>
      c.result.status === status && c.reason !== null ? [`${c.result.name}: ${c.reason}`] : [],
    );
  const failed = checks.some((c) => c.result.status === 'fail');
  const gates = gateFailures(evidence, checks);
  const broken = brokenOff(log);
  const undecided = checks.some((c) => c.result.status === 'inconclusive');
  const prober = recovery === null ? [] : proberProblems(log, recovery);
  const unobserved =
    recovery !== null &&
    recovery.rto === null &&
    gates.failed.length + gates.uncertain.length === 0 &&
    !checks.some((c) => c.result.kind === 'rto' || c.result.kind === 'no-recovery')
      ? [`no sample shows a stable recovery of ${recoverySeries(log).probe.name}`]
      : [];
  const nothing = recovery === null && broken.length === 0 ? ['no fault took effect'] : [];
  // A missing recovery resembles a failure, so report that the check expects it.
  const expected = checks.flatMap((c) =>
    c.result.kind === 'no-recovery' && c.result.status === 'pass'
      ? [`${c.result.name}: ${c.result.observed}, as expected`]
      : [],
  );
  const inconclusive = [
    ...broken,
    ...steadinessUncertainties(log),
    ...nothing,
    ...unobserved,
    ...gates.uncertain,
    ...reasonsOf('inconclusive'),
    ...prober,
  ];
  const verdict: VerdictWord =
    (failed || gates.failed.length > 0) && log.aborted?.broken !== true
      ? 'fail'
      : inconclusive.length > 0 || undecided || left.length > 0 || !isComplete(log)
        ? 'inconclusive'
        : 'pass';
  return {
    verdict,
    reasons: [...left, ...reasonsOf('fail'), ...gates.failed, ...inconclusive, ...expected],
    healed: left.length === 0,
  };
}

/**
 * The verdict on a run that only watched.
 * - Fail: a probe had an outage.
 * - Inconclusive: a probe had no known result at all, or for longer than a sample stays fresh. Also if its samples failed only
 *   while the prober was degraded, or if the machine slept.
 * - Pass: otherwise.
 *
 * A watch ordinarily ends by a signal, so being cut short does not change the verdict.
 */
export function judgeWatch(log: RunLog, windows: ReadonlyMap<ProbeId, readonly BadWindow[]>): Verdict {
  const down = [...windows].flatMap(([id, list]) => {
    const count = list.filter((w) => w.state === 'down').length;
    return count === 0 ? [] : [`${id} was down ${count === 1 ? 'once' : `${count} times`}`];
  });
  const blind = [...log.series.values()]
    .filter((s) => s.samples.every((x) => x.status === 'unknown'))
    .map((s) => `${s.probe.id} had no known result for ${durationText(log.endMs - log.startMs)}`);
  const uncertainty = lostText(log) ?? degradedText(log);
  const uncertain = [...windows].flatMap(([id, list]) => {
    const perhaps = list.filter((w) => w.state === 'uncertain');
    const ms = perhaps.reduce((sum, w) => sum + w.endHiMs - w.startLoMs, 0);
    return ms === 0 ? [] : [`${id} may have been down for up to ${durationText(ms)}: ${uncertainty}`];
  });
  const unobserved = [...log.series.values()].flatMap((series) => {
    const { id } = series.probe;
    const ms = unobservedMs(log, series);
    const isReported =
      windows.get(id)?.some((w) => w.state === 'uncertain') === true || ms === log.endMs - log.startMs;
    return isReported || ms <= staleAfterMs(series)
      ? []
      : [`${id} had no known result for ${durationText(ms)}`];
  });
  const asleep = sleepText(log, log.startMs);
  return {
    verdict:
      down.length > 0
        ? 'fail'
        : blind.length + uncertain.length + unobserved.length + asleep.length > 0 || log.series.size === 0
          ? 'inconclusive'
          : 'pass',
    reasons: [...down, ...blind, ...uncertain, ...unobserved, ...asleep],
    healed: true,
  };
}

/** The longest time in a run without a known sample, ms. */
function unobservedMs(log: RunLog, { samples }: ProbeSeries): DurationMs {
  let saidMs = log.startMs;
  let longest = 0;
  for (const sample of samples) {
    if (sample.status === 'unknown') continue;
    longest = Math.max(longest, sample.sendMs - saidMs);
    saidMs = latest(saidMs, lastAnswerMs(sample));
  }
  return Math.max(longest, log.endMs - saidMs);
}

/** Notes that do not change the verdict, one sentence each. */
export function notesOf(log: RunLog, evidence: Evidence): Summary['notes'] {
  const notes: string[] = [];
  if (log.torn) notes.push('the last line of the event log is incomplete and was ignored');
  const lost = lostText(log);
  if (lost !== null) notes.push(lost);
  notes.push(...proberNotes(log), ...nameTrouble(log));
  const { recovery } = evidence;
  if (recovery !== null && recovery.laterWindows > 0)
    notes.push(
      `${recovery.laterWindows} more ${recovery.laterWindows === 1 ? 'outage' : 'outages'} after the recovery had held; counted in the downtime, not in the RTO`,
    );
  return notes;
}

/** Longest part of an error that a note quotes, in characters. */
const mostChars = 160;

/**
 * A note for each probe whose samples failed because the target's name was not resolved. Clients that use the name have an
 * outage then, but the failure does not show the state of the service. Probes of kind `dns` test just that and get no note.
 */
function nameTrouble(log: RunLog): readonly string[] {
  return [...log.series.values()].flatMap(({ probe, samples, lastError }) => {
    if (probe.kind === 'dns') return [];
    const unresolved = samples.filter((s) => s.status === 'fail' && s.cause === 'dns');
    if (unresolved.length === 0) return [];
    const last = samples.findLast((s) => s.status !== 'ok');
    const error =
      last?.cause === 'dns' && lastError !== undefined
        ? ` (last error: ${messageText(lastError, mostChars)})`
        : '';
    return [
      `${probe.id} could not resolve the name of its target in ${countOf(unresolved)} of ${countOf(samples)} samples${error}: this is a DNS failure, and the state of the service is unknown; to leave DNS out, give the probe an IP address`,
    ];
  });
}
