import { roundMs } from '../core/clock.ts';
import { describeCondition, sampleMatches, type Condition } from '../core/condition.ts';
import type { Check } from '../core/plan.ts';
import type { CheckResult } from '../core/summary.ts';
import {
  type ConditionInterval,
  holdsAt,
  intervalsIn,
  intervalsOf,
  ownerName,
  ownersAt,
  readingsAt,
  seriesOf,
  truthOfAll,
} from './intervals.ts';
import { intervalAt, type RunLog, watchedUntil } from './read-log.ts';
import { healBeganMs, type RecoveryAnalysis, recoverySeries } from './rto.ts';
import { type Measure, middle } from './windows.ts';
import { durationWords, limitWords, listWords, measureWords } from './words.ts';

/** A check's outcome, and the sentence that says why when it is not a pass. */
export interface JudgedCheck {
  readonly result: CheckResult;
  readonly reason: string | null;
}

/** From t0 until redundancy held again, as far as the log shows. ms. */
export type RedundancyAnalysis =
  | { readonly state: 'restored'; readonly after: Measure }
  | { readonly state: 'timeout'; readonly longerThanMs: number; readonly unmet: readonly string[] }
  | { readonly state: 'not-awaited' };

/** What the checks are judged on. */
export interface Evidence {
  readonly log: RunLog;
  /** null: no fault took effect. */
  readonly recovery: RecoveryAnalysis | null;
  readonly redundancy: RedundancyAnalysis;
  readonly roleBefore: ReadonlyMap<string, string | null>;
}

type Outcome = Omit<CheckResult, 'name' | 'kind'> & { readonly reason: string | null };

/** Whether the run came to its own end: otherwise what is last in the log is not what came last. */
export function isComplete(log: RunLog): boolean {
  return log.ended && log.aborted === null;
}

/**
 * When redundancy was back: the start of the time for which the redundancy gate's
 * conditions held until the gate was met. 0 if they were never seen to break.
 */
export function analyseRedundancy(log: RunLog, recovery: RecoveryAnalysis | null): RedundancyAnalysis {
  const gate = log.gates.findLast((g) => g.gate === 'redundancy');
  if (gate === undefined || recovery === null) return { state: 'not-awaited' };
  const { effect } = recovery;
  if (gate.state === 'timeout')
    return {
      state: 'timeout',
      longerThanMs: roundMs(Math.max(0, gate.t - effect.hiMs)),
      unmet: gate.unmet,
    };
  const heldFromMs = Math.max(effect.loMs, gate.t - log.plan.redundancy.forMs);
  const spans = truthOfAll(log, log.plan.redundancy.require, { fromMs: effect.loMs, toMs: gate.t });
  const last = intervalsIn(spans, 'yes').findLast((i) => i.certain && i.startHiMs <= heldFromMs);
  // Where the samples alone do not show it, the engine's word gives the latest moment.
  const startHiMs = last?.startHiMs ?? heldFromMs;
  const startLoMs = last?.startLoMs ?? startHiMs;
  const minMs = roundMs(Math.max(0, startLoMs - effect.hiMs));
  const maxMs = roundMs(Math.max(minMs, startHiMs - effect.loMs));
  const ms = roundMs(Math.min(maxMs, Math.max(minMs, middle(startLoMs, startHiMs) - effect.ms)));
  return {
    state: 'restored',
    after: startLoMs <= effect.loMs ? { ms: minMs, minMs, maxMs } : { ms, minMs, maxMs },
  };
}

/** Judges a duration by its bounds: only when both are on one side of the limit is it decided. */
function againstLimit(measure: Measure, maxMs: number): CheckResult['status'] {
  if (measure.maxMs <= maxMs) return 'pass';
  return measure.minMs > maxMs ? 'fail' : 'inconclusive';
}

/** At which interval a limit inside the bounds would be decided: what is left of the distance after the uncertainty that no interval removes. */
function decidedAt(measure: Measure, maxMs: number, intervalMs: number): string {
  const fixedMs = Math.max(0, measure.maxMs - measure.minMs - intervalMs);
  const neededMs = Math.floor(2 * Math.abs(measure.ms - maxMs) - fixedMs);
  return neededMs >= 1
    ? `it would be decided at a probe interval of ${limitWords(neededMs)} or less`
    : 'it is too close to the limit for any probe interval to decide';
}

