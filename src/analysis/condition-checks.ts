import { durationText, limitText } from '../core/format-duration.ts';
import { type Condition, describeCondition } from '../core/condition.ts';
import { starvedHint } from '../core/control.ts';
import type { ProbeId } from '../core/ids.ts';
import { starvedMsIn } from './degraded.ts';
import { boundedBySamples, hiddenOutcome, neverText } from './gap-outcome.ts';
import {
  type ConditionInterval,
  holdsAt,
  intervalsOf,
  isProvenNot,
  provenBy,
  type Range,
  readingsAt,
  seriesOf,
  totalMs,
  truthOfCondition,
} from './intervals.ts';
import {
  type CheckOf,
  type Evidence,
  isComplete,
  limitsText,
  type Outcome,
  undrilled,
  unfinishedText,
  unmeasured,
} from './outcome.ts';
import { type RunLog, watchedUntil } from './run-log.ts';
import { valueGaps } from './missing-values.ts';
import { samplingOf, unobservedTruthMs, withUnobserved } from './sample-gaps.ts';
import { type Views, viewsOf } from './unobserved.ts';
import { middle } from './moment.ts';
import { listText } from './format.ts';
import { type DurationMs, earliest, latest } from '../core/time.ts';

/** Judges whether the condition holds at the end of the run. */
export function finallyCheck(check: CheckOf<'finally'>, evidence: Evidence): Outcome {
  const { log, recovery } = evidence;
  const limit = describeCondition(check.condition);
  if (recovery === null) return undrilled(limit);
  const atMs = watchedUntil(log);
  const observed =
    readingsAt(log, check.condition, atMs)
      .map(
        ({ series, sample }) =>
          `${series.probe.id} ${sample === undefined ? 'unknown' : stateText(sample.status, sample.value, sample.cause)}`,
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
  return truth === 'no' && isProvenNot(log, check.condition, atMs)
    ? { status: 'fail', observed, limit, reason: `at the end "${limit}" did not hold: ${observed}` }
    : {
        status: 'inconclusive',
        observed,
        limit,
        reason:
          truth === 'no'
            ? `at the end the samples do not show "${limit}", but they are of different moments, and one of them changed last: ${observed}`
            : `at the end it is unknown whether "${limit}" held: ${observed}`,
      };
}

function stateText(status: string, value: string | undefined, cause: string | undefined): string {
  const detail = status === 'ok' ? value : (cause ?? value);
  return detail === undefined ? status : status === 'ok' ? detail : `${status} (${detail})`;
}

/** The interval that is longest by one of its bounds. */
function longest(
  intervals: readonly ConditionInterval[],
  by: 'minMs' | 'maxMs',
): ConditionInterval | undefined {
  return intervals.reduce<ConditionInterval | undefined>(
    (max, i) => (max === undefined || i[by] > max[by] ? i : max),
    undefined,
  );
}

/** What to change if a host does not answer. */
const otherwiseSeen = 'sample it from a place that reaches the host, or with a probe that runs on the host';

/** Why hosts did not answer in a range, and what to change. */
function withoutAnswerText(log: RunLog, { fromMs, toMs }: Range): string {
  const starvedMs = starvedMsIn(log, fromMs, toMs);
  if (starvedMs === 0) return otherwiseSeen;
  return `the prober's machine was starved of CPU for ${durationText(starvedMs)} of that time; ${starvedHint}`;
}

/** A probe instance and the longest time, ms, for which it got no answer. */
interface Silence {
  readonly probe: ProbeId;
  readonly ms: DurationMs;
}

function silencesIn({ unobserved }: Views, { fromMs, toMs }: Range): readonly Silence[] {
  const longestOf = new Map<ProbeId, number>();
  for (const span of unobserved) {
    const ms = earliest(span.toMs, toMs) - latest(span.fromMs, fromMs);
    if (ms > 0) longestOf.set(span.probe, Math.max(ms, longestOf.get(span.probe) ?? 0));
  }
  return [...longestOf].map(([probe, ms]) => ({ probe, ms }));
}

function silenceText(silences: readonly Silence[]): string {
  return listText(silences.map(({ probe, ms }) => `${probe} gave no answer for up to ${durationText(ms)}`));
}

/**
 * The longest time for which the condition may have held between two samples that show that it did
 * not, ms.
 */
function unobservedHoldMs(log: RunLog, condition: Condition, range: Range): DurationMs {
  return unobservedTruthMs(log, seriesOf(log, condition), range, (view) =>
    truthOfCondition(view, condition, range),
  );
}

/** The longest planned interval of the condition's probe instances, ms. */
function slowestMs(log: RunLog, condition: Condition): DurationMs {
  return Math.max(0, ...seriesOf(log, condition).map((s) => s.probe.intervalMs));
}

/**
 * Judges whether the condition never held, or never for longer than its tolerance. A time without an answer from a host
 * is unknown where the condition depends on that host. The outcome mentions such times even if it is a pass.
 *
 * Without a tolerance the check is about samples: the condition held at none of N samples. With a tolerance, a hold that
 * fits between two samples must be shorter than the tolerance.
 */
export function neverCheck(check: CheckOf<'never'>, evidence: Evidence): Outcome {
  const { log, recovery } = evidence;
  const { condition, toleranceMs } = check;
  const what = describeCondition(condition);
  const limit =
    toleranceMs === 0 ? `never ${what}` : `never ${what} for longer than ${limitText(toleranceMs)}`;
  if (recovery === null) return undrilled(limit);
  const range = { fromMs: recovery.effect.loMs, toMs: watchedUntil(log) };
  const views = viewsOf(log, condition);
  const intervals = intervalsOf(views.asCounted, condition, range);
  const bounds = (i: ConditionInterval) => `${durationText(i.minMs)} to ${durationText(i.maxMs)}`;
  const when = (i: ConditionInterval) =>
    `from ${durationText(Math.max(0, middle(i.startLoMs, i.startHiMs) - recovery.effect.ms))} after the fault`;

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
      reason: `"${what}" ${observed}; it must never hold${toleranceMs === 0 ? '' : ` for longer than ${limitText(toleranceMs)}`}`,
    };
  }
  const possible = longest(
    intervals.filter((i) => i.maxMs > toleranceMs),
    'maxMs',
  );
  if (possible !== undefined) {
    const observed = `may have held for up to ${durationText(possible.maxMs)}, ${when(possible)}`;
    const neededMs = Math.floor(toleranceMs - (possible.maxMs - slowestMs(log, condition)));
    const isUncertain = { fromMs: possible.startLoMs, toMs: possible.endHiMs };
    const silences = silencesIn(views, isUncertain);
    const hint =
      silences.length > 0
        ? `${silenceText(silences)}; ${withoutAnswerText(log, isUncertain)}`
        : valueGaps(log, condition, isUncertain).length > 0
          ? 'samples in that time failed, and a failed sample has no value'
          : neededMs >= 1
            ? `a probe interval of ${limitText(neededMs)} or less decides it`
            : `no sample in that time rules it out; set a shorter \`interval\` of the probe, or a \`tolerance\` above ${limitText(Math.ceil(possible.maxMs))}`;
    return unmeasured(observed, limit, `"${what}" ${observed}: ${hint}`);
  }
  if (!isComplete(log))
    return unmeasured(
      'not observed before the log ends',
      limit,
      `"${what}": the run was cut short, so a later hold is unknown`,
    );
  const unobserved = silencesIn(views, range).filter((u) => u.ms > toleranceMs);
  const hidden =
    unobserved.length === 0
      ? undefined
      : longest(
          intervalsOf(views.asObserved, condition, range).filter((i) => i.maxMs > toleranceMs),
          'maxMs',
        );
  const unsampled = silenceText(unobserved);
  if (hidden !== undefined) {
    const observed = `not observed, but may have held for up to ${durationText(hidden.maxMs)}, ${when(hidden)}: ${unsampled}`;
    const instead = withoutAnswerText(log, { fromMs: hidden.startLoMs, toMs: hidden.endHiMs });
    return unmeasured(observed, limit, `"${what}" was ${observed}; ${instead}`);
  }
  const unobservedMs = toleranceMs === 0 ? 0 : unobservedHoldMs(views.asCounted, condition, range);
  if (unobservedMs > toleranceMs)
    return hiddenOutcome(`"${what}"`, limit, {
      unobservedMs,
      limitMs: toleranceMs,
      field: 'tolerance',
      intervalMs: slowestMs(log, condition),
    });
  const brief = longest(intervals, 'maxMs');
  const seen =
    brief === undefined
      ? neverText(samplingOf(seriesOf(views.asCounted, condition), range))
      : `at most ${durationText(brief.maxMs)}`;
  return {
    status: 'pass',
    observed: unobserved.length === 0 ? seen : `${seen}, by the other instances alone while ${unsampled}`,
    limit,
    reason: null,
  };
}

