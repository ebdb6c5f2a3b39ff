import { durationWords } from '../core/format-duration.ts';
import { type Condition, sampleTruth } from '../core/condition.ts';
import type { Check } from '../core/plan.ts';
import type { CheckResult } from '../core/summary.ts';
import { announcedCheck } from './announced-check.ts';
import { finallyCheck, happensCheck, neverCheck } from './condition-checks.ts';
import {
  downtimeCheck,
  healOutageCheck,
  noRecoveryCheck,
  redundancyCheck,
  returnCheck,
  rtoCheck,
} from './duration-checks.ts';
import { mayHaveMoved, ownersAt, ownerTruths } from './intervals.ts';
import { withMissingValues } from './missing-values.ts';
import { viewsOf } from './unobserved.ts';
import {
  type CheckOf,
  type Evidence,
  isComplete,
  type JudgedCheck,
  type Outcome,
  undrilled,
  unmeasured,
} from './outcome.ts';
import { ownershipCheck } from './ownership-check.ts';
import { rowsCheck, rpoCheck, staleReadsCheck } from './row-checks.ts';
import type { KeptSample } from './kept-samples.ts';
import { failoverByMs } from './open-faults.ts';
import { type RunLog, watchedUntil } from './read-log.ts';
import { type RecoveryAnalysis, waitOverMs } from './rto.ts';
import { listWords } from './words.ts';

/** What a check on a role needs to be judged at all. */
interface RoleSubject {
  /** The host that had the role before the fault. */
  readonly before: string;
  readonly condition: Condition;
  readonly limit: string;
  readonly recovery: RecoveryAnalysis;
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
  const unknown = (observed: string, reason: string): Outcome => unmeasured(observed, limit, reason);
  if (condition === undefined) return unknown('not a role of the plan', `role ${role} is not in the plan`);
  if (before === null)
    return unknown(
      'holder before the fault unknown',
      `nobody, or nobody alone, was seen to hold role ${role} before the fault`,
    );
  return { before, condition, limit, recovery, unknown };
}

/** A failover must have come about before a heal may move the role back. */
function roleMovedCheck(check: CheckOf<'role-moved'>, evidence: Evidence): Outcome {
  const { log } = evidence;
  const subject = roleSubject(check.role, evidence, (before) =>
    before === null ? 'another host' : `another host than ${before}`,
  );
  if ('status' in subject) return subject;
  const { before, condition, limit, unknown, recovery } = subject;
  const atMs = Math.min(failoverByMs(log, recovery.recovered, waitOverMs(log)), watchedUntil(log));
  const view = viewsOf(log, condition).asCounted;
  const { owners, unseen } = ownersAt(view, condition, atMs);
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
  if (mayHaveMoved(view, condition, before, atMs))
    return unknown(
      observed,
      `role ${check.role} was ${observed} by samples of different moments, and a host changed between them and the next ones`,
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

function roleStaysCheck(check: CheckOf<'role-stays'>, evidence: Evidence): Outcome {
  const { log } = evidence;
  const subject = roleSubject(check.role, evidence, (before) =>
    before === null ? 'the same host' : `on ${before}`,
  );
  if ('status' in subject) return subject;
  const { before, condition, limit, unknown } = subject;
  const { effect } = subject.recovery;
  for (const { name: owner, seenMs } of firstOwned(log, condition, effect.loMs)) {
    if (owner !== before && seenMs !== undefined) {
      const after = durationWords(seenMs - effect.ms);
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
  const { owners, unseen } = ownersAt(viewsOf(log, condition).asCounted, condition, watchedUntil(log));
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

/** When each host was first seen to own a role in a sample that was sent at or after a moment. ms. */
function firstOwned(
  log: RunLog,
  condition: Condition,
  fromMs: number,
): readonly { readonly name: string; readonly seenMs: number | undefined }[] {
  const range = { fromMs, toMs: Math.max(fromMs, watchedUntil(log)) };
  return ownerTruths(log, condition, range).map(({ name, series, spans }) => {
    const owns = (s: KeptSample): boolean => sampleTruth(condition, series.probe, s) === 'yes';
    const sample = series.samples.find((s) => s.sendMs >= fromMs && owns(s));
    if (condition.and === undefined) return { name, seenMs: sample?.finishMs };
    return { name, seenMs: spans.find((s) => s.truth === 'yes')?.fromMs };
  });
}

function judge(check: Check, evidence: Evidence): Outcome {
  switch (check.kind) {
    case 'rto':
      return rtoCheck(check, evidence);
    case 'downtime':
      return downtimeCheck(check, evidence);
    case 'redundancy':
      return redundancyCheck(check, evidence);
    case 'no-recovery':
      return noRecoveryCheck(evidence);
    case 'heal-outage':
      return healOutageCheck(check, evidence);
    case 'return':
      return returnCheck(check, evidence);
    case 'happens':
      return happensCheck(check, evidence);
    case 'role-moved':
      return roleMovedCheck(check, evidence);
    case 'role-stays':
      return roleStaysCheck(check, evidence);
    case 'finally':
      return finallyCheck(check, evidence);
    case 'never':
      return neverCheck(check, evidence);
    case 'ownership':
      return ownershipCheck(check, evidence);
    case 'rpo':
      return rpoCheck(check, evidence);
    case 'rows':
      return rowsCheck(check, evidence);
    case 'stale-reads':
      return staleReadsCheck(check, evidence);
    case 'announced':
      return announcedCheck(check, evidence);
  }
}

/**
 * Judges each check of the plan. Without a fault that took effect every check is
 * inconclusive: nothing was drilled, whatever the probes saw.
 */
export function judgeChecks(evidence: Evidence): readonly JudgedCheck[] {
  return evidence.log.plan.checks.map((check) => {
    const { status, observed, limit, measured, reason } = withMissingValues(
      judge(check, evidence),
      check,
      evidence,
    );
    const { name, kind } = check;
    return {
      result: {
        name,
        kind,
        status,
        observed,
        limit,
        ...(measured === undefined ? {} : { measured }),
        ...limitsOf(check),
      },
      reason,
    };
  });
}

/** The limits of a check on a duration, as numbers. */
function limitsOf(check: Check): Pick<CheckResult, 'limits'> {
  const limits = {
    ...('minMs' in check && check.minMs !== undefined ? { minMs: check.minMs } : {}),
    ...('maxMs' in check && check.maxMs !== undefined ? { maxMs: check.maxMs } : {}),
  };
  return Object.keys(limits).length === 0 ? {} : { limits };
}
