import { roundMs } from '../core/clock.ts';
import type { Measure, Window } from '../core/summary.ts';
import { AckedWrites } from './writer-evidence.ts';
import {
  type SampleEvidence,
  evidenceOfSamples,
  isSlow,
  releasedAtMs,
  saidUntilMs,
  targetsMs,
  withWrites,
} from './sample-evidence.ts';
import { type KeptSample, lastSaidMs, weightOf } from './kept-samples.ts';
import type { LatencyModel } from './latency-model.ts';
import { middle, type Moment } from './moment.ts';
import { type ProbeSeries, type RunLog, wallTime } from './read-log.ts';

/**
 * A bad window of one probe with the bounds of both its edges: the true edges lie
 * in [startLoMs, startHiMs] and [endLoMs, endHiMs]. All offsets in ms.
 *
 * `down`: the target failed. `slow`: it answered well, but later than `slowMs`. `unsure`: all its looks failed while the
 * prober was sick, so that there may have been nothing: the edges lie anywhere between the good ones around it.
 */
export interface BadWindow {
  readonly state: 'down' | 'slow' | 'unsure';
  readonly startLoMs: number;
  readonly startHiMs: number;
  readonly endLoMs: number;
  readonly endHiMs: number;
  /**
   * When the target most likely came back, within the bounds of the end: it then released late answers together (`releasedAtMs`).
   * It estimates, and narrows no bound. Without it the middle of the bounds is the estimate (`endOf`).
   */
  readonly endMs?: number;
  /** Send time of the first and last bad sample. */
  readonly firstBadMs: number;
  readonly lastBadMs: number;
  /** No sign of life up to the log's end; the end's bounds are then what is known so far. */
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

/** The first answer among samples in send order, from one of them on. */
function firstAnswer(samples: readonly KeptSample[], from = 0): number {
  let min = Infinity;
  for (let index = from; index < samples.length; index++) {
    const sample = samples[index];
    // No answer comes before its request: those sent later cannot be earlier.
    if (sample === undefined || sample.sendMs >= min) break;
    if (sample.status === 'ok') min = Math.min(min, sample.finishMs);
  }
  return min;
}

/**
 * The bad windows of one probe, in order of time.
 *
 * A window is a run of failed samples, in send order, that no answer divides. It began in [send of the last sample that was
 * surely answered before it, first proof of down] and ended in [send of the last bad one, first proof of up that is surely
 * after it] (sample-evidence.ts). Samples of which the observer knows nothing (`unknown`, dropped) are no evidence: the bounds reach
 * over them to the next sample that is. A window before any good sample is counted from the run's start, one that is still
 * open to its end.
 *
 * Overtaking: what comes promptly acts in the order of sending. What comes late may have acted at any moment up to its arrival:
 * it moves an edge only where it cannot have acted on the other side of it, and divides two failures only if it came before
 * the later one was sent. Failures that it may or may not divide stay one window, whose end has both in its bounds.
 *
 * Slow answers: alone, they say "up at some moment until then". Only those that a hang held up (sample-evidence.ts) and that
 * were sent before the first proof of up after a failed run belong to the same outage and make its end sharper. All other
 * runs of slow answers are windows of their own with the state `slow`: none of them proves an outage, and none excludes it,
 * so that they reach into the upper bounds of downtime and RTO. Late answers to what was sent between failed samples are part of
 * their window.
 *
 * Samples that failed while the prober was degraded (degraded.ts) are unknown, too; where no other failed between two good ones
 * they make a window `unsure`, of 0 ms at least.
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
  return [...windows, ...slow, ...unsureWindows(log, series)].sort((a, b) => a.firstBadMs - b.firstBadMs);
}

/** Possible windows: between two good samples, only samples of a degraded prober failed. */
function unsureWindows(log: RunLog, { samples }: ProbeSeries): readonly BadWindow[] {
  if (!samples.some((s) => s.degraded)) return [];
  const windows: BadWindow[] = [];
  let startLoMs = log.startMs;
  let failed: KeptSample[] = [];
  let isSure = false;
  const close = (endHiMs: number, open: boolean): void => {
    const [first] = failed;
    if (first !== undefined && !isSure)
      windows.push({
        state: 'unsure',
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
      startLoMs = lastSaidMs(sample);
      failed = [];
      isSure = false;
    }
  }
  close(log.endMs, true);
  return windows;
}

/**
 * What the samples say, and around time-outs the acknowledged writes, too: they show that the target was up. Other failures
 * stand: a probe may ask for more than a write needs.
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

/** Runs of failed samples that no answer divides: none was surely given between the first of the run and the sending of a later one. */
function failedRuns(signs: readonly SampleEvidence[]): readonly Run[] {
  const runs: { first: number; last: number }[] = [];
  let open: { first: number; last: number } | undefined;
  let upByMs = Infinity;
  for (const [index, { isUp, isLate, sendMs, byMs }] of signs.entries()) {
    if (isUp) upByMs = Math.min(upByMs, isLate ? byMs : sendMs);
    else if (open === undefined || upByMs <= sendMs) {
      runs.push((open = { first: index, last: index }));
      upByMs = Infinity;
    } else open.last = index;
  }
  return runs;
}

/** The send of the last answer that was surely given before a sample; the run's start without any. */
function lastUpBefore(signs: readonly SampleEvidence[], index: number, startMs: number): number {
  const sendMs = signs[index]?.sendMs ?? startMs;
  for (let at = index - 1; at >= 0; at--) {
    const sign = signs[at];
    if (sign?.isUp === true && (!sign.isLate || sign.byMs <= sendMs)) return saidUntilMs(sign);
  }
  return startMs;
}

/** The first proof of up that is surely after all of the failed samples; Infinity without any. */
function firstUpAfter(signs: readonly SampleEvidence[], { first, last }: Run): number {
  let sentMs = -Infinity;
  let byMs = -Infinity;
  for (const sign of signs.slice(first, last + 1)) {
    if (sign.isUp) continue;
    sentMs = Math.max(sentMs, sign.isLate ? sign.byMs : sign.sendMs);
    byMs = Math.max(byMs, sign.byMs);
  }
  let upMs = Infinity;
  for (let at = last + 1; at < signs.length; at++) {
    const sign = signs[at];
    if (sign === undefined || sign.sendMs >= upMs) break;
    if (sign.isUp && sign.sendMs >= (sign.isLate ? byMs : sentMs)) upMs = Math.min(upMs, sign.byMs);
  }
  return upMs;
}

/** Whether a failure that came late may have acted after an answer to what was sent later. */
function isOvertaken(signs: readonly SampleEvidence[], index: number): boolean {
  const sign = signs[index];
  if (sign === undefined || !sign.isLate) return false;
  for (let at = index + 1; at < signs.length; at++) {
    const later = signs[at];
    if (later === undefined || later.sendMs >= sign.byMs) return false;
    if (later.isUp) return true;
  }
  return false;
}

/** Whether an answer is evidence of an outage: it was slow, or a hang held it up for longer than answers take. */
function isPartOfOutage(
  { sample, isUp, isHeld }: SampleEvidence,
  { slowMs, normalMs }: LatencyModel,
): boolean {
  return isUp && sample !== null && targetsMs(sample) > (isHeld ? normalMs : slowMs);
}

/** The answers to samples that were sent between failed ones, and that tell of the same outage. */
function joinedInside(
  signs: readonly SampleEvidence[],
  { first, last }: Run,
  upMs: number,
  model: LatencyModel,
): readonly SampleEvidence[] {
  return signs.slice(first, last).filter((s) => isPartOfOutage(s, model) && s.byMs <= upMs);
}

/** The answers after a failed run that tell of the same outage: slow ones that were sent before its first proof of up. */
function joinedAfter(
  signs: readonly SampleEvidence[],
  { last }: Run,
  upMs: number,
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

/** The failures of a run; `sure` are those that surely acted in the outage with which it began: no answer may have come between. */
function failuresOf(
  signs: readonly SampleEvidence[],
  { first, last }: Run,
  { normalMs }: LatencyModel,
): { readonly failed: readonly SampleEvidence[]; readonly sure: readonly SampleEvidence[] } {
  const failed: SampleEvidence[] = [];
  const sure: SampleEvidence[] = [];
  /** When the first answer to what was sent since then may have come. */
  let upFromMs = Infinity;
  for (let at = first; at <= last; at++) {
    const sign = signs[at];
    if (sign === undefined) continue;
    if (sign.isUp) upFromMs = Math.min(upFromMs, sign.isHeld ? sign.byMs - normalMs : sign.sendMs);
    else {
      failed.push(sign);
      if (sign.byMs <= upFromMs && !isOvertaken(signs, at)) sure.push(sign);
    }
  }
  return { failed, sure };
}

/** When late answers show that the target came back; undefined without such. */
function likelyEndMs(
  signs: readonly SampleEvidence[],
  { last }: Run,
  end: Pick<BadWindow, 'endLoMs' | 'endHiMs'>,
  { latency, probe }: ProbeSeries,
): number | undefined {
  let from = last;
  while ((signs[from - 1]?.sendMs ?? -Infinity) >= end.endLoMs - probe.timeoutMs) from--;
  let to = last;
  while ((signs[to]?.sendMs ?? Infinity) < end.endHiMs + latency.normalMs) to++;
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
  const endLoMs = ends.reduce((max, s) => Math.max(max, s.sendMs), Math.max(startLoMs, firstBadMs));
  const open = upMs === Infinity;
  const endHiMs = Math.max(open ? log.endMs : upMs, endLoMs);
  const endMs = open ? undefined : likelyEndMs(signs, run, { endLoMs, endHiMs }, series);
  const startHiMs = failed.reduce((min, s) => Math.min(min, s.byMs), endHiMs);
  const window: BadWindow = {
    state: 'down',
    startLoMs,
    startHiMs,
    endLoMs,
    endHiMs,
    ...(endMs === undefined ? {} : { endMs }),
    firstBadMs,
    lastBadMs: [...failed, ...down].reduce((max, s) => Math.max(max, s.sendMs), firstBadMs),
    open,
    causes: countCauses([...failed, ...joined].flatMap((s) => s.sample ?? [])),
  };
  return { window, joined };
}

/** Windows of slow answers; those in `taken` belong to an outage. */
function slowWindows(
  signs: readonly SampleEvidence[],
  taken: ReadonlySet<KeptSample>,
  startMs: number,
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
      startHiMs: bad.reduce((min, s) => Math.min(min, s.finishMs, s.sendMs + model.normalMs), Infinity),
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
 * How many answers from index `from` on were held up by the stall that the slow ones before them tell of, though not for
 * as long: asked while nothing was answered, they came later than a healthy target's.
 */
function heldWith(
  samples: readonly KeptSample[],
  from: number,
  upMs: number,
  { normalMs }: LatencyModel,
): number {
  let index = from;
  for (let sample; (sample = samples[index]) !== undefined; index++)
    if (sample.status !== 'ok' || sample.sendMs >= upMs || targetsMs(sample) <= normalMs) break;
  return index - from;
}

/** When the window ended: its bounds, and as the estimate `endMs`, or their middle. */
export function endOf({ endLoMs, endHiMs, endMs }: Pick<BadWindow, 'endLoMs' | 'endHiMs' | 'endMs'>): Moment {
  return { loMs: endLoMs, hiMs: endHiMs, ms: endMs ?? middle(endLoMs, endHiMs) };
}

/**
 * How long the window lasted: between the two inner and the two outer edges. The estimate is the middle of these, or, with an
 * estimate of the end, the time from the middle of the start's bounds to that.
 */
export function durationOf(window: BadWindow): Measure {
  const { startLoMs, startHiMs, endLoMs, endHiMs, endMs } = window;
  const minMs = roundMs(Math.max(0, endLoMs - startHiMs));
  const maxMs = roundMs(Math.max(minMs, endHiMs - startLoMs));
  if (endMs === undefined) return { ms: middle(minMs, maxMs), minMs, maxMs };
  const ms = roundMs(endMs - middle(startLoMs, startHiMs));
  return { ms: Math.min(maxMs, Math.max(minMs, ms)), minMs, maxMs };
}

/** The window as summary.json shows it; one that is `unsure` as all of the time in which it may have been. */
export function toSummaryWindow(log: RunLog, window: BadWindow): Window {
  const { state, startLoMs, startHiMs, endHiMs } = window;
  const unsure = state === 'unsure';
  return {
    state,
    startAt: wallTime(log, unsure ? startLoMs : middle(startLoMs, startHiMs)),
    endAt: window.open ? null : wallTime(log, unsure ? endHiMs : endOf(window).ms),
    ...durationOf(window),
    causes: window.causes,
  };
}