function bounded(what: string, measure: Measure, maxMs: number, intervalMs: number): Outcome {
  const status = againstLimit(measure, maxMs);
  const observed = measureWords(measure);
  const limit = `at most ${limitWords(maxMs)}`;
  const reason =
    status === 'pass'
      ? null
      : status === 'fail'
        ? `${what} was ${observed}, above the limit of ${limitWords(maxMs)}`
        : `${what} was ${observed}: the limit of ${limitWords(maxMs)} lies within the bounds; ${decidedAt(measure, maxMs, intervalMs)}`;
  return { status, observed, limit, reason };
}

/** Judges something that did not come while we waited. */
function waitedFor(what: string, longerThanMs: number, maxMs: number): Outcome {
  const fail = longerThanMs >= maxMs;
  const observed = `not within ${durationWords(longerThanMs)}`;
  return {
    status: fail ? 'fail' : 'inconclusive',
    observed,
    limit: `at most ${limitWords(maxMs)}`,
    reason: fail
      ? `${what} within ${durationWords(longerThanMs)}, the limit is ${limitWords(maxMs)}`
      : `${what} within the ${durationWords(longerThanMs)} observed, which is less than the limit of ${limitWords(maxMs)}`,
  };
}

function rtoCheck(check: Extract<Check, { kind: 'rto' | 'downtime' }>, evidence: Evidence): Outcome {
  const { log, recovery } = evidence;
  if (recovery === null) return undrilled(`at most ${limitWords(check.maxMs)}`);
  const series = recoverySeries(log);
  const at = recovery.recovered?.hiMs ?? log.endMs;
  const intervalMs = intervalAt(log, series.probe, at);
  if (check.kind === 'downtime' && recovery.rto === null) {
    // Not over, or not watched to its end: what was seen is a lower bound only.
    const fail = recovery.downtime.minMs > check.maxMs;
    const observed = `${durationWords(recovery.downtime.minMs)} or more, no stable recovery seen`;
    return {
      status: fail ? 'fail' : 'inconclusive',
      observed,
      limit: `at most ${limitWords(check.maxMs)}`,
      reason: `downtime was ${observed}; the limit is ${limitWords(check.maxMs)}`,
    };
  }
  if (check.kind === 'downtime') return bounded('downtime', recovery.downtime, check.maxMs, intervalMs);
  if (recovery.rto === null)
    return waitedFor(
      `no stable recovery of ${series.probe.name} was seen`,
      recovery.longerThanMs ?? 0,
      check.maxMs,
    );
  return bounded('RTO', recovery.rto, check.maxMs, intervalMs);
}

function redundancyCheck(check: Extract<Check, { kind: 'redundancy' }>, evidence: Evidence): Outcome {
  const { log, recovery, redundancy } = evidence;
  const limit = `at most ${limitWords(check.maxMs)}`;
  if (recovery === null) return undrilled(limit);
  switch (redundancy.state) {
    case 'restored': {
      const slowest = Math.max(
        0,
        ...log.plan.redundancy.require.flatMap((c) => seriesOf(log, c).map((s) => s.probe.intervalMs)),
      );
      return bounded('time to redundancy restored', redundancy.after, check.maxMs, slowest);
    }
    case 'timeout': {
      const outcome = waitedFor('redundancy was not restored', redundancy.longerThanMs, check.maxMs);
      return {
        ...outcome,
        observed: [outcome.observed, ...redundancy.unmet].join('; missing: '),
        reason: `${outcome.reason ?? ''}: ${unmetWords(redundancy.unmet)}`,
      };
    }
    case 'not-awaited':
      return {
        status: 'inconclusive',
        observed: 'not measured',
        limit,
        reason: 'redundancy was not measured: the run did not get to waiting for it',
      };
  }
}

/** What a gate missed, in words. */
export function unmetWords(unmet: readonly string[]): string {
  return unmet.length === 0 ? 'the log does not say what was missing' : unmet.join('; ');
}

function undrilled(limit: string): Outcome {
  return { status: 'inconclusive', observed: 'not measured: no fault took effect', limit, reason: null };
}

/** What a check on a role needs to be judged at all. */
interface RoleSubject {
  /** The host that had the role before the fault. */
  readonly before: string;
  readonly condition: Condition;
  readonly limit: string;
  readonly effect: RecoveryAnalysis['effect'];
  readonly unknown: (observed: string, reason: string) => Outcome;
}

