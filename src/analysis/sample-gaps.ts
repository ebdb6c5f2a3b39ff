import { roundMs } from '../core/clock.ts';
import { maxOf } from '../core/extremes.ts';
import type { Measure } from '../core/summary.ts';
import {
  distantFuture,
  distantPast,
  type DurationMs,
  earliest,
  later,
  latest,
  type RunMs,
} from '../core/time.ts';
import { combine, type Range, type TristateSpan } from './intervals.ts';
import { countOf, isSilent, type KeptSample, lastAnswerMs } from './kept-samples.ts';
import type { ProbeSeries, RunLog } from './run-log.ts';
import { AckedWrites } from './writer-evidence.ts';
import type { BadWindow } from './windows.ts';

/** How closely something was sampled. A state shorter than `widestMs` may fit between two samples. */
export interface Sampling {
  readonly samples: number;
  /** Longest time from the sending of a sample to the answer of the next one, ms. */
  readonly widestMs: DurationMs;
}

/**
 * The time between two neighboring samples. Each proves a state for one moment between its sending and
 * its answer.
 */
export interface Gap extends Range {
  /**
   * Longest unobserved time inside, ms. It is less than the gap if samples inside are not stored one by
   * one.
   */
  readonly widestMs: DurationMs;
}

/** A sample or a read: each end of a gap. */
type Asked = Pick<KeptSample, 'sendMs' | 'finishMs' | 'leftOut'>;

/** A time that already counts in the upper bound. */
type Counted = Pick<BadWindow, 'startLoMs' | 'endHiMs'>;

/**
 * The gaps between neighbors, and to the ends of the range, clipped to the range, from last to first. A generator, because
 * there may be hundreds of thousands. `lastFirst`: in reverse send order.
 */
function* gapsBackwards(lastFirst: Iterable<Asked>, range: Range): Generator<Gap> {
  // Answers may overtake each other, so the earliest answer to any later sample ends a gap.
  let answeredMs = range.toMs;
  for (const asked of lastFirst) {
    const { sendMs, finishMs, leftOut } = asked;
    const saidMs = lastAnswerMs(asked);
    yield* clipped(saidMs, answeredMs, range);
    if (leftOut !== undefined) {
      // The last sample that is left out was answered after its sending.
      yield* clipped(sendMs, earliest(answeredMs, later(saidMs, leftOut.widestMs)), range, leftOut.widestMs);
    }
    answeredMs = earliest(answeredMs, finishMs);
  }
  yield* clipped(range.fromMs, answeredMs, range);
}

/** The part of a gap within the range; empty if there is none. */
function clipped(gapFromMs: RunMs, gapToMs: RunMs, range: Range, widestMs = Infinity): readonly Gap[] {
  const fromMs = latest(gapFromMs, range.fromMs);
  const toMs = earliest(gapToMs, range.toMs);
  return toMs > fromMs ? [{ fromMs, toMs, widestMs: Math.min(toMs - fromMs, widestMs) }] : [];
}

/** The gaps of a list in send order, in order of time. */
function gapsOf(samples: readonly Asked[], range: Range): readonly Gap[] {
  return [...gapsBackwards(samples.toReversed(), range)].toReversed();
}

/** Good samples of a probe and acknowledged writes to the same address, in reverse send order. */
function* goodAnswersBackwards(log: RunLog, series: ProbeSeries): Generator<Asked> {
  const samples = series.samples.filter((s) => s.status === 'ok').sort((a, b) => a.sendMs - b.sendMs);
  const writes = new AckedWrites(log, series);
  let [sampleAt, writeAt] = [samples.length - 1, writes.length - 1];
  for (;;) {
    const sample = samples[sampleAt];
    const write = writes.at(writeAt);
    if (sample === undefined && write === undefined) return;
    if (write !== undefined && (sample === undefined || write.sendMs >= sample.sendMs)) {
      yield write;
      writeAt--;
    } else if (sample !== undefined) {
      yield sample;
      sampleAt--;
    }
  }
}

/**
 * The gaps between good answers in the whole log for which `take` is true, in order of time. The times
 * before the first and after the last answer are not gaps.
 */
export function answerGaps(log: RunLog, series: ProbeSeries, take: (gap: Gap) => boolean): readonly Gap[] {
  const gaps: Gap[] = [];
  for (const gap of gapsBackwards(goodAnswersBackwards(log, series), {
    fromMs: distantPast,
    toMs: distantFuture,
  }))
    if (gap.widestMs < Infinity && take(gap)) gaps.push(gap);
  return gaps.toReversed();
}

function widest(gaps: Iterable<{ readonly widestMs: DurationMs }>): number {
  let widestMs = 0;
  for (const gap of gaps) widestMs = Math.max(widestMs, gap.widestMs);
  return widestMs;
}

