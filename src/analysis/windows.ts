import { roundMs } from '../core/clock.ts';
import type { Measure, Window } from '../core/summary.ts';
import { type KeptSample, lastSaidMs, weightOf } from './kept-samples.ts';
import type { LatencyModel } from './latency-model.ts';
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
  /** Send time of the first and last bad sample. */
  readonly firstBadMs: number;
  readonly lastBadMs: number;
  /** No sign of life up to the log's end; the end's bounds are then what is known so far. */
  readonly open: boolean;
  readonly causes: Readonly<Record<string, number>>;
}

/**
 * The latest moment by which this bad sample says "down". A refusal says it of some moment up to its arrival. Where
 * nothing had come when a healthy target would have answered, it was down by then, whatever came later: an answer, an
 * error or nothing.
 */
function downBy(sample: KeptSample, model: LatencyModel): number {
  const { status, cause, sendMs, finishMs } = sample;
  if (status === 'fail' && cause !== 'timeout' && !isHeldUp(sample, model)) return finishMs;
  return Math.min(finishMs, sendMs + model.normalMs);
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

/** Runs of samples with the same answer to `test`, in order. */
function runsBy(samples: readonly KeptSample[], test: (s: KeptSample) => boolean): KeptSample[][] {
  const runs: KeptSample[][] = [];
  let last: boolean | undefined;
  for (const sample of samples) {
    const answer = test(sample);
    if (answer === last) runs.at(-1)?.push(sample);
    else runs.push([sample]);
    last = answer;
  }
  return runs;
}

function earliest(samples: readonly KeptSample[], at: (s: KeptSample) => number): number {
  return samples.reduce((min, s) => Math.min(min, at(s)), Infinity);
}

/** The first answer among samples in send order, from one of them on. */
function firstAnswer(samples: readonly KeptSample[], from = 0): number {
  let min = Infinity;
  for (let index = from; index < samples.length; index++) {
    const sample = samples[index];
    // No answer comes before its request: those sent later cannot be earlier.
    if (sample === undefined || sample.sendMs >= min) break;
    min = Math.min(min, sample.finishMs);
  }
  return min;
}

/**
 * The bad windows of one probe, in order of time.
 *
 * In send order, a window is a run of failed samples. It began in [send of the
 * last good one, first proof of down (`downBy`)] and ended in [send of the last bad one,
 * first proof of up after it]. Samples of which the observer knows nothing
 * (`unknown`, dropped) are no evidence: the bounds reach over them to the next
 * sample that is. A window before any good sample is counted from the run's start,
 * one that is still open to its end.
 *
 * Late answers: an OK slower than `slowMs` tells of a target that hung. If it was
 * sent before the first proof of up after a failed run, it belongs to the same
 * hang and makes the end sharper; all other runs of late answers are windows of
 * their own with the state `slow`, which count neither as outage nor for the RTO. Those
 * end with the last answer that the same stall held up, be it for less than `slowMs`.
 *
 * Looks that failed while the prober was degraded (degraded.ts) are unknown, too; where no other failed between two good ones they
 * make a window `unsure`, of 0 ms at least.
 *
 * The bounds hold as long as answers do not overtake each other by more than the
 * interval: a probe's interval should be longer than its healthy latency.
 */
export function badWindows(log: RunLog, series: ProbeSeries): readonly BadWindow[] {
  const model = series.latency;
  const known = series.samples.filter((s) => s.status !== 'unknown');
  const runs = runsBy(known, (s) => s.status === 'fail');
  const windows: BadWindow[] = [];
  let lastGoodMs = log.startMs;
  for (const [index, run] of runs.entries()) {
    if (run[0]?.status === 'ok') {
      const joined = index > 0 ? hungBefore(run, model) : 0;
      windows.push(...slowWindows(run, joined, index === 0 ? log.startMs : lastGoodMs, model));
      lastGoodMs = run.at(-1)?.sendMs ?? lastGoodMs;
    } else {
      windows.push(downWindow(run, runs[index + 1] ?? [], lastGoodMs, { model, endMs: log.endMs }));
    }
  }
  const unsure = unsureWindows(log, series);
  return unsure.length === 0 ? windows : [...windows, ...unsure].sort((a, b) => a.firstBadMs - b.firstBadMs);
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

/** How many answers at the head of a good run are late ones that were asked for before its first proof of up, with those held up beside them. */
function hungBefore(good: readonly KeptSample[], model: LatencyModel): number {
  const upMs = firstAnswer(good);
  const first = good.findIndex((s) => !isSlow(s, model) || s.sendMs >= upMs);
  const late = first === -1 ? good.length : first;
  return late === 0 ? 0 : late + heldWith(good, late, upMs, model);
}

/** Whether a good answer was held up by the target. */
function isSlow(sample: KeptSample, model: LatencyModel): boolean {
  return sample.status === 'ok' && isHeldUp(sample, model);
}

/** Whether what came was held up by the target. */
function isHeldUp(sample: KeptSample, { slowMs }: LatencyModel): boolean {
  return targetsMs(sample) > slowMs;
}

/** How long the target took; for what the prober itself was stalled it is not to blame. */
function targetsMs({ sendMs, finishMs, stallMs = 0 }: KeptSample): number {
  return finishMs - sendMs - stallMs;
}

function downWindow(
  run: readonly KeptSample[],
  good: readonly KeptSample[],
  lastGoodMs: number,
  limits: { readonly model: LatencyModel; readonly endMs: number },
): BadWindow {
  const { model, endMs } = limits;
  const bad = [...run, ...good.slice(0, hungBefore(good, model))];
  const open = good.length === 0;
  const lastBadMs = bad.at(-1)?.sendMs ?? lastGoodMs;
  return {
    state: 'down',
    startLoMs: lastGoodMs,
    startHiMs: earliest(bad, (s) => downBy(s, model)),
    endLoMs: lastBadMs,
    endHiMs: open ? Math.max(endMs, lastBadMs) : firstAnswer(good),
    firstBadMs: bad[0]?.sendMs ?? lastGoodMs,
    lastBadMs,
    open,
    causes: countCauses(bad),
  };
}

/** Windows of late answers inside a run of good ones; the first `joined` belong to the outage before. */
function slowWindows(
  good: readonly KeptSample[],
  joined: number,
  before: number,
  model: LatencyModel,
): readonly BadWindow[] {
  const windows: BadWindow[] = [];
  let lastGoodMs = joined > 0 ? (good[joined - 1]?.sendMs ?? before) : before;
  let seen = joined;
  for (const run of runsBy(good.slice(joined), (s) => isSlow(s, model))) {
    const [first] = run;
    const lastSlow = run.at(-1);
    seen += run.length;
    if (first === undefined || lastSlow === undefined) continue;
    if (isSlow(first, model)) {
      const upMs = firstAnswer(good, seen - 1);
      const bad = [...run, ...good.slice(seen, seen + heldWith(good, seen, upMs, model))];
      const lastBadMs = bad.at(-1)?.sendMs ?? lastSlow.sendMs;
      windows.push({
        state: 'slow',
        startLoMs: lastGoodMs,
        startHiMs: earliest(bad, (s) => downBy(s, model)),
        endLoMs: lastBadMs,
        endHiMs: upMs,
        firstBadMs: first.sendMs,
        lastBadMs,
        open: false,
        causes: countCauses(bad),
      });
    }
    lastGoodMs = lastSlow.sendMs;
  }
  return windows;
}

/**
 * How many answers from index `from` on were held up by the stall that the late ones before them tell of, though not for
 * as long: asked while nothing was answered, they came later than a healthy target's.
 */
function heldWith(
  good: readonly KeptSample[],
  from: number,
  upMs: number,
  { normalMs }: LatencyModel,
): number {
  let index = from;
  for (let sample; (sample = good[index]) !== undefined; index++)
    if (sample.sendMs >= upMs || targetsMs(sample) <= normalMs) break;
  return index - from;
}

/** Midpoint on the microsecond grid of the log. */
export function middle(lo: number, hi: number): number {
  return roundMs((lo + hi) / 2);
}

/** How long the window lasted: between the two inner and the two outer edges. */
export function durationOf(window: BadWindow): Measure {
  const minMs = roundMs(Math.max(0, window.endLoMs - window.startHiMs));
  const maxMs = roundMs(Math.max(minMs, window.endHiMs - window.startLoMs));
  return { ms: middle(minMs, maxMs), minMs, maxMs };
}

/** The window as summary.json shows it; one that is `unsure` as all of the time in which it may have been. */
export function toSummaryWindow(log: RunLog, window: BadWindow): Window {
  const { state, startLoMs, startHiMs, endLoMs, endHiMs } = window;
  const unsure = state === 'unsure';
  return {
    state,
    startAt: wallTime(log, unsure ? startLoMs : middle(startLoMs, startHiMs)),
    endAt: window.open ? null : wallTime(log, unsure ? endHiMs : middle(endLoMs, endHiMs)),
    ...durationOf(window),
    causes: window.causes,
  };
}