/** The subject of a check on a role, or why there is none. */
function roleSubject(
  role: string,
  { log, recovery, roleBefore }: Evidence,
  limitOf: (before: string | null) => string,
): RoleSubject | Outcome {
  const before = roleBefore.get(role) ?? null;
  const limit = limitOf(before);
  if (recovery === null) return undrilled(limit);
  const condition = log.plan.roles[role];
  const unknown = (observed: string, reason: string): Outcome => ({
    status: 'inconclusive',
    observed,
    limit,
    reason,
  });
  if (condition === undefined) return unknown('not a role of the plan', `role ${role} is not in the plan`);
  if (before === null)
    return unknown(
      'holder before the fault unknown',
      `nobody, or nobody alone, was seen to hold role ${role} before the fault`,
    );
  return { before, condition, limit, effect: recovery.effect, unknown };
}

/** When a failover must have come about: before heal, which may move the role back. */
function roleMovedCheck(check: Extract<Check, { kind: 'role-moved' }>, evidence: Evidence): Outcome {
  const { log } = evidence;
  const subject = roleSubject(check.role, evidence, (before) =>
    before === null ? 'another host' : `another host than ${before}`,
  );
  if ('status' in subject) return subject;
  const { before, condition, limit, unknown } = subject;
  const atMs = Math.min(healBeganMs(log), watchedUntil(log));
  const { owners, unseen } = ownersAt(log, condition, atMs);
  const [owner] = owners;
  if (owners.length === 1 && owner !== undefined && owner !== before)
    return { status: 'pass', observed: `${before} to ${owner}`, limit, reason: null };
  const observed =
    owner === undefined
      ? 'held by nobody'
      : owners.length > 1
        ? `held by ${listWords(owners)}`
        : `stayed on ${owner}`;
  if (owner === undefined && unseen.length > 0)
    return unknown(
      `not seen on ${listWords(unseen)}`,
      `who holds role ${check.role} could not be seen on ${listWords(unseen)}`,
    );
  if (!isComplete(log) && !log.gates.some((g) => g.gate === 'recovery'))
    return unknown(
      `${observed} when the log ends`,
      `role ${check.role} ${observed} when the run was cut short`,
    );
  return {
    status: 'fail',
    observed,
    limit,
    reason:
      owner === undefined || owners.length > 1
        ? `role ${check.role} is ${observed}, it was on ${before}`
        : `role ${check.role} ${observed}`,
  };
}

function roleStaysCheck(check: Extract<Check, { kind: 'role-stays' }>, evidence: Evidence): Outcome {
  const { log } = evidence;
  const subject = roleSubject(check.role, evidence, (before) =>
    before === null ? 'the same host' : `on ${before}`,
  );
  if ('status' in subject) return subject;
  const { before, condition, limit, unknown, effect } = subject;
  for (const series of seriesOf(log, condition)) {
    const owner = ownerName(series);
    if (owner === before) continue;
    const seen = series.samples.find((s) => s.sendMs >= effect.loMs && sampleMatches(condition, s));
    if (seen !== undefined) {
      const after = durationWords(seen.finishMs - effect.ms);
      return {
        status: 'fail',
        observed: `on ${owner} ${after} after the fault`,
        limit,
        reason: `role ${check.role} moved from ${before} to ${owner}, seen ${after} after the fault`,
      };
    }
  }
  if (!isComplete(log))
    return unknown(
      `on ${before} as far as the log goes`,
      `role ${check.role} was not watched to the end: the run was cut short`,
    );
  const { owners, unseen } = ownersAt(log, condition, watchedUntil(log));
  if (owners.includes(before)) return { status: 'pass', observed: `on ${before}`, limit, reason: null };
  if (unseen.includes(before))
    return unknown(`not seen on ${before}`, `role ${check.role} could not be seen on ${before} at the end`);
  return {
    status: 'fail',
    observed: 'held by nobody',
    limit,
    reason: `role ${check.role} is held by nobody at the end, it was on ${before}`,
  };
}

function finallyCheck(check: Extract<Check, { kind: 'finally' }>, evidence: Evidence): Outcome {
  const { log, recovery } = evidence;
  const limit = describeCondition(check.condition);
  if (recovery === null) return undrilled(limit);
  const atMs = watchedUntil(log);
  const observed =
    readingsAt(log, check.condition, atMs)
      .map(
        ({ series, sample }) =>
          `${series.probe.id} ${sample === undefined ? 'not seen' : stateWords(sample.status, sample.value, sample.cause)}`,
      )
      .join(', ') || 'no such probe';
  const truth = holdsAt(log, check.condition, atMs);
  if (!isComplete(log))
    return {
      status: 'inconclusive',
      observed,
      limit,
      reason: `"${limit}" was not judged: the run was cut short before its end`,
    };
  if (truth === 'yes') return { status: 'pass', observed, limit, reason: null };
  return truth === 'no'
    ? { status: 'fail', observed, limit, reason: `at the end "${limit}" did not hold: ${observed}` }
    : {
        status: 'inconclusive',
        observed,
        limit,
        reason: `at the end "${limit}" could not be seen: ${observed}`,
      };
}

