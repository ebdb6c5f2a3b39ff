import type { PlannedProbe } from '../../../src/core/plan.ts';
import { effectMs, type KnownRun, waitOverMs } from './known-run.ts';
import type { Outages } from './sight.ts';
import { after, lengthOf, type Span } from './spans.ts';

/** A figure's true value, and the range that the samples leave possible; ms. */
export interface Truth {
  readonly full: number;
  readonly least: number;
  readonly most: number;
  /** The value if the analysis counts the longest outage that no sample met. */
  readonly withLongestHidden: number;
}

function truthBy(outages: Outages, figure: (spans: readonly Span[]) => number): Truth {
  const full = figure(outages.full);
  const fewest = figure(outages.least);
  const most = figure(outages.most);
  return {
    full,
    // An outage that no sample met can lengthen or shorten a figure.
    least: Math.min(full, fewest, most),
    most: Math.max(full, fewest, most),
    withLongestHidden: figure(outages.withLongestHidden),
  };
}

/** The truth for bounds that must hold the longest outage that no sample met. */
export function holdingOneHidden(truth: Truth): Truth {
  const { full, withLongestHidden } = truth;
  return {
    ...truth,
    least: Math.min(full, withLongestHidden),
    most: Math.max(full, withLongestHidden, truth.most),
  };
}

/** The total outage after `fromMs`. */
export function downtimeTruth(outages: Outages, fromMs: number): Truth {
  return truthBy(outages, (spans) => lengthOf(after(spans, fromMs)));
}

/** Leaves out each outage that began during the wait for the recovery and met its first sample after that wait. */
function metInWait(known: KnownRun, { full, metFromMs }: Outages): readonly Span[] {
  const overMs = waitOverMs(known);
  return full.filter(({ fromMs }) => fromMs >= overMs || (metFromMs.get(fromMs) ?? Infinity) < overMs);
}

/**
 * The time from the fault's effect to the recovery that held. 0: no outage. Infinity: the service was still down when the wait
 * for the recovery ended.
 *
 * - The recovery is the end of the first outage that no other outage follows within `stableForMs`.
 * - No outage may follow while a fault is open, nor before the last fault acted. A fault is open until its heal. A fault without
 *   a duration is healed after the wait for the recovery.
 * - With `until: redundancy`, no outage may follow before redundancy.
 * - The analysis may attribute an outage to the heal if no sample met that outage before the heal.
 */
export function rtoTruth(known: KnownRun, outages: Outages): Truth {
  const reported = truthBy(outages, (spans) => recoveredAfterMs(known, spans));
  const withoutLast =
    known.plan.recovery.until === undefined
      ? reported.full
      : recoveredAfterMs(known, metInWait(known, outages));
  const truth = {
    ...reported,
    least: Math.min(reported.least, withoutLast),
    most: Math.max(reported.most, withoutLast),
  };
  // The wait ended before the service was up for `stableForMs`: the recovery is uncertain.
  const heldMs = waitOverMs(known) - (effectMs(known) + truth.full);
  const isMet = known.gates.some(({ gate, isMet }) => gate === 'recovery' && isMet);
  return isMet || heldMs >= known.plan.recovery.stableForMs ? truth : { ...truth, most: Infinity };
}

function recoveredAfterMs(known: KnownRun, spans: readonly Span[]): number {
  const fromMs = effectMs(known);
  const overMs = waitOverMs(known);
  const { stableForMs: leastMs, until } = known.plan.recovery;
  // With `until: redundancy`, the recovery is not final before redundancy.
  const stableForMs = until === undefined ? leastMs : Infinity;
  const timed = known.faults.filter((fault) => fault.forMs !== undefined);
  const openUntilMs = Math.max(
    0,
    ...known.faults.map(({ forMs, healStartedMs }) =>
      forMs === undefined ? Math.min(overMs, healStartedMs ?? Infinity) : (healStartedMs ?? Infinity),
    ),
  );
  const lastEffectMs = Math.max(...known.faults.map((fault) => fault.effectMs));
  const counted = after(spans, fromMs).filter((s) => s.fromMs < overMs || s.fromMs < openUntilMs);
  let endMs = fromMs;
  for (const [index, outage] of counted.entries()) {
    const isHeld = outage.fromMs - endMs >= stableForMs && endMs >= lastEffectMs;
    if (index > 0 && isHeld && outage.fromMs >= openUntilMs) break;
    endMs = outage.toMs;
  }
  // The heal of a fault with a duration does not depend on the service: an outage that ends after it counts as recovered.
  return endMs > overMs && timed.length === 0 ? Infinity : endMs - fromMs;
}

/** For the first sign of recovery, outages with a shorter gap count as one outage (src/analysis/rto.ts). */
function mergeGapMs(intervalMs: number): number {
  return Math.max(3 * intervalMs, 1000);
}

/**
 * The least and the greatest time from the fault's effect to the first sign of recovery. The analysis joins close outages by
 * estimates of their edges. A gap within two intervals of the limit may be joined or not. The same holds for a gap between the
 * limits of the two intervals of a probe with a burst.
 */
export function firstSignTruth(
  known: KnownRun,
  outages: Outages,
  { intervalMs, burstIntervalMs = intervalMs }: Pick<PlannedProbe, 'intervalMs' | 'burstIntervalMs'>,
): Truth {
  const leastGapMs = mergeGapMs(Math.min(intervalMs, burstIntervalMs)) - 2 * intervalMs;
  const mostGapMs = mergeGapMs(intervalMs) + 2 * intervalMs;
  const fromMs = effectMs(known);
  const overMs = waitOverMs(known);
  const inWait =
    known.plan.recovery.until === undefined
      ? []
      : [metInWait(known, outages).filter((outage) => outage.fromMs < overMs)];
  const ends = [outages.full, outages.least, outages.most, ...inWait].flatMap((all) => {
    const spans = after(all, fromMs);
    const found: number[] = [];
    for (const [index, { toMs }] of spans.entries()) {
      const gapMs = (spans[index + 1]?.fromMs ?? Infinity) - toMs;
      if (gapMs >= leastGapMs) found.push(toMs - fromMs);
      if (gapMs > mostGapMs) break;
    }
    return found.length === 0 ? [0] : found;
  });
  const least = Math.min(...ends);
  return { full: least, least, most: Math.max(...ends), withLongestHidden: least };
}
