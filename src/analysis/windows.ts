import { roundMs } from '../core/clock.ts';
import type { Measure, Window } from '../core/summary.ts';
import { distantFuture, distantPast, earlier, earliest, later, latest, type RunMs } from '../core/time.ts';
import { AckedWrites } from './writer-evidence.ts';
import {
  type SampleEvidence,
  evidenceOfSamples,
  isSlow,
  releasedAtMs,
  evidenceUntilMs,
  targetsMs,
  withWrites,
} from './sample-evidence.ts';
import { type KeptSample, lastAnswerMs, weightOf } from './kept-samples.ts';
import type { LatencyModel } from './latency-model.ts';
import { middle, type Moment } from './moment.ts';
import { type ProbeSeries, type RunLog, wallTime } from './run-log.ts';

/**
 * A bad window of one probe with the bounds of both its edges: the true edges are in [startLoMs, startHiMs] and
 * [endLoMs, endHiMs]. All offsets in ms.
 *
 * `down`: the target failed. `slow`: it gave good answers, but later than `slowMs`. `uncertain`: samples failed only while the prober
 * was degraded, so there may have been no outage: each edge may be anywhere between the good samples around the window.
 */
export interface BadWindow {
  readonly state: 'down' | 'slow' | 'uncertain';
  readonly startLoMs: RunMs;
  readonly startHiMs: RunMs;
  readonly endLoMs: RunMs;
  readonly endHiMs: RunMs;
  /**
   * The most likely end, within the bounds of the end: the target released late answers together then (`releasedAtMs`). It is an
   * estimate and narrows no bound. Without it, the middle of the bounds is the estimate (`endOf`).
   */
  readonly endMs?: RunMs;
  /** Send time of the first and last bad sample. */
  readonly firstBadMs: RunMs;
  readonly lastBadMs: RunMs;
  /** No evidence of up until the log's end; `endHiMs` is then the log's end. */
  readonly open: boolean;
  readonly causes: Readonly<Record<string, number>>;
}

