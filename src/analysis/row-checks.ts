import { durationText } from '../core/format-duration.ts';
import {
  bounded,
  type CheckOf,
  type Evidence,
  isComplete,
  limitsText,
  type Outcome,
  undrilled,
  unmeasured,
} from './outcome.ts';
import { boundedBySamples } from './gap-outcome.ts';
import type { RowCounts, RowsAnalysis } from './written-rows.ts';
import { measureText } from './format.ts';

/** A writer's rows as they were read back, or the outcome if they cannot be judged. */
function readBack(
  of: string,
  limit: string,
  evidence: Evidence,
): { rows: RowsAnalysis; anomalies: RowCounts } | Outcome {
  if (evidence.recovery === null) return undrilled(limit);
  const rows = evidence.rows.find(({ planned }) => planned.id === of);
  if (rows === undefined) return unmeasured('not in the plan', limit, `writer ${of} is not in the plan`);
  if (rows.anomalies === null) {
    const why = isComplete(evidence.log) ? 'no path returned them' : 'the run was cut short';
    return unmeasured('not read back', limit, `the rows of ${of} were not read back: ${why}`);
  }
  if (rows.written.countOf('acked') === 0)
    return unmeasured(
      'nothing acknowledged',
      limit,
      `no write of ${of} was acknowledged, so there was nothing to lose`,
    );
  return { rows, anomalies: rows.anomalies };
}

/** `12 of 3400 acknowledged writes lost`. */
function lossText({ lost, present }: RowCounts): string {
  return `${lost} of ${lost + present} acknowledged writes lost`;
}

/**
 * Judges the length of the time whose acknowledged writes are lost. A limit of 0 fails with one lost
 * write, however short the time is.
 */
export function rpoCheck(check: CheckOf<'rpo'>, evidence: Evidence): Outcome {
  const { minMs: _, ...most } = check;
  return unlessUnrecorded(check.of, judgeRpo(check, evidence), judgeRpo(most, evidence), evidence);
}

function judgeRpo(check: CheckOf<'rpo'>, evidence: Evidence): Outcome {
  const limit = check.maxMs === 0 ? 'no acknowledged write lost' : limitsText(check);
  const found = readBack(check.of, limit, evidence);
  if ('status' in found) return found;
  const { rows, anomalies } = found;
  const measure = rows.rpo ?? { ms: 0, minMs: 0, maxMs: 0 };
  const what = `the RPO of ${check.of}`;
  const spacingMs = rows.planned.intervalMs / rows.planned.clients;
  const words = lossText(anomalies);
  if (anomalies.lost === 0) {
    const status = check.minMs === undefined ? 'pass' : 'fail';
    const reason =
      status === 'pass'
        ? null
        : `no acknowledged write of ${check.of} was lost (${words}); the check requires a loss of ${limit}`;
    return { status, observed: words, limit, measured: measure, reason };
  }
  if (check.maxMs === 0) {
    const observed = `${words}, written within ${measureText(measure)}`;
    return { status: 'fail', observed, limit, measured: measure, reason: `${check.of}: ${observed}` };
  }
  const outcome = bounded({ what, measure, intervalMs: spacingMs }, check);
  return { ...outcome, observed: `${outcome.observed}; ${words}` };
}

const anomalyText = {
  lost: 'acknowledged writes lost',
  duplicated: 'rows read back more than once',
  phantom: 'phantom rows (present, but refused or never sent)',
} as const;

function unrecordedText(count: number): string {
  return `the event log lacks ${count} ${count === 1 ? 'write' : 'writes'}: their row numbers are missing, and whether they were acknowledged is unknown`;
}

/**
 * Makes a check on rows inconclusive if the log lacks writes that could change it: a pass, and a failure by a lower limit.
 * `withoutLeast` is the outcome without the lower limit.
 */
