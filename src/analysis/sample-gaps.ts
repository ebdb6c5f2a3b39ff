import { roundMs } from '../core/clock.ts';
import { maxOf } from '../core/extremes.ts';
import type { Measure } from '../core/summary.ts';
import { combine, type Range, type TruthSpan } from './intervals.ts';
import { countOf, isSilent, type KeptSample, lastSaidMs } from './kept-samples.ts';
import type { ProbeSeries, RunLog } from './read-log.ts';
import { AckedWrites } from './writer-evidence.ts';
import type { BadWindow } from './windows.ts';

/** How closely something was sampled: what is shorter than `widestMs` may have come and gone between two samples. */
export interface Sampling {
  readonly samples: number;
  /** From the sending of a sample to the answer of the next one, at most, ms. */
  readonly widestMs: number;
}

/** What two neighbouring samples leave open: each says something of one moment between its sending and its answer. */
export interface Gap extends Range {
  /** What may have passed unseen inside, ms: less than the whole where the samples inside are left out of the log's summary. */
  readonly widestMs: number;
}

/** What a gap lies between: a sample, or a read. */
type Asked = Pick<KeptSample, 'sendMs' | 'finishMs' | 'leftOut'>;

/** A time that is counted as what it may have been. */
type Counted = Pick<BadWindow, 'startLoMs' | 'endHiMs'>;

/**
 * The gaps between neighbours, and to the ends of the range, clipped to the range; the last one first. One after another: there may
 * be hundreds of thousands. `lastFirst`: in send order, from the last one back.
 */
function* gapsBackwards(lastFirst: Iterable<Asked>, range: Range): Generator<Gap> {
  // Answers may overtake each other: the earliest answer to any later sample ends a gap.
  let answeredMs = range.toMs;
  for (const asked of lastFirst) {
    const { sendMs, finishMs, leftOut } = asked;
    const saidMs = lastSaidMs(asked);
    yield* clipped(saidMs, answeredMs, range);
    if (leftOut !== undefined) {
      // The last one that is left out was answered after its sending.
      yield* clipped(sendMs, Math.min(answeredMs, saidMs + leftOut.widestMs), range, leftOut.widestMs);
    }
    answeredMs = Math.min(answeredMs, finishMs);
  }
  yield* clipped(range.fromMs, answeredMs, range);
}

/** The part of a gap that lies in the range, if there is one. */
function clipped(gapFromMs: number, gapToMs: number, range: Range, widestMs = Infinity): readonly Gap[] {
  const fromMs = Math.max(gapFromMs, range.fromMs);
  const toMs = Math.min(gapToMs, range.toMs);
  return toMs > fromMs ? [{ fromMs, toMs, widestMs: Math.min(toMs - fromMs, widestMs) }] : [];
}

/** The gaps of a list in send order, in order of time. */
function gapsOf(samples: readonly Asked[], range: Range): readonly Gap[] {
  return [...gapsBackwards(samples.toReversed(), range)].toReversed();
}

/** Good samples of a probe and acknowledged writes to the same address, in send order from the last one back. */
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

/** The gaps between good answers over the whole log that are to be taken, in order of time. Before the first and after the last one there is no gap. */
export function answerGaps(log: RunLog, series: ProbeSeries, take: (gap: Gap) => boolean): readonly Gap[] {
  const gaps: Gap[] = [];
  for (const gap of gapsBackwards(goodAnswersBackwards(log, series), { fromMs: -Infinity, toMs: Infinity }))
    if (gap.widestMs < Infinity && take(gap)) gaps.push(gap);
  return gaps.toReversed();
}

function widest(gaps: Iterable<{ readonly widestMs: number }>): number {
  let widestMs = 0;
  for (const gap of gaps) widestMs = Math.max(widestMs, gap.widestMs);
  return widestMs;
}

/** Samples that tell something, in send order. */
function knownOf({ samples }: ProbeSeries): readonly KeptSample[] {
  return samples.filter((s) => s.status !== 'unknown' && !isSilent(s));
}

/** How closely instances were sampled over a range, by samples that tell something; the widest gap is that of any of them. */
export function samplingOf(list: readonly ProbeSeries[], range: Range): Sampling {
  const inside = (s: KeptSample): boolean => s.finishMs >= range.fromMs && s.sendMs <= range.toMs;
  const each = list.map((series) => {
    const known = knownOf(series);
    return { samples: countOf(known.filter(inside)), widestMs: widest(gapsOf(known, range)) };
  });
  return { samples: each.reduce((sum, s) => sum + s.samples, 0), widestMs: roundMs(widest(each)) };
}

/**
 * The longest outage that fits between two good samples of a probe, ms, outside the windows that are counted already.
 * Acknowledged writes to the same address are good samples, too.
 */
export function longestUnseenMs(
  log: RunLog,
  series: ProbeSeries,
  range: Range,
  counted: readonly Counted[],
): number {
  return uncountedMs(goodAnswersBackwards(log, series), range, counted);
}

/** The longest time between neighbours in send order, ms. Gaps inside what is counted already add nothing. */
export function unseenBetweenMs(
  samples: readonly Asked[],
  range: Range,
  counted: readonly Counted[],
): number {
  return uncountedMs(samples.toReversed(), range, counted);
}

/** The same, of what is given from the last one back. */
function uncountedMs(lastFirst: Iterable<Asked>, range: Range, counted: readonly Counted[]): number {
  let longestMs = 0;
  for (const { fromMs, toMs, widestMs } of gapsBackwards(lastFirst, range))
    if (widestMs > longestMs && !counted.some((w) => w.startLoMs <= fromMs && w.endHiMs >= toMs))
      longestMs = widestMs;
  return roundMs(longestMs);
}

/**
 * The longest time for which something may have been so although the samples say that it was not, ms: one instance was
 * otherwise than its samples say, between two of them. `truthIn` gives the truth by what a log has of the instances;
 * an instance without samples may be anything.
 */
export function unseenTruthMs(
  log: RunLog,
  instances: readonly ProbeSeries[],
  range: Range,
  truthIn: (log: RunLog) => readonly TruthSpan[],
): number {
  const told = truthIn(log);
  const longest = instances.map((one) => {
    const emptied = new Map(log.series).set(one.probe.id, { ...one, samples: [] });
    const free = truthIn({ ...log, series: emptied });
    const open = combine([told, free], range, ([said, could]) =>
      said === 'no' && could !== 'no' ? 'yes' : 'no',
    ).filter((span) => span.truth === 'yes');
    return longestShared(gapsOf(knownOf(one), range), open);
  });
  return roundMs(maxOf(longest, 0));
}

/** The longest time that one gap shares with the stretches; both in order. */
function longestShared(gaps: readonly Gap[], stretches: readonly Range[]): number {
  let first = 0;
  let longest = 0;
  for (const gap of gaps) {
    while ((stretches[first]?.toMs ?? Infinity) <= gap.fromMs) first++;
    let shared = 0;
    for (let index = first; index < stretches.length; index++) {
      const stretch = stretches[index];
      if (stretch === undefined || stretch.fromMs >= gap.toMs) break;
      shared += Math.min(stretch.toMs, gap.toMs) - Math.max(stretch.fromMs, gap.fromMs);
    }
    longest = Math.max(longest, Math.min(shared, gap.widestMs));
  }
  return longest;
}

/** A measured time whose upper bound has what may have passed unseen once; the estimate is that of what was seen. */
export function withUnseen(seen: Measure, unseenMs: number): Measure {
  return { ...seen, maxMs: roundMs(seen.maxMs + unseenMs) };
}
