import { roundMs } from '../core/clock.ts';
import type { Measure } from '../core/summary.ts';
import { slowFloorMs } from './latency-model.ts';
import type { Moment } from './moment.ts';
import { intervalAt, type ProbeSeries, type RunLog } from './read-log.ts';
import { answerGaps, type Gap } from './sample-gaps.ts';
import type { BadWindow } from './windows.ts';

/**
 * An outage that no sample hit puts off a recovery only if it may have been this long, ms. With samples closer than that,
 * what remains unseen is a blip that clients with ordinary time-outs do not notice either.
 */
export const unseenOutageMs = 500;

/** A gap that is wider than this has lost or late samples in it, ms: twice the interval, or the interval and a slow answer. */
function ordinaryGapMs(intervalMs: number): number {
  return Math.max(2 * intervalMs, intervalMs + slowFloorMs);
}

/** What puts the upper bound of an RTO beyond the edges that the samples show. */
export type PutOffBy = 'slow' | 'unsure' | 'outage' | 'gap';

/** The bounds of a recovery that other windows, seen or not, leave open. Offsets in ms. */
export interface RecoveryBounds {
  readonly loMs: number;
  readonly hiMs: number;
  /** null: the edges of the outage alone make the upper bound. */
  readonly putOffBy: PutOffBy | null;
  /** The widest stretch without an answer that counts; 0 without any. */
  readonly gapMs: number;
}

/** What the bounds of a recovery follow from. */
export interface RecoveryFacts {
  readonly log: RunLog;
  readonly series: ProbeSeries;
  /** All windows of the recovery probe after t0, in order of time. */
  readonly windows: readonly BadWindow[];
  /** What begins later is no part of the recovery: the wait for it was over. */
  readonly beginByMs: number;
  /** Until then a fault acted, and no recovery was final; -Infinity: none did. */
  readonly openUntilMs: number;
  /** When the engine had seen enough, and the probe went back to its own interval: what no sample shows counts up to then only. */
  readonly waitOverMs: number;
  /** When the last fault took effect: no recovery before it was final. */
  readonly lastEffectMs: number;
  /** When it did at the earliest. */
  readonly lastEffectLoMs: number;
}

/**
 * The bounds of the recovery that the samples show at `end`.
 *
 * Stability is decided between outages whose edges are known by their bounds only. The recovery may have been earlier: at the
 * end of an outage after which the service may have been good for `stableForMs`. It may have been later: an outage that
 * begins less than `stableForMs` after it puts it off, be it that it was seen, that slow answers or a degraded prober leave it
 * open, or that it fits between two samples.
 */
export function recoveryBounds(told: RecoveryFacts, end: Moment): RecoveryBounds {
  const { stableForMs, until } = told.log.plan.recovery;
  const facts = { ...told, withinMs: until === undefined ? stableForMs : Infinity };
  const loMs = earliestMs(facts, end.loMs);
  const seen = putOff(facts, end.hiMs);
  const gaps = wideGaps(facts, end.loMs, seen.hiMs);
  const gapMs = gaps.reduce((max, g) => Math.max(max, g.widestMs), 0);
  // Of samples that are left out, a gap may lie anywhere in their stretch: an outage that counts begins in time.
  const beginMs = putOffByMs(facts, seen.hiMs);
  const lastMs = gaps.reduce((max, g) => Math.max(max, Math.min(g.toMs, beginMs + g.widestMs)), seen.hiMs);
  if (lastMs === seen.hiMs) return { loMs, hiMs: seen.hiMs, putOffBy: seen.by, gapMs: 0 };
  return { loMs, hiMs: putOff(facts, lastMs).hiMs, putOffBy: 'gap', gapMs: roundMs(gapMs) };
}

/**
 * The bounds of the first sign of recovery, which the samples show at `end`: outages closer than `mergeGapMs` are one, and how
 * far they are apart has bounds, too.
 */
export function firstBounds(
  facts: RecoveryFacts,
  end: Moment,
  mergeGapMs: number,
): { readonly loMs: number; readonly hiMs: number } {
  const merging = {
    ...facts,
    openUntilMs: -Infinity,
    lastEffectMs: -Infinity,
    lastEffectLoMs: -Infinity,
    withinMs: mergeGapMs,
  };
  return { loMs: earliestMs(merging, end.loMs), hiMs: putOff(merging, end.hiMs).hiMs };
}