function countCauses(samples: readonly KeptSample[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const s of samples) {
    const cause = s.lost ? 'lost' : s.status === 'ok' ? 'slow' : (s.cause ?? 'error');
    counts.set(cause, (counts.get(cause) ?? 0) + weightOf(s));
  }
  // Sorted, so that the same log always gives the same bytes.
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The earliest finish of a good sample, from index `from` on; samples are in send order. */
function firstAnswer(samples: readonly KeptSample[], from = 0): RunMs {
  let min = distantFuture;
  for (let index = from; index < samples.length; index++) {
    const sample = samples[index];
    // An answer cannot be earlier than its request.
    if (sample === undefined || sample.sendMs >= min) break;
    if (sample.status === 'ok') min = earliest(min, sample.finishMs);
  }
  return min;
}

/**
 * The bad windows of one probe, in order of time.
 *
 * A window is a run of failed samples, in send order, that no answer divides. It began in [sending of the last sample that was
 * certainly answered before it, first proof of down]. It ended in [sending of the last bad sample, first proof of up that is
 * certainly after it] (sample-evidence.ts). Unknown and dropped samples are no evidence: the bounds extend over them to the next
 * sample that is. A window before any good sample begins at the run's start. A window that is still open ends at the run's end.
 *
 * Overtaking: a prompt sample acts in the order of sending. A late sample may have acted at any moment until its arrival. It moves
 * an edge only if it cannot have acted on the other side of it. It divides two failures only if it arrived before the later one was
 * sent. Failures that it may or may not divide stay one window, and the bounds of its end include both cases.
 *
 * Slow answers: alone, they prove "up at some moment until then". Some belong to the outage before them and narrow its end: a hang
 * delayed them (sample-evidence.ts), and they were sent before the first proof of up. All other runs of slow answers are windows
 * with the state `slow`. These neither prove nor exclude an outage, so they count in the upper bounds of downtime and RTO. Late
 * answers to samples that were sent between failed ones are part of their window.
 *
 * Samples that failed while the prober was degraded (degraded.ts) are unknown, too. If no other sample failed between two good
 * ones, they make an `uncertain` window with the lower bound 0 ms.
 */
export function badWindows(log: RunLog, series: ProbeSeries): readonly BadWindow[] {
  const signs = evidenceWithWrites(log, series);
  const windows: BadWindow[] = [];
  /** Slow answers that belong to the window before them. */
  const taken = new Set<KeptSample>();
  for (const run of failedRuns(signs)) {
    const { window, joined } = downWindow(signs, run, { series, log });
    windows.push(window);
    for (const { sample } of joined) if (sample !== null) taken.add(sample);
  }
  const slow = slowWindows(signs, taken, log.startMs, series.latency);
  return [...windows, ...slow, ...uncertainWindows(log, series)].sort((a, b) => a.firstBadMs - b.firstBadMs);
}

/** Possible outages: between two good samples, only samples of a degraded prober failed. */
function uncertainWindows(log: RunLog, { samples }: ProbeSeries): readonly BadWindow[] {
  if (!samples.some((s) => s.degraded)) return [];
  const windows: BadWindow[] = [];
  let startLoMs = log.startMs;
  let failed: KeptSample[] = [];
  let isSure = false;
  const close = (endHiMs: RunMs, open: boolean): void => {
    const [first] = failed;
    if (first !== undefined && !isSure)
      windows.push({
        state: 'uncertain',
        startLoMs,
        startHiMs: endHiMs,
        endLoMs: startLoMs,
        endHiMs,
        firstBadMs: first.sendMs,
        lastBadMs: failed.at(-1)?.sendMs ?? first.sendMs,
        open,
        causes: countCauses(failed),
      });
  };
  const good = samples.filter((s) => s.status === 'ok');
  let seen = 0;
  for (const sample of samples) {
    if (sample.degraded) failed.push(sample);
    else if (sample.status === 'fail') isSure = true;
    else if (sample.status === 'ok') {
      close(firstAnswer(good, seen++), false);
      startLoMs = lastAnswerMs(sample);
      failed = [];
      isSure = false;
    }
  }
  close(log.endMs, true);
  return windows;
}

/**
 * The evidence of the samples and, around timeouts, of acknowledged writes: these prove that the target was up. Writes do not
 * contradict other failures, because a probe may require more than a write does.
 */
function evidenceWithWrites(log: RunLog, series: ProbeSeries): readonly SampleEvidence[] {
  const signs = evidenceOfSamples(series.samples, series.latency);
  const timedOut = failedRuns(signs).filter(({ first, last }) =>
    signs.slice(first, last + 1).every((s) => s.isUp || s.sample?.cause === 'timeout'),
  );
  if (timedOut.length === 0) return signs;
  const writes = new AckedWrites(log, series);
  if (writes.length === 0) return signs;
  const spans = timedOut.map((run) => {
    const { window } = downWindow(signs, run, { series, log });
    return { fromMs: window.startLoMs, toMs: window.endHiMs };
  });
  return withWrites(signs, writes.within(spans));
}

/** A run of failed samples: indexes of the first and the last one. */
interface Run {
  readonly first: number;
  readonly last: number;
}

/**
 * Runs of failed samples that no answer divides: none was certainly given between the first of the run
 * and the sending of a later one.
 */
function failedRuns(signs: readonly SampleEvidence[]): readonly Run[] {
  const runs: { first: number; last: number }[] = [];
  let open: { first: number; last: number } | undefined;
  let upByMs = distantFuture;
  for (const [index, { isUp, isLate, sendMs, byMs }] of signs.entries()) {
    if (isUp) upByMs = earliest(upByMs, isLate ? byMs : sendMs);
    else if (open === undefined || upByMs <= sendMs) {
      runs.push((open = { first: index, last: index }));
      upByMs = distantFuture;
    } else open.last = index;
  }
  return runs;
}

/**
 * Sending of the last sample that was certainly answered before a sample; the run's start if there is
 * none.
 */
function lastUpBefore(signs: readonly SampleEvidence[], index: number, startMs: RunMs): RunMs {
  const sendMs = signs[index]?.sendMs ?? startMs;
  for (let at = index - 1; at >= 0; at--) {
    const sign = signs[at];
    if (sign?.isUp === true && (!sign.isLate || sign.byMs <= sendMs)) return evidenceUntilMs(sign);
  }
  return startMs;
}

/** The first proof of up that is certainly after all failed samples; Infinity if there is none. */
function firstUpAfter(signs: readonly SampleEvidence[], { first, last }: Run): RunMs {
  let sentMs = distantPast;
  let byMs = distantPast;
  for (const sign of signs.slice(first, last + 1)) {
    if (sign.isUp) continue;
    sentMs = latest(sentMs, sign.isLate ? sign.byMs : sign.sendMs);
    byMs = latest(byMs, sign.byMs);
  }
  let upMs = distantFuture;
  for (let at = last + 1; at < signs.length; at++) {
    const sign = signs[at];
    if (sign === undefined || sign.sendMs >= upMs) break;
    if (sign.isUp && sign.sendMs >= (sign.isLate ? byMs : sentMs)) upMs = earliest(upMs, sign.byMs);
  }
  return upMs;
}

/** Whether a late failure may have acted after the answer to a sample that was sent later. */
function isOvertaken(signs: readonly SampleEvidence[], index: number): boolean {
  const sign = signs[index];
  if (sign === undefined || !sign.isLate) return false;
  for (let at = index + 1; at < signs.length; at++) {
    const next = signs[at];
    if (next === undefined || next.sendMs >= sign.byMs) return false;
    if (next.isUp) return true;
  }
  return false;
}

/** Whether an answer is evidence of an outage: it was slow, or a hang delayed it beyond a healthy latency. */
function isPartOfOutage(
  { sample, isUp, isHeld }: SampleEvidence,
  { slowMs, normalMs }: LatencyModel,
): boolean {
  return isUp && sample !== null && targetsMs(sample) > (isHeld ? normalMs : slowMs);
}

/** The answers to samples that were sent between failed ones and that belong to the same outage. */
function joinedInside(
  signs: readonly SampleEvidence[],
  { first, last }: Run,
  upMs: RunMs,
  model: LatencyModel,
): readonly SampleEvidence[] {
  return signs.slice(first, last).filter((s) => isPartOfOutage(s, model) && s.byMs <= upMs);
}

/**
 * The answers after a failed run that belong to the same outage: slow ones that were sent before its
 * first proof of up.
 */
function joinedAfter(
  signs: readonly SampleEvidence[],
  { last }: Run,
  upMs: RunMs,
  model: LatencyModel,
): readonly SampleEvidence[] {
  const joined: SampleEvidence[] = [];
  for (let at = last + 1; at < signs.length; at++) {
    const sign = signs[at];
    if (sign === undefined || sign.sendMs >= upMs || !sign.isUp) break;
    if (sign.sample === null) continue;
    if (!isPartOfOutage(sign, model)) break;
    joined.push(sign);
  }
  return joined;
}

/**
 * The failures of a run. `sure`: those that certainly acted in the outage with which it began, because
 * no answer may be in between.
 */
function failuresOf(
  signs: readonly SampleEvidence[],
  { first, last }: Run,
  { normalMs }: LatencyModel,
): { readonly failed: readonly SampleEvidence[]; readonly sure: readonly SampleEvidence[] } {
  const failed: SampleEvidence[] = [];
  const sure: SampleEvidence[] = [];
  /** When the first answer to a sample that was sent since then may have been given. */
  let upFromMs = distantFuture;
  for (let at = first; at <= last; at++) {
    const sign = signs[at];
    if (sign === undefined) continue;
    if (sign.isUp) upFromMs = earliest(upFromMs, sign.isHeld ? earlier(sign.byMs, normalMs) : sign.sendMs);
    else {
      failed.push(sign);
      if (sign.byMs <= upFromMs && !isOvertaken(signs, at)) sure.push(sign);
    }
  }
  return { failed, sure };
}

/** The most likely end of an outage, by late answers that were released together; undefined without them. */
function likelyEndMs(
  signs: readonly SampleEvidence[],
  { last }: Run,
  end: Pick<BadWindow, 'endLoMs' | 'endHiMs'>,
  { latency, probe }: ProbeSeries,
): RunMs | undefined {
  let from = last;
  while ((signs[from - 1]?.sendMs ?? distantPast) >= end.endLoMs - probe.timeoutMs) from--;
  let to = last;
  while ((signs[to]?.sendMs ?? distantFuture) < end.endHiMs + latency.normalMs) to++;
  const around = signs.slice(from, to + 1).flatMap(({ sample }) => sample ?? []);
  return releasedAtMs(around, end, latency);
}

function downWindow(
  signs: readonly SampleEvidence[],
  run: Run,
  { series, log }: { readonly series: ProbeSeries; readonly log: RunLog },
): { readonly window: BadWindow; readonly joined: readonly SampleEvidence[] } {
  const { latency } = series;
  const { failed, sure } = failuresOf(signs, run, latency);
  const upMs = firstUpAfter(signs, run);
  const joined = [...joinedInside(signs, run, upMs, latency), ...joinedAfter(signs, run, upMs, latency)];
  const down = joined.filter((s) => s.isHeld);
  const firstBadMs = failed[0]?.sendMs ?? log.startMs;
  const startLoMs = lastUpBefore(signs, run.first, log.startMs);
  const ends = sure.length > 0 ? [...sure, ...down] : down;
  const endLoMs = ends.reduce((max, s) => latest(max, s.sendMs), latest(startLoMs, firstBadMs));
  const open = upMs === distantFuture;
  const endHiMs = latest(open ? log.endMs : upMs, endLoMs);
  const endMs = open ? undefined : likelyEndMs(signs, run, { endLoMs, endHiMs }, series);
  const startHiMs = failed.reduce((min, s) => earliest(min, s.byMs), endHiMs);
  const window: BadWindow = {
    state: 'down',
    startLoMs,
    startHiMs,
    endLoMs,
    endHiMs,
    ...(endMs === undefined ? {} : { endMs }),
    firstBadMs,
    lastBadMs: [...failed, ...down].reduce((max, s) => latest(max, s.sendMs), firstBadMs),
    open,
    causes: countCauses([...failed, ...joined].flatMap((s) => s.sample ?? [])),
  };
  return { window, joined };
}

/** Windows of slow answers, without those in `taken`, which belong to an outage. */
function slowWindows(
  signs: readonly SampleEvidence[],
  taken: ReadonlySet<KeptSample>,
  startMs: RunMs,
  model: LatencyModel,
): readonly BadWindow[] {
  const windows: BadWindow[] = [];
  const own = signs.filter((s) => s.sample !== null);
  const samples = own.flatMap((s) => s.sample ?? []);
  for (let at = 0; at < samples.length; at++) {
    const first = samples[at];
    if (first === undefined || taken.has(first) || !isSlow(first, model)) continue;
    let last = at;
    for (let next; (next = samples[last + 1]) !== undefined && isSlow(next, model);) last++;
    const upMs = firstAnswer(samples, last);
    const bad = samples.slice(at, last + 1 + heldWith(samples, last + 1, upMs, model));
    const lastBadMs = bad.at(-1)?.sendMs ?? first.sendMs;
    windows.push({
      state: 'slow',
      startLoMs: lastUpBefore(own, at, startMs),
      startHiMs: bad.reduce(
        (min, s) => earliest(min, s.finishMs, later(s.sendMs, model.normalMs)),
        distantFuture,
      ),
      endLoMs: lastBadMs,
      endHiMs: upMs,
      firstBadMs: first.sendMs,
      lastBadMs,
      open: false,
      causes: countCauses(bad),
    });
    at = last;
  }
  return windows;
}

/**
 * How many answers from index `from` on were delayed by the same stall as the slow ones before them, but for less time: they were
 * sent before `upMs`, and took longer than on a healthy target.
 */
function heldWith(
  samples: readonly KeptSample[],
  from: number,
  upMs: RunMs,
  { normalMs }: LatencyModel,
): number {
  let index = from;
  for (let sample; (sample = samples[index]) !== undefined; index++)
    if (sample.status !== 'ok' || sample.sendMs >= upMs || targetsMs(sample) <= normalMs) break;
  return index - from;
}

/** When the window ended, with bounds. The estimate is `endMs`, or the middle of the bounds without it. */
export function endOf({ endLoMs, endHiMs, endMs }: Pick<BadWindow, 'endLoMs' | 'endHiMs' | 'endMs'>): Moment {
  return { loMs: endLoMs, hiMs: endHiMs, ms: endMs ?? middle(endLoMs, endHiMs) };
}

/**
 * The window's duration: bounds from its two inner and its two outer edges. The estimate is their middle; with `endMs`, it is the
 * time from the middle of the start's bounds to `endMs`.
 */
export function durationOf(window: BadWindow): Measure {
  const { startLoMs, startHiMs, endLoMs, endHiMs, endMs } = window;
  const minMs = roundMs(Math.max(0, endLoMs - startHiMs));
  const maxMs = roundMs(Math.max(minMs, endHiMs - startLoMs));
  if (endMs === undefined) return { ms: middle(minMs, maxMs), minMs, maxMs };
  const ms = roundMs(endMs - middle(startLoMs, startHiMs));
  return { ms: Math.min(maxMs, Math.max(minMs, ms)), minMs, maxMs };
}

/**
 * The window as in summary.json. An `uncertain` window covers the whole time in which there may have been
 * an outage.
 */
export function toSummaryWindow(log: RunLog, window: BadWindow): Window {
  const { state, startLoMs, startHiMs, endHiMs } = window;
  const uncertain = state === 'uncertain';
  return {
    state,
    startAt: wallTime(log, uncertain ? startLoMs : middle(startLoMs, startHiMs)),
    endAt: window.open ? null : wallTime(log, uncertain ? endHiMs : endOf(window).ms),
    ...durationOf(window),
    causes: window.causes,
  };
}
