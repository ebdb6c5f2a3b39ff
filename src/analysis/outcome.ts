import { durationText, limitText } from '../core/format-duration.ts';
import type { HostName, RoleName } from '../core/ids.ts';
import type { Check } from '../core/plan.ts';
import type { CheckResult, Measure } from '../core/summary.ts';
import type { HealAnalysis } from './heal.ts';
import type { RunLog } from './run-log.ts';
import type { RedundancyAnalysis } from './redundancy.ts';
import type { RecoveryAnalysis } from './rto.ts';
import type { RowsAnalysis } from './written-rows.ts';
import { measureText } from './format.ts';
import type { DurationMs } from '../core/time.ts';

/** A check's result, and the reason if it is not a pass. */
export interface JudgedCheck {
  readonly result: CheckResult;
  readonly reason: string | null;
}

/** The data that checks are judged by. */
export interface Evidence {
  readonly log: RunLog;
  /** null: no fault took effect. */
  readonly recovery: RecoveryAnalysis | null;
  readonly redundancy: RedundancyAnalysis;
  /** null: no fault took effect, or none was healed. */
  readonly heal: HealAnalysis | null;
  readonly roleBefore: ReadonlyMap<RoleName, HostName | null>;
  /** In the plan's order. */
  readonly rows: readonly RowsAnalysis[];
}

/**
 * A check's result without its name. `reason` is null if it is a pass, or if the verdict already gives
 * the reason.
 */
export type Outcome = Omit<CheckResult, 'name' | 'kind'> & { readonly reason: string | null };

/** A check of one kind. */
export type CheckOf<K extends Check['kind']> = Extract<Check, { kind: K }>;

/** Whether the run ended by itself. Otherwise the end of the log is not the end of the drill. */
export function isComplete(log: RunLog): boolean {
  return log.ended && log.aborted === null;
}

/** The limits of a duration, ms; at least one of them. */
export interface Limits {
  readonly minMs?: DurationMs | undefined;
  readonly maxMs?: DurationMs | undefined;
}

/** A duration to judge. */
export interface Subject {
  /** Its name, as the subject of a sentence. */
  readonly what: string;
  readonly measure: Measure;
  /** Interval of the probe that measured it, ms. */
  readonly intervalMs: DurationMs;
  /** How many of its edges lie between two samples; default 1. */
  readonly edges?: number;
  /** Why the bounds are so wide, and what narrows them. Default: the interval at which they would decide. */
  readonly because?: string;
  /** Why the measure is only a lower bound; absent if its end was observed. */
  readonly unfinished?: string;
}

/** The limits as text: `at most 30 s`, `5 s to 30 s`. */
export function limitsText({ minMs, maxMs }: Limits): string {
  if (minMs === undefined) return `at most ${limitText(maxMs ?? 0)}`;
  return maxMs === undefined ? `at least ${limitText(minMs)}` : `${limitText(minMs)} to ${limitText(maxMs)}`;
}

/**
 * The effect of a shorter probe interval if a limit lies within the bounds. First choice: the interval that decides, if the
 * estimate is right. It is the distance to the limit, minus the uncertainty that no interval removes, shared by the edges. If
 * that is not positive, or if the lower bound is 0 and the middle is no estimate: by how much a shorter interval narrows the
 * bounds, and whether that can be enough.
 */
function decidedAt({ measure, intervalMs, edges = 1 }: Subject, limitMs: DurationMs): string {
  const { ms, minMs, maxMs } = measure;
  const widthMs = limitMs > ms ? maxMs - ms : ms - minMs;
  const fixedMs = Math.max(0, 2 * widthMs - edges * intervalMs);
  const neededMs = Math.floor((2 * Math.abs(ms - limitMs) - fixedMs) / edges);
  if (minMs > 0 && neededMs >= 1)
    return `if the estimate is right, a probe interval of ${limitText(neededMs)} or less decides it`;
  const narrowedMs = Math.min(maxMs - minMs, edges * intervalMs);
  const isEnough = maxMs - minMs - narrowedMs <= Math.max(limitMs - minMs, maxMs - limitMs);
  const unknown = minMs > 0 ? '' : 'no sample shows how long it lasted; ';
  return `${unknown}a shorter probe interval narrows the bounds by up to ${durationText(narrowedMs)}, which ${isEnough ? 'may decide it' : 'is not enough to decide it'}`;
}

/** Judges a duration by its bounds. It is decided only if both bounds are on the same side of each limit. */
export function bounded(subject: Subject, limits: Limits): Outcome {
  const { what, measure, unfinished } = subject;
  const { minMs = 0, maxMs = Infinity } = limits;
  const longestMs = unfinished === undefined ? measure.maxMs : Infinity;
  const observed =
    unfinished === undefined ? measureText(measure) : `${durationText(measure.minMs)} or more, ${unfinished}`;
  const outcome = {
    observed,
    limit: limitsText(limits),
    ...(unfinished === undefined ? { measured: measure } : {}),
  };
  if (measure.minMs > maxMs)
    return {
      ...outcome,
      status: 'fail',
      reason: `${what} was ${observed}, above the limit of ${limitText(maxMs)}`,
    };
  if (longestMs < minMs)
    return {
      ...outcome,
      status: 'fail',
      reason: `${what} was ${observed}, below the limit of ${limitText(minMs)}`,
    };
  if (measure.minMs >= minMs && longestMs <= maxMs) return { ...outcome, status: 'pass', reason: null };
  const limitMs = longestMs > maxMs ? maxMs : minMs;
  return {
    ...outcome,
    status: 'inconclusive',
    reason:
      unfinished === undefined
        ? `${what} was ${observed}: the limit of ${limitText(limitMs)} lies within the bounds; ${subject.because ?? decidedAt(subject, limitMs)}`
        : `${what} was ${observed}; the limit is ${limitText(limitMs)}`,
  };
}

/** Judges an event that did not happen before the wait for it ended. */
export function waitedFor(what: string, longerThanMs: DurationMs, maxMs: DurationMs): Outcome {
  const fail = longerThanMs >= maxMs;
  const observed = `not within ${durationText(longerThanMs)}`;
  return {
    status: fail ? 'fail' : 'inconclusive',
    observed,
    limit: `at most ${limitText(maxMs)}`,
    reason: fail
      ? `${what} within ${durationText(longerThanMs)}, the limit is ${limitText(maxMs)}`
      : `${what} within the ${durationText(longerThanMs)} observed, which is less than the limit of ${limitText(maxMs)}`,
  };
}

/** Why the end of a sum of bad windows is unknown; undefined if it is known. */
export function unfinishedText(log: RunLog, open: boolean): string | undefined {
  if (!isComplete(log)) return 'the run was cut short';
  return open ? 'not over when the log ends' : undefined;
}

/** The unmet conditions of a gate, as text. */
export function unmetText(unmet: readonly string[]): string {
  return unmet.length === 0 ? 'the log does not say what was missing' : unmet.join('; ');
}

/** The outcome without a fault that took effect. The verdict gives the reason. */
export function undrilled(limit: string): Outcome {
  return { status: 'inconclusive', observed: 'not measured: no fault took effect', limit, reason: null };
}

/** The outcome of a check that the data cannot decide. */
export function unmeasured(observed: string, limit: string, reason: string): Outcome {
  return { status: 'inconclusive', observed, limit, reason };
}