/** Samples with a known result, in send order. */
function knownOf({ samples }: ProbeSeries): readonly KeptSample[] {
  return samples.filter((s) => s.status !== 'unknown' && !isSilent(s));
}

/**
 * How closely instances were sampled over a range, by samples with a known result. `widestMs` is the
 * maximum over the instances.
 */
export function samplingOf(list: readonly ProbeSeries[], range: Range): Sampling {
  const inside = (s: KeptSample): boolean => s.finishMs >= range.fromMs && s.sendMs <= range.toMs;
  const each = list.map((series) => {
    const known = knownOf(series);
    return { samples: countOf(known.filter(inside)), widestMs: widest(gapsOf(known, range)) };
  });
  return { samples: each.reduce((sum, s) => sum + s.samples, 0), widestMs: roundMs(widest(each)) };
}

/**
 * The longest outage, ms, that fits between two good samples of a probe, outside the windows that already count.
 * Acknowledged writes to the same address are good samples, too.
 */
export function longestUnobservedMs(
  log: RunLog,
  series: ProbeSeries,
  range: Range,
  counted: readonly Counted[],
): DurationMs {
  return uncountedMs(goodAnswersBackwards(log, series), range, counted);
}

/** The longest time between neighbors in send order, ms. Gaps inside times that already count are ignored. */
export function unobservedBetweenMs(
  samples: readonly Asked[],
  range: Range,
  counted: readonly Counted[],
): DurationMs {
  return uncountedMs(samples.toReversed(), range, counted);
}

/** The same for a list in reverse send order. */
function uncountedMs(lastFirst: Iterable<Asked>, range: Range, counted: readonly Counted[]): DurationMs {
  const isCounted = coveredBy(counted);
  let longestMs = 0;
  for (const gap of gapsBackwards(lastFirst, range))
    if (gap.widestMs > longestMs && !isCounted(gap)) longestMs = gap.widestMs;
  return roundMs(longestMs);
}

/** Tells whether one of the times covers a range; there may be tens of thousands of both. */
function coveredBy(counted: readonly Counted[]): (range: Range) => boolean {
  const byStart = counted.toSorted((a, b) => a.startLoMs - b.startLoMs);
  let endMs = distantPast;
  /** The latest end of each and of those before it. */
  const endsMs = byStart.map((one) => (endMs = latest(endMs, one.endHiMs)));
  return ({ fromMs, toMs }) => {
    let [low, high] = [0, byStart.length];
    while (low < high) {
      const mid = (low + high) >>> 1;
      if ((byStart[mid]?.startLoMs ?? distantFuture) <= fromMs) low = mid + 1;
      else high = mid;
    }
    return (endsMs[low - 1] ?? distantPast) >= toMs;
  };
}

/**
 * The longest time, ms, for which a condition may have held although the samples show that it did not: one instance had
 * another state between two of its samples. `truthIn` computes the truth from a log; an instance without samples may have
 * any state.
 */
export function unobservedTruthMs(
  log: RunLog,
  instances: readonly ProbeSeries[],
  range: Range,
  truthIn: (log: RunLog) => readonly TristateSpan[],
): DurationMs {
  const reported = truthIn(log);
  const longest = instances.map((one) => {
    const emptied = new Map(log.series).set(one.probe.id, { ...one, samples: [] });
    const free = truthIn({ ...log, series: emptied });
    const open = combine([reported, free], range, ([said, could]) =>
      said === 'no' && could !== 'no' ? 'yes' : 'no',
    ).filter((span) => span.truth === 'yes');
    return longestShared(gapsOf(knownOf(one), range), open);
  });
  return roundMs(maxOf(longest, 0));
}

/** The longest overlap of one gap with the stretches; both in order. */
function longestShared(gaps: readonly Gap[], stretches: readonly Range[]): number {
  let first = 0;
  let longest = 0;
  for (const gap of gaps) {
    while ((stretches[first]?.toMs ?? distantFuture) <= gap.fromMs) first++;
    let shared = 0;
    for (let index = first; index < stretches.length; index++) {
      const stretch = stretches[index];
      if (stretch === undefined || stretch.fromMs >= gap.toMs) break;
      shared += earliest(stretch.toMs, gap.toMs) - latest(stretch.fromMs, gap.fromMs);
    }
    longest = Math.max(longest, Math.min(shared, gap.widestMs));
  }
  return longest;
}

/** A measure whose upper bound includes the longest unobserved time once. The estimate stays. */
export function withUnobserved(seen: Measure, unobservedMs: DurationMs): Measure {
  return { ...seen, maxMs: roundMs(seen.maxMs + unobservedMs) };
}