/**
 * Judges the total time for which the condition held. Unknown time counts in the upper bound. If no sample shows the
 * condition, the check fails only if it cannot have held for `min` between two samples; without `min`, not at all.
 */
export function happensCheck(check: CheckOf<'happens'>, { log, recovery }: Evidence): Outcome {
  const { condition } = check;
  const what = describeCondition(condition);
  const limits = {
    ...(check.minMs > 0 ? { minMs: check.minMs } : {}),
    ...(check.maxMs === undefined ? {} : { maxMs: check.maxMs }),
  };
  const limit = [
    ...(check.minMs > 0 ? [] : ['at least once']),
    ...(Object.keys(limits).length > 0 ? [limitsText(limits)] : []),
  ].join(', ');
  if (recovery === null) return undrilled(limit);
  const range = { fromMs: recovery.effect.loMs, toMs: watchedUntil(log) };
  const { asCounted, asObserved } = viewsOf(log, condition);
  const intervals = intervalsOf(asCounted, condition, range);
  const spans = provenBy(seriesOf(asCounted, condition), truthOfCondition(asCounted, condition, range));
  const minMs = totalMs(spans, 'yes');
  const maxMs = Math.max(
    totalMs(spans, 'yes', 'maybe'),
    totalMs(truthOfCondition(asObserved, condition, range), 'yes', 'maybe'),
  );
  const unobservedMs = unobservedHoldMs(asCounted, condition, range);
  const measure = withUnobserved({ ms: middle(minMs, maxMs), minMs, maxMs }, unobservedMs);
  const sampling = samplingOf(seriesOf(asCounted, condition), range);
  const unfinished = unfinishedText(log, false);
  if (!intervals.some((i) => i.certain)) {
    if (maxMs > 0)
      return unmeasured(
        `uncertain, up to ${durationText(maxMs)}`,
        limit,
        `"${what}" may have held for up to ${durationText(maxMs)}, but no sample proves it`,
      );
    if (unfinished !== undefined)
      return unmeasured(
        'not observed before the log ends',
        limit,
        `"${what}" was not observed, and ${unfinished}`,
      );
    const observed = neverText(sampling);
    if (unobservedMs > 0 && unobservedMs >= check.minMs)
      return hiddenOutcome(`"${what}"`, limit, {
        unobservedMs,
        limitMs: check.minMs,
        field: 'min',
        intervalMs: slowestMs(log, condition),
      });
    return {
      status: 'fail',
      observed,
      limit,
      reason: `"${what}" held ${observed}; the check requires that it holds`,
    };
  }
  const outcome = boundedBySamples(
    {
      what: `the time for which "${what}" held`,
      measure,
      unobservedMs,
      sampling,
      intervalMs: slowestMs(log, condition),
      edges: 2 * intervals.length,
      ...(unfinished === undefined ? {} : { unfinished }),
    },
    limits,
  );
  return { ...outcome, limit };
}
