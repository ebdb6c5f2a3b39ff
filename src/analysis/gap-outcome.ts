import { durationWords, limitWords } from '../core/format-duration.ts';
import { bounded, type Limits, limitsWords, type Outcome, type Subject, unmeasured } from './outcome.ts';
import type { Sampling } from './sample-gaps.ts';
import { measureWords } from './words.ts';

/** A time as samples saw it, of which more may have passed between two of them. */
export interface SampledSubject extends Subject {
  /** How much of the measure's upper bound was not seen but fits between two samples, ms. */
  readonly unseenMs: number;
  readonly sampling: Sampling;
}

/** `40 samples, at most 1.01 s apart`. */
function samplingWords({ samples, widestMs }: Sampling): string {
  return `${samples} ${samples === 1 ? 'sample' : 'samples'}, at most ${durationWords(widestMs)} apart`;
}

/** What samples say of something that none of them saw. */
export function neverWords(sampling: Sampling): string {
  return `at none of ${samplingWords(sampling)}`;
}

/**
 * Judges a time that samples saw. A limit of 0 asks that no sample saw it; no interval would decide it otherwise. Against
 * any other limit counts what fits unseen between two samples, too.
 */
export function boundedBySamples(subject: SampledSubject, limits: Limits): Outcome {
  const { measure, unseenMs, sampling, edges = 1, unfinished } = subject;
  const seen = { ...subject, measure: { ...measure, maxMs: measure.maxMs - unseenMs } };
  const bySamples = bounded(seen, limits);
  if (unseenMs === 0 && limits.maxMs !== 0) return bySamples;
  if (limits.maxMs === 0) {
    const observed = bySamples.status === 'pass' ? neverWords(sampling) : bySamples.observed;
    return { ...bySamples, observed, ...(unfinished === undefined ? { measured: measure } : {}) };
  }
  // A gap widens the upper bound by a whole interval, an edge by half of one.
  const outcome = bounded({ ...subject, edges: edges + 2 }, limits);
  if (outcome.status === bySamples.status) return outcome;
  return { ...outcome, reason: undecidedWords(subject, limits) };
}

function undecidedWords({ what, measure, unseenMs, intervalMs }: SampledSubject, limits: Limits): string {
  const seenMs = measure.maxMs - unseenMs;
  const maxMs = limits.maxMs ?? Infinity;
  const limitMs = measure.maxMs > maxMs ? maxMs : (limits.minMs ?? 0);
  // What a gap is longer than the interval stays: the time of an answer.
  const neededMs = Math.floor(limitMs - seenMs - Math.max(0, unseenMs - intervalMs));
  const hint = neededMs >= 1 ? `; a probe interval of ${limitWords(neededMs)} or less decides it` : '';
  return `${what} was ${measureWords(measure)}: up to ${durationWords(unseenMs)} of that fits unseen between two samples, and the limit is ${limitsWords(limits)}${hint}`;
}

/** A time that no sample saw, and that may lie between two of them. All ms. */
export interface HiddenTime {
  /** For how long it may have lasted, at most. */
  readonly unseenMs: number;
  /** How long it may, or must, last. */
  readonly limitMs: number;
  /** The field of the check that has this limit. */
  readonly field: 'tolerance' | 'min';
  readonly intervalMs: number;
}

/** Something that no sample saw, and that may have lasted for longer than it may, or as long as it must, between two of them. */
export function hiddenOutcome(
  what: string,
  limit: string,
  { unseenMs, limitMs, field, intervalMs }: HiddenTime,
): Outcome {
  const observed = `not seen, but may have held for up to ${durationWords(unseenMs)} between two samples`;
  const neededMs = Math.floor(limitMs - Math.max(0, unseenMs - intervalMs));
  const shorter = limitMs === 0 ? '' : 'set a shorter `interval` of the probe, or ';
  const hint =
    neededMs >= 1
      ? `a probe interval of ${limitWords(neededMs)} or less decides it`
      : `${shorter}set \`${field}\` to more than ${limitWords(Math.ceil(unseenMs))}`;
  return unmeasured(observed, limit, `${what} was ${observed}; ${hint}`);
}