function stateWords(status: string, value: string | undefined, cause: string | undefined): string {
  const detail = status === 'ok' ? value : (cause ?? value);
  return detail === undefined ? status : status === 'ok' ? detail : `${status} (${detail})`;
}

/** The longest of the intervals by one of its bounds. */
function longest(
  intervals: readonly ConditionInterval[],
  by: 'minMs' | 'maxMs',
): ConditionInterval | undefined {
  return intervals.reduce<ConditionInterval | undefined>(
    (max, i) => (max === undefined || i[by] > max[by] ? i : max),
    undefined,
  );
}

function neverCheck(check: Extract<Check, { kind: 'never' }>, evidence: Evidence): Outcome {
  const { log, recovery } = evidence;
  const { condition, toleranceMs } = check;
  const what = describeCondition(condition);
  const limit =
    toleranceMs === 0 ? `never ${what}` : `never ${what} for longer than ${limitWords(toleranceMs)}`;
  if (recovery === null) return undrilled(limit);
  const range = { fromMs: recovery.effect.loMs, toMs: watchedUntil(log) };
  const intervals = intervalsOf(log, condition, range);
  const bounds = (i: ConditionInterval) => `${durationWords(i.minMs)} to ${durationWords(i.maxMs)}`;
  const when = (i: ConditionInterval) =>
    `from ${durationWords(Math.max(0, middle(i.startLoMs, i.startHiMs) - recovery.effect.ms))} after the fault`;

  const proven = longest(
    intervals.filter((i) => i.certain && (i.minMs > toleranceMs || toleranceMs === 0)),
    'minMs',
  );
  if (proven !== undefined) {
    const observed = `held for ${bounds(proven)}, ${when(proven)}`;
    return {
      status: 'fail',
      observed,
      limit,
      reason: `"${what}" ${observed}; it must never hold${toleranceMs === 0 ? '' : ` for longer than ${limitWords(toleranceMs)}`}`,
    };
  }
  const possible = longest(
    intervals.filter((i) => i.maxMs > toleranceMs),
    'maxMs',
  );
  if (possible !== undefined) {
    const observed = `may have held for up to ${durationWords(possible.maxMs)}, ${when(possible)}`;
    const seen = seriesOf(log, condition).map((s) => s.probe.intervalMs);
    const neededMs = Math.floor(toleranceMs - (possible.maxMs - Math.max(0, ...seen)));
    const hint =
      neededMs >= 1
        ? `it would be decided at a probe interval of ${limitWords(neededMs)} or less`
        : 'the samples between do not tell; probe more often, or allow a tolerance above the probe interval';
    return { status: 'inconclusive', observed, limit, reason: `"${what}" ${observed}: ${hint}` };
  }
  if (!isComplete(log))
    return {
      status: 'inconclusive',
      observed: 'not seen as far as the log goes',
      limit,
      reason: `"${what}" was not watched to the end: the run was cut short`,
    };
  const brief = longest(intervals, 'maxMs');
  return {
    status: 'pass',
    observed: brief === undefined ? 'never' : `at most ${durationWords(brief.maxMs)}`,
    limit,
    reason: null,
  };
}

function judge(check: Check, evidence: Evidence): Outcome {
  switch (check.kind) {
    case 'rto':
    case 'downtime':
      return rtoCheck(check, evidence);
    case 'redundancy':
      return redundancyCheck(check, evidence);
    case 'role-moved':
      return roleMovedCheck(check, evidence);
    case 'role-stays':
      return roleStaysCheck(check, evidence);
    case 'finally':
      return finallyCheck(check, evidence);
    case 'never':
      return neverCheck(check, evidence);
  }
}

/**
 * Judges each check of the plan. Without a fault that took effect every check is
 * inconclusive: nothing was drilled, whatever the probes saw.
 */
export function judgeChecks(evidence: Evidence): readonly JudgedCheck[] {
  return evidence.log.plan.checks.map((check) => {
    const { reason, ...result } = judge(check, evidence);
    return { result: { name: check.name, kind: check.kind, ...result }, reason };
  });
}
