import { roundMs } from '../core/clock.ts';
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
import { slowFloorMs } from './latency-model.ts';
import type { Moment } from './moment.ts';
import { intervalAt, type ProbeSeries, type RunLog } from './run-log.ts';
import { answerGaps, type Gap } from './sample-gaps.ts';
import type { BadWindow } from './windows.ts';

/**
 * Shortest outage between two samples, ms, that may delay a recovery. Shorter outages are ignored: clients with ordinary
 * timeouts do not notice them either.
 */
export const unobservedOutageMs = 500;

/**
 * Widest gap, ms, between samples that are neither lost nor late: twice the interval, or the interval
 * and a slow answer.
 */
function ordinaryGapMs(intervalMs: DurationMs): DurationMs {
  return Math.max(2 * intervalMs, intervalMs + slowFloorMs);
}

/** Reason why the upper bound of an RTO is beyond the edges of the outage. */
export type PutOffBy = 'slow' | 'uncertain' | 'outage' | 'gap';

/** The bounds of a recovery, including other windows and outages between samples. Offsets in ms. */
export interface RecoveryBounds {
  readonly loMs: RunMs;
  readonly hiMs: RunMs;
  /** null: the edges of the outage give the upper bound. */
  readonly putOffBy: PutOffBy | null;
  /** The longest time without an answer that matters, ms; 0 if there is none. */
  readonly gapMs: DurationMs;
}

/** Inputs for the bounds of a recovery. */
export interface RecoveryFacts {
  readonly log: RunLog;
  readonly series: ProbeSeries;
  /** All windows of the recovery probe after t0, in order of time. */
  readonly windows: readonly BadWindow[];
  /** An outage that begins later is not part of the recovery: the wait for it was over. */
  readonly beginByMs: RunMs;
  /** No recovery is final until then, because a fault acts; -Infinity if none does. */
  readonly openUntilMs: RunMs;
  /**
   * When the engine stopped waiting and the probe returned to its own interval. Outages between samples
   * count only until then.
   */
  readonly waitOverMs: RunMs;
  /** Latest moment of the last fault's effect: a recovery before it is not final. */
  readonly lastEffectMs: RunMs;
  /** Earliest moment of the last fault's effect. */
  readonly lastEffectLoMs: RunMs;
}

/**
 * The bounds of the recovery that the samples show at `end`.
 *
 * The service is stable between outages whose edges have bounds. So the recovery may be earlier: at the end of an outage after
 * which the service may have been up for `stableForMs`. It may be later: an outage that begins less than `stableForMs` after it
 * delays it. That outage may be certain, or it may be slow answers, failures of a degraded prober, or a gap between samples.
 */
export function recoveryBounds(reported: RecoveryFacts, end: Moment): RecoveryBounds {
  const { stableForMs, until } = reported.log.plan.recovery;
  const facts = { ...reported, withinMs: until === undefined ? stableForMs : Infinity };
  const loMs = earliestMs(facts, end.loMs);
  const seen = putOff(facts, end.hiMs);
  const gaps = wideGaps(facts, end.loMs, seen.hiMs);
  const gapMs = gaps.reduce((max, g) => Math.max(max, g.widestMs), 0);
  // Samples that are left out do not show where the gap in their stretch is. An outage in it must begin
  // before `beginMs`.
  const beginMs = putOffByMs(facts, seen.hiMs);
  const lastMs = gaps.reduce(
    (max, g) => latest(max, earliest(g.toMs, later(beginMs, g.widestMs))),
    seen.hiMs,
  );
  if (lastMs === seen.hiMs) return { loMs, hiMs: seen.hiMs, putOffBy: seen.by, gapMs: 0 };
  return { loMs, hiMs: putOff(facts, lastMs).hiMs, putOffBy: 'gap', gapMs: roundMs(gapMs) };
}

/**
 * The bounds of the first sign of recovery, which the samples show at `end`. Outages closer than `mergeGapMs` are one, and the
 * distance between them has bounds, too.
 */
export function firstBounds(
  facts: RecoveryFacts,
  end: Moment,
  mergeGapMs: DurationMs,
): { readonly loMs: RunMs; readonly hiMs: RunMs } {
  const merging = {
    ...facts,
    openUntilMs: distantPast,
    lastEffectMs: distantPast,
    lastEffectLoMs: distantPast,
    withinMs: mergeGapMs,
  };
  return { loMs: earliestMs(merging, end.loMs), hiMs: putOff(merging, end.hiMs).hiMs };
}