function unlessUnrecorded(of: string, outcome: Outcome, withoutLeast: Outcome, evidence: Evidence): Outcome {
  const unrecorded = evidence.rows.find(({ planned }) => planned.id === of)?.anomalies?.unrecorded ?? 0;
  if (unrecorded === 0 || outcome.status === 'inconclusive' || withoutLeast.status === 'fail') return outcome;
  return { ...outcome, status: 'inconclusive', reason: `${of}: ${unrecordedText(unrecorded)}` };
}

/** Judges the number of rows with an anomaly. */
export function rowsCheck(check: CheckOf<'rows'>, evidence: Evidence): Outcome {
  const { min: _, ...most } = check;
  return unlessUnrecorded(check.of, judgeRows(check, evidence), judgeRows(most, evidence), evidence);
}

function judgeRows(check: CheckOf<'rows'>, evidence: Evidence): Outcome {
  const { are, min, max } = check;
  const limit = countLimit(min, max);
  const found = readBack(check.of, limit, evidence);
  if ('status' in found) return found;
  const { anomalies, rows } = found;
  const count = anomalies[are];
  const observed = `${count} of ${rows.written.length}`;
  if (count >= (min ?? 0) && count <= (max ?? Infinity))
    return { status: 'pass', observed, limit, reason: null };
  return {
    status: 'fail',
    observed,
    limit,
    reason: `${check.of}: ${count} ${anomalyText[are]}; the limit is ${limit}`,
  };
}

function countLimit(min: number | undefined, max: number | undefined): string {
  if (max === 0) return 'none';
  if (min === undefined) return `at most ${max ?? 0}`;
  return max === undefined ? `at least ${min}` : `${min} to ${max}`;
}

/** Judges the total time of stale reads. */
export function staleReadsCheck(check: CheckOf<'stale-reads'>, evidence: Evidence): Outcome {
  const { minMs: _, ...most } = check;
  return unlessUnrecorded(
    check.of,
    judgeStaleReads(check, evidence),
    judgeStaleReads(most, evidence),
    evidence,
  );
}

function judgeStaleReads(check: CheckOf<'stale-reads'>, evidence: Evidence): Outcome {
  const limit = check.maxMs === 0 ? 'none' : limitsText(check);
  const found = readBack(check.of, limit, evidence);
  if ('status' in found) return found;
  const { reads, staleFor, unobservedStaleMs, reading, planned } = found.rows;
  const good = reads.count - reads.failed;
  if (good === 0)
    return unmeasured('nothing read', limit, `no parallel read of ${check.of}'s rows succeeded`);
  const words = `${reads.stale} of ${good} reads`;
  if (check.maxMs === 0) {
    const status = reads.stale === 0 ? 'pass' : 'fail';
    const observed =
      reads.stale === 0
        ? `${words}${good > 1 ? `, at most ${durationText(reading.widestMs)} apart` : ''}`
        : `${words}, ${measureText(staleFor)} in all`;
    return {
      status,
      observed,
      limit,
      measured: staleFor,
      reason: status === 'pass' ? null : `${observed} of ${check.of}'s rows were stale`,
    };
  }
  const outcome = boundedBySamples(
    {
      what: `the time of stale reads of ${check.of}'s rows`,
      measure: staleFor,
      unobservedMs: unobservedStaleMs,
      sampling: reading,
      intervalMs: planned.readIntervalMs,
    },
    check,
  );
  return { ...outcome, observed: `${outcome.observed}; ${words}` };
}

/** Notes on rows that no check judges, one sentence each. */
export function rowNotes(rows: readonly RowsAnalysis[]): readonly string[] {
  return rows.flatMap(({ planned: { id }, anomalies, written }) => {
    if (anomalies === null)
      return written.length === 0 ? [] : [`${id}: the rows were not read back, so the RPO is unknown`];
    return [
      ...(anomalies.unrecorded === 0 ? [] : [`${id}: ${unrecordedText(anomalies.unrecorded)}`]),
      ...(anomalies.disputed === 0
        ? []
        : [
            `${id}: ${anomalies.disputed} rows were read back by one path and not by another; they count as lost`,
          ]),
    ];
  });
}
