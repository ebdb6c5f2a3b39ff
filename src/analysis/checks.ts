import { durationText } from '../core/format-duration.ts';
import { type Condition, sampleTruth } from '../core/condition.ts';
import type { HostName, RoleName } from '../core/ids.ts';
import type { Check } from '../core/plan.ts';
import type { CheckResult } from '../core/summary.ts';
import { deliveredCheck } from './delivered-check.ts';
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
import { operationOutageCheck } from './operation-checks.ts';
import { rowsCheck, rpoCheck, staleReadsCheck } from './row-checks.ts';
import type { KeptSample } from './kept-samples.ts';
import { failoverByMs } from './open-faults.ts';
import { type RunLog, watchedUntil } from './run-log.ts';
import { type RecoveryAnalysis, waitOverMs } from './rto.ts';
import { listText } from './format.ts';
import { earliest, latest, type RunMs } from '../core/time.ts';

/** Inputs of a check on a role. */
interface RoleSubject {
  /** The host that had the role before the fault. */
  readonly before: HostName;
  readonly condition: Condition;
  readonly limit: string;
  readonly recovery: RecoveryAnalysis;
  readonly unknown: (observed: string, reason: string) => Outcome;
}

/** The inputs of a check on a role, or the outcome if one is missing. */
function roleSubject(
  role: RoleName,
  { log, recovery, roleBefore }: Evidence,
  limitOf: (before: HostName | null) => string,
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
      `samples before the fault do not show exactly one holder of role ${role}`,
    );
  return { before, condition, limit, recovery, unknown };
}

/** The failover must happen before a heal can move the role back, so it is judged at that moment. */
function roleMovedCheck(check: CheckOf<'role-moved'>, evidence: Evidence): Outcome {
  const { log } = evidence;
  const subject = roleSubject(check.role, evidence, (before) =>
    before === null ? 'another host' : `another host than ${before}`,
  );
  if ('status' in subject) return subject;
  const { before, condition, limit, unknown, recovery } = subject;
  const atMs = earliest(failoverByMs(log, recovery.recovered, waitOverMs(log)), watchedUntil(log));
  const view = viewsOf(log, condition).asCounted;
  const { owners, unobserved } = ownersAt(view, condition, atMs);
  const [owner] = owners;
  if (owners.length === 1 && owner !== undefined && owner !== before)
    return { status: 'pass', observed: `${before} to ${owner}`, limit, reason: null };
  const observed =
    owner === undefined
      ? 'held by no host'
      : owners.length > 1
        ? `held by ${listText(owners)}`
        : `stayed on ${owner}`;
  if (owner === undefined && unobserved.length > 0)
    return unknown(
      `unknown on ${listText(unobserved)}`,
      `role ${check.role}: no current sample shows whether ${listText(unobserved)} holds it`,
    );
  if (!isComplete(log) && !log.gates.some((g) => g.gate === 'recovery'))
    return unknown(
      `${observed} when the log ends`,
      `role ${check.role}: ${observed} when the run was cut short`,
    );
  if (mayHaveMoved(view, condition, before, atMs))
    return unknown(
      observed,
      `role ${check.role}: ${observed} by samples of different moments, and a host changed between them and the next samples`,
    );
  return {
    status: 'fail',
    observed,
    limit,
    reason:
      owner === undefined || owners.length > 1
        ? `role ${check.role} is ${observed}; before the fault it was on ${before}`
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
      const after = durationText(seenMs - effect.ms);
      return {
        status: 'fail',
        observed: `on ${owner} ${after} after the fault`,
        limit,
        reason: `role ${check.role} moved from ${before} to ${owner}, observed ${after} after the fault`,
      };
    }
  }
  if (!isComplete(log))
    return unknown(
      `on ${before} until the log ends`,
      `role ${check.role}: the run was cut short, so a later move is unknown`,
    );
  const { owners, unobserved } = ownersAt(viewsOf(log, condition).asCounted, condition, watchedUntil(log));
  if (owners.includes(before)) return { status: 'pass', observed: `on ${before}`, limit, reason: null };
  if (unobserved.includes(before))
    return unknown(
      `unknown on ${before}`,
      `role ${check.role}: no current sample shows whether ${before} holds it at the end`,
    );
  return {
    status: 'fail',
    observed: 'held by no host',
    limit,
    reason: `no host holds role ${check.role} at the end; before the fault it was on ${before}`,
  };
}

/** When each host first owned a role by a sample that was sent at or after a moment. ms. */
function firstOwned(
  log: RunLog,
  condition: Condition,
  fromMs: RunMs,
): readonly { readonly name: string; readonly seenMs: RunMs | undefined }[] {
  const range = { fromMs, toMs: latest(fromMs, watchedUntil(log)) };
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
    case 'write-outage':
    case 'read-outage':
      return operationOutageCheck(check, evidence);
    case 'delivered':
      return deliveredCheck(check, evidence);
  }
}

/**
 * Judges each check of the plan. Without a fault that took effect, every check is inconclusive, whatever the samples
 * show: there was no drill.
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
