import { describeCondition } from '../core/condition.ts';
import {
  type ConditionInterval,
  holdsAt,
  intervalsOf,
  readingsAt,
  seriesOf,
  totalMs,
  truthOfCondition,
} from './intervals.ts';
import {
  bounded,
  type CheckOf,
  type Evidence,
  isComplete,
  limitsWords,
  type Outcome,
  undrilled,
  unfinishedWords,
  unmeasured,
} from './outcome.ts';
import { watchedUntil } from './read-log.ts';
import { viewsOf } from './unobserved.ts';
import { middle } from './windows.ts';
import { durationWords, limitWords, listWords } from './words.ts';

/** Whether the condition holds at the end of the run. */
export function finallyCheck(check: CheckOf<'finally'>, evidence: Evidence): Outcome {
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

/**
 * Whether the condition stayed away, but for its tolerance. Proven by looks only: a
 * stretch in which a host gave no answer is no proof of its absence where the
 * condition hangs on that host; it is told of in any case.
 */
export function neverCheck(check: CheckOf<'never'>, evidence: Evidence): Outcome {
  const { log, recovery } = evidence;
  const { condition, toleranceMs } = check;
  const what = describeCondition(condition);
  const limit =
    toleranceMs === 0 ? `never ${what}` : `never ${what} for longer than ${limitWords(toleranceMs)}`;
  if (recovery === null) return undrilled(limit);
  const range = { fromMs: recovery.effect.loMs, toMs: watchedUntil(log) };
  const views = viewsOf(log, condition);
  const intervals = intervalsOf(views.asCounted, condition, range);
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
    return unmeasured(observed, limit, `"${what}" ${observed}: ${hint}`);
  }
  if (!isComplete(log))
    return unmeasured(
      'not seen as far as the log goes',
      limit,
      `"${what}" was not watched to the end: the run was cut short`,
    );
  const unobserved = views.unobserved
    .map((u) => ({ ...u, ms: Math.min(u.toMs, range.toMs) - Math.max(u.fromMs, range.fromMs) }))
    .filter((u) => u.ms > toleranceMs);
  const hidden =
    unobserved.length === 0
      ? undefined
      : longest(
          intervalsOf(views.asObserved, condition, range).filter((i) => i.maxMs > toleranceMs),
          'maxMs',
        );
  const unseen = listWords(unobserved.map((u) => `${u.probe} gave no answer for ${durationWords(u.ms)}`));
  if (hidden !== undefined) {
    const observed = `not seen, but could have held for up to ${durationWords(hidden.maxMs)}, ${when(hidden)}: ${unseen}`;
    return unmeasured(
      observed,
      limit,
      `"${what}" was ${observed}; look from where the host can be reached, or with a probe that runs on it`,
    );
  }
  const brief = longest(intervals, 'maxMs');
  const seen = brief === undefined ? 'never' : `at most ${durationWords(brief.maxMs)}`;
  return {
    status: 'pass',
    observed: unobserved.length === 0 ? seen : `${seen}, by the other instances alone while ${unseen}`,
    limit,
    reason: null,
  };
}

/** For how long the condition held, all its intervals together; what could not be observed makes the upper bound. */
export function happensCheck(check: CheckOf<'happens'>, { log, recovery }: Evidence): Outcome {
  const { condition } = check;
  const what = describeCondition(condition);
  const limits = {
    ...(check.minMs > 0 ? { minMs: check.minMs } : {}),
    ...(check.maxMs === undefined ? {} : { maxMs: check.maxMs }),
  };
  const limit = [
    ...(check.minMs > 0 ? [] : ['at all']),
    ...(Object.keys(limits).length > 0 ? [limitsWords(limits)] : []),
  ].join(', ');
  if (recovery === null) return undrilled(limit);
  const range = { fromMs: recovery.effect.loMs, toMs: watchedUntil(log) };
  const { asCounted, asObserved } = viewsOf(log, condition);
  const intervals = intervalsOf(asCounted, condition, range);
  const spans = truthOfCondition(asCounted, condition, range);
  const minMs = totalMs(spans, 'yes');
  const maxMs = Math.max(
    totalMs(spans, 'yes', 'maybe'),
    totalMs(truthOfCondition(asObserved, condition, range), 'yes', 'maybe'),
  );
  const measure = { ms: middle(minMs, maxMs), minMs, maxMs };
  const unfinished = unfinishedWords(log, false);
  if (!intervals.some((i) => i.certain)) {
    if (maxMs > 0)
      return unmeasured(
        `not surely; for up to ${durationWords(maxMs)}`,
        limit,
        `"${what}" may have held for up to ${durationWords(maxMs)}, but no sample proves it`,
      );
    if (unfinished !== undefined)
      return unmeasured('not as far as the log goes', limit, `"${what}" was not seen before ${unfinished}`);
    return { status: 'fail', observed: 'never', limit, reason: `"${what}" never held; it was expected to` };
  }
  const outcome = bounded(
    {
      what: `the time for which "${what}" held`,
      measure,
      intervalMs: Math.max(0, ...seriesOf(log, condition).map((s) => s.probe.intervalMs)),
      edges: 2 * intervals.length,
      ...(unfinished === undefined ? {} : { unfinished }),
    },
    limits,
  );
  return { ...outcome, limit };
}
