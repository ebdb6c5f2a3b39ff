import { durationText, limitText } from '../core/format-duration.ts';
import type { DurationMs } from '../core/time.ts';
import { bounded, type Limits, limitsText, type Outcome, type Subject, unmeasured } from './outcome.ts';
import type { Sampling } from './sample-gaps.ts';
import { measureText } from './format.ts';

/** A time measured by samples. More of it may lie between two samples. */
export interface SampledSubject extends Subject {
  /** Part of the measure's upper bound that no sample shows, but that fits between two samples, ms. */
  readonly unobservedMs: DurationMs;
  readonly sampling: Sampling;
}

/** `40 samples, at most 1.01 s apart`. */
function samplingText({ samples, widestMs }: Sampling): string {
  return `${samples} ${samples === 1 ? 'sample' : 'samples'}, at most ${durationText(widestMs)} apart`;
}

/** The observed value if no sample shows the condition. */
export function neverText(sampling: Sampling): string {
  return `at none of ${samplingText(sampling)}`;
}

/**
 * Judges a time that was measured by samples. A limit of 0 requires that no sample shows the condition; a shorter interval
 * cannot change that. Any other limit also counts the time that fits between two samples.
 */
export function boundedBySamples(subject: SampledSubject, limits: Limits): Outcome {
  const { measure, unobservedMs, sampling, edges = 1, unfinished } = subject;
  const seen = { ...subject, measure: { ...measure, maxMs: measure.maxMs - unobservedMs } };
  const bySamples = bounded(seen, limits);
  if (unobservedMs === 0 && limits.maxMs !== 0) return bySamples;
  if (limits.maxMs === 0) {
    const observed = bySamples.status === 'pass' ? neverText(sampling) : bySamples.observed;
    return { ...bySamples, observed, ...(unfinished === undefined ? { measured: measure } : {}) };
  }
  // A gap widens the upper bound by a whole interval, an edge by half an interval.
  const outcome = bounded({ ...subject, edges: edges + 2 }, limits);
  if (outcome.status === bySamples.status) return outcome;
  return { ...outcome, reason: undecidedText(subject, limits) };
}

function undecidedText({ what, measure, unobservedMs, intervalMs }: SampledSubject, limits: Limits): string {
  const seenMs = measure.maxMs - unobservedMs;
  const maxMs = limits.maxMs ?? Infinity;
  const limitMs = measure.maxMs > maxMs ? maxMs : (limits.minMs ?? 0);
  // The time of an answer widens a gap beyond the interval. A shorter interval does not reduce it.
  const neededMs = Math.floor(limitMs - seenMs - Math.max(0, unobservedMs - intervalMs));
  const hint = neededMs >= 1 ? `; a probe interval of ${limitText(neededMs)} or less decides it` : '';
  return `${what} was ${measureText(measure)}: up to ${durationText(unobservedMs)} of that fits between two samples, and the limit is ${limitsText(limits)}${hint}`;
}

/** A condition that no sample shows, but that may have held between two samples. All times in ms. */
export interface HiddenTime {
  /** The longest time for which it may have held. */
  readonly unobservedMs: DurationMs;
  /** The longest time for which it may hold (`tolerance`), or the shortest for which it must (`min`). */
  readonly limitMs: DurationMs;
  /** The field of the check that has this limit. */
  readonly field: 'tolerance' | 'min';
  readonly intervalMs: DurationMs;
}

/**
 * The outcome if no sample shows a condition, but it may have held between two samples for a time that
 * matters.
 */
export function hiddenOutcome(
  what: string,
  limit: string,
  { unobservedMs, limitMs, field, intervalMs }: HiddenTime,
): Outcome {
  const observed = `not observed, but may have held for up to ${durationText(unobservedMs)} between two samples`;
  const neededMs = Math.floor(limitMs - Math.max(0, unobservedMs - intervalMs));
  const shorter = limitMs === 0 ? '' : 'set a shorter `interval` of the probe, or ';
  const hint =
    neededMs >= 1
      ? `a probe interval of ${limitText(neededMs)} or less decides it`
      : `${shorter}set \`${field}\` to more than ${limitText(Math.ceil(unobservedMs))}`;
  return unmeasured(observed, limit, `${what} was ${observed}; ${hint}`);
}
