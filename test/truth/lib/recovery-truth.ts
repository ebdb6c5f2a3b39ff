import type { PlannedProbe } from '../../../src/core/plan.ts';
import { effectMs, type KnownRun, waitOverMs } from './known-run.ts';
import type { Outages } from './sight.ts';
import { after, lengthOf, type Span } from './spans.ts';

/** A figure's true value, and the values that the samples leave possible; ms. */
export interface Truth {
  readonly full: number;
  readonly least: number;
  readonly most: number;
  /** With the longest outage that no sample met. */
  readonly withLongestHidden: number;
}

function truthBy(outages: Outages, figure: (spans: readonly Span[]) => number): Truth {
  const full = figure(outages.full);
  const fewest = figure(outages.least);
  const most = figure(outages.most);
  return {
    full,
    // An outage that was not met can make a figure longer or shorter.
    least: Math.min(full, fewest, most),
    most: Math.max(full, fewest, most),
    withLongestHidden: figure(outages.withLongestHidden),
  };
}

/** The truth where bounds have to hold the longest outage that no sample met. */
export function holdingOneHidden(truth: Truth): Truth {
  const { full, withLongestHidden } = truth;
  return {
    ...truth,
    least: Math.min(full, withLongestHidden),
    most: Math.max(full, withLongestHidden, truth.most),
  };
}

/** The total outage from a moment on. */
export function downtimeTruth(outages: Outages, fromMs: number): Truth {
  return truthBy(outages, (spans) => lengthOf(after(spans, fromMs)));
}

/** The outages without those that began while the wait for the recovery went on, and were met by samples only when it was over. */
function metInWait(known: KnownRun, { full, metFromMs }: Outages): readonly Span[] {
  const overMs = waitOverMs(known);
  return full.filter(({ fromMs }) => fromMs >= overMs || (metFromMs.get(fromMs) ?? Infinity) < overMs);
}

/**
 * From the fault's effect to the recovery that held: the end of the first outage after which none begins for `stableForMs`, nor
 * while a fault is open or before the last one acted: up to its heal, which comes after the wait for the recovery where it has no
 * length of its own. Where the recovery has to last until redundancy, no outage may begin before that. An outage that no sample
 * met before may be taken for the heal's, which comes then. 0 without an outage; Infinity where it was not back when the wait
 * was over.
 */
export function rtoTruth(known: KnownRun, outages: Outages): Truth {
  const told = truthBy(outages, (spans) => recoveredAfterMs(known, spans));
  const withoutLast =
    known.plan.recovery.until === undefined ? told.full : recoveredAfterMs(known, metInWait(known, outages));
  const truth = {
    ...told,
    least: Math.min(told.least, withoutLast),
    most: Math.max(told.most, withoutLast),
  };
  // It was back, but the wait was over before it had held: whether it had recovered is open.
  const heldMs = waitOverMs(known) - (effectMs(known) + truth.full);
  const isMet = known.gates.some(({ gate, isMet }) => gate === 'recovery' && isMet);
  return isMet || heldMs >= known.plan.recovery.stableForMs ? truth : { ...truth, most: Infinity };
}

function recoveredAfterMs(known: KnownRun, spans: readonly Span[]): number {
  const fromMs = effectMs(known);
  const overMs = waitOverMs(known);
  const { stableForMs: leastMs, until } = known.plan.recovery;
  // A recovery that has to last until redundancy is not final before.
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
  // A fault with a length of its own is healed whatever the service does: what comes back after that has recovered.
  return endMs > overMs && timed.length === 0 ? Infinity : endMs - fromMs;
}

/** Outages closer than this are one for the first sign of recovery (src/analysis/rto.ts). */
function mergeGapMs(intervalMs: number): number {
  return Math.max(3 * intervalMs, 1000);
}

/**
 * From the fault's effect to the first sign of recovery, as least and most: which outages are close enough to be one is decided by
 * estimates of their edges, so that a gap within two intervals of the limit may go either way; so may one between the limits of the
 * two intervals of a probe with a burst.
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