/** Facts, and how long after a recovery an outage may begin and still put it off, ms. */
interface Facts extends RecoveryFacts {
  readonly withinMs: number;
}

/** Whether an outage that begins then would put off a recovery that came at `hiMs`. */
function reaches(facts: Facts, beginMs: number, hiMs: number): boolean {
  const { beginByMs, openUntilMs, lastEffectMs, withinMs } = facts;
  return beginMs < beginByMs && (beginMs < hiMs + withinMs || beginMs < openUntilMs || hiMs < lastEffectMs);
}

/** The latest end of a recovery when each outage that may put it off does. */
function putOff(facts: Facts, fromMs: number): { readonly hiMs: number; readonly by: PutOffBy | null } {
  let hiMs = fromMs;
  let by: PutOffBy | null = null;
  for (const window of facts.windows) {
    if (window.endHiMs <= hiMs || !reaches(facts, Math.max(window.startLoMs, fromMs), hiMs)) continue;
    if (window.state === 'down' && !reaches(facts, window.firstBadMs, Infinity)) continue;
    hiMs = window.endHiMs;
    by = window.state === 'down' ? 'outage' : window.state;
  }
  return { hiMs, by };
}

/** The earliest recovery: the end of the first outage after which the service may have been good for long enough. */
function earliestMs(
  { windows, beginByMs, openUntilMs, lastEffectLoMs, withinMs }: Facts,
  atMostMs: number,
): number {
  const down = windows.filter((w) => w.state === 'down');
  for (const window of windows) {
    // A window that may be none may also have ended as soon as it can have begun.
    const endLoMs = window.state === 'down' ? window.endLoMs : window.startLoMs;
    if (endLoMs >= atMostMs) break;
    const next = down.find((w) => w !== window && w.endLoMs > endLoMs);
    const nextMs = next?.startHiMs ?? Infinity;
    if (window.endHiMs < lastEffectLoMs && nextMs < beginByMs) continue;
    if (!window.open && nextMs - endLoMs >= withinMs && nextMs >= openUntilMs) return endLoMs;
  }
  return atMostMs;
}

/** The longest time without an answer in a range, from its beginning on, ms. */
export function longestGapMs(log: RunLog, series: ProbeSeries, fromMs: number, toMs: number): number {
  const inside = answerGaps(log, series, (g) => g.toMs > fromMs && g.fromMs <= toMs);
  return inside.reduce((max, g) => Math.max(max, Math.min(g.widestMs, g.toMs - fromMs)), 0);
}

/** An outage that no sample shows puts off a recovery at `hiMs` only if it begins before this moment, ms. */
function putOffByMs({ withinMs, openUntilMs, waitOverMs, beginByMs }: Facts, hiMs: number): number {
  return Math.min(Math.max(hiMs + withinMs, openUntilMs), waitOverMs, beginByMs);
}

/** Gaps that are wide enough for an outage after `loMs`, in which one would put off the recovery at `hiMs`. */
function wideGaps(facts: Facts, loMs: number, hiMs: number): readonly Gap[] {
  return answerGaps(
    facts.log,
    facts.series,
    (g) =>
      g.toMs > hiMs &&
      Math.min(g.widestMs, g.toMs - loMs) >
        Math.min(unseenOutageMs, ordinaryGapMs(intervalAt(facts.log, facts.series.probe, g.fromMs))) &&
      g.fromMs < putOffByMs(facts, hiMs),
  );
}

/** From t0 to a moment with bounds; never negative. `ms` is the best estimate of it. */
export function measureFrom(effect: Moment, { loMs, hiMs, ms }: Moment): Measure {
  const minMs = roundMs(Math.max(0, loMs - effect.hiMs));
  const maxMs = roundMs(Math.max(minMs, hiMs - effect.loMs));
  return { ms: roundMs(Math.min(maxMs, Math.max(minMs, ms - effect.ms))), minMs, maxMs };
}