/** Facts, and how long after a recovery an outage may begin and still delay it, ms. */
interface Facts extends RecoveryFacts {
  readonly withinMs: DurationMs;
}

/** Whether an outage that begins at `beginMs` delays a recovery at `hiMs`. */
function reaches(facts: Facts, beginMs: RunMs, hiMs: RunMs): boolean {
  const { beginByMs, openUntilMs, lastEffectMs, withinMs } = facts;
  return beginMs < beginByMs && (beginMs < hiMs + withinMs || beginMs < openUntilMs || hiMs < lastEffectMs);
}

/** The latest end of a recovery if each outage that may delay it does. */
function putOff(facts: Facts, fromMs: RunMs): { readonly hiMs: RunMs; readonly by: PutOffBy | null } {
  let hiMs = fromMs;
  let by: PutOffBy | null = null;
  for (const window of facts.windows) {
    if (window.endHiMs <= hiMs || !reaches(facts, latest(window.startLoMs, fromMs), hiMs)) continue;
    if (window.state === 'down' && !reaches(facts, window.firstBadMs, distantFuture)) continue;
    hiMs = window.endHiMs;
    by = window.state === 'down' ? 'outage' : window.state;
  }
  return { hiMs, by };
}

/**
 * The earliest recovery: the end of the first outage after which the service may have been up for long
 * enough.
 */
function earliestMs(
  { windows, beginByMs, openUntilMs, lastEffectLoMs, withinMs }: Facts,
  atMostMs: RunMs,
): RunMs {
  const down = windows.filter((w) => w.state === 'down');
  for (const window of windows) {
    // A window that is not certain may also have ended as soon as it can have begun.
    const endLoMs = window.state === 'down' ? window.endLoMs : window.startLoMs;
    if (endLoMs >= atMostMs) break;
    const next = down.find((w) => w !== window && w.endLoMs > endLoMs);
    const nextMs = next?.startHiMs ?? distantFuture;
    if (window.endHiMs < lastEffectLoMs && nextMs < beginByMs) continue;
    if (!window.open && nextMs - endLoMs >= withinMs && nextMs >= openUntilMs) return endLoMs;
  }
  return atMostMs;
}

/** The longest time without an answer in a range, ms. Gaps count from the range's beginning. */
export function longestGapMs(log: RunLog, series: ProbeSeries, fromMs: RunMs, toMs: RunMs): DurationMs {
  const inside = answerGaps(log, series, (g) => g.toMs > fromMs && g.fromMs <= toMs);
  return inside.reduce((max, g) => Math.max(max, Math.min(g.widestMs, g.toMs - fromMs)), 0);
}

/** Latest beginning of an outage between samples that delays a recovery at `hiMs`, ms. */
function putOffByMs({ withinMs, openUntilMs, waitOverMs, beginByMs }: Facts, hiMs: RunMs): RunMs {
  return earliest(latest(later(hiMs, withinMs), openUntilMs), waitOverMs, beginByMs);
}

/** Gaps after `loMs` that are wide enough for an outage that delays the recovery at `hiMs`. */
function wideGaps(facts: Facts, loMs: RunMs, hiMs: RunMs): readonly Gap[] {
  return answerGaps(
    facts.log,
    facts.series,
    (g) =>
      g.toMs > hiMs &&
      Math.min(g.widestMs, g.toMs - loMs) >
        Math.min(unobservedOutageMs, ordinaryGapMs(intervalAt(facts.log, facts.series.probe, g.fromMs))) &&
      g.fromMs < putOffByMs(facts, hiMs),
  );
}

/** Time from t0 to a moment with bounds; never negative. `ms` is the best estimate. */
export function measureFrom(effect: Moment, { loMs, hiMs, ms }: Moment): Measure {
  const minMs = roundMs(Math.max(0, loMs - effect.hiMs));
  const maxMs = roundMs(Math.max(minMs, hiMs - effect.loMs));
  return { ms: roundMs(Math.min(maxMs, Math.max(minMs, ms - effect.ms))), minMs, maxMs };
}
