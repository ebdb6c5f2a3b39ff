import { roundMs } from '../core/clock.ts';
import type { Measure } from '../core/summary.ts';
import { seriesOf, truthOfAll } from './intervals.ts';
import type { RunLog } from './read-log.ts';
import { middle, type Moment } from './moment.ts';

/** From a moment until redundancy held again, as far as the log shows. ms. */
export type RedundancyAnalysis =
  | { readonly state: 'restored'; readonly after: Measure }
  | { readonly state: 'timeout'; readonly longerThanMs: number; readonly unmet: readonly string[] }
  | { readonly state: 'not-awaited' };

/**
 * When redundancy was back, counted from a moment before its gate came out.
 *
 * It was surely broken up to the end of the last "no" before the gate: that is the lower bound. It surely held from the
 * end of the last "maybe" before the gate on: redundancy may have been broken once more in any "maybe", so that the last
 * one makes the upper bound. The estimate lies where redundancy was first seen again, and a later "maybe" does not move it.
 *
 * Redundancy that was never surely broken has the lower bound 0, and an upper bound not below the moment by which every
 * probe had looked once more: a break may have come and gone before.
 */
export function analyseRedundancy(log: RunLog, from: Moment | null): RedundancyAnalysis {
  const gate = log.gates.findLast((g) => g.gate === 'redundancy');
  if (gate === undefined || from === null || gate.t < from.loMs) return { state: 'not-awaited' };
  if (gate.state === 'timeout')
    return { state: 'timeout', longerThanMs: roundMs(Math.max(0, gate.t - from.hiMs)), unmet: gate.unmet };
  const { startLoMs, seenMs, startHiMs } = restoredIn(log, from, gate.t);
  const unbroken = startLoMs <= from.loMs;
  const latestMs = unbroken ? Math.max(startHiMs, lookedAgainMs(log, from.hiMs, gate.t)) : startHiMs;
  const minMs = roundMs(Math.max(0, startLoMs - from.hiMs));
  const maxMs = roundMs(Math.max(minMs, latestMs - from.loMs));
  const ms = roundMs(Math.min(maxMs, Math.max(minMs, middle(startLoMs, seenMs) - from.ms)));
  return {
    state: 'restored',
    after: unbroken ? { ms: minMs, minMs, maxMs } : { ms, minMs, maxMs },
  };
}

/** When redundancy came back for good, ms: between the end of the last "no" and the latest moment; `seenMs` is when it was first sure again. */
interface Restored {
  readonly startLoMs: number;
  readonly seenMs: number;
  readonly startHiMs: number;
}

/** What begins after the hold of the gate began and lasts beyond the gate is a break of later. */
function restoredIn(log: RunLog, from: Moment, gateMs: number): Restored {
  // Where the samples alone do not show it, the engine's word gives the latest moment.
  const heldFromMs = Math.max(from.loMs, gateMs - log.plan.redundancy.forMs);
  const spans = truthOfAll(log, log.plan.redundancy.require, { fromMs: from.loMs, toMs: gateMs });
  const held = spans.findLast((s) => s.truth === 'yes' && s.toMs > heldFromMs);
  const untilMs = held?.fromMs ?? heldFromMs;
  const before = spans.filter((s) => s.fromMs < untilMs);
  const broken = before.findLastIndex((s) => s.truth === 'no');
  const startLoMs = Math.min(before[broken]?.toMs ?? from.loMs, untilMs);
  const seen = before.find((s, index) => index > broken && s.truth === 'yes');
  return { startLoMs, seenMs: seen?.fromMs ?? untilMs, startHiMs: untilMs };
}

/** When the first look that was sent after `afterMs` had ended, of the gate's slowest probe; at the latest at `gateMs`. */
function lookedAgainMs(log: RunLog, afterMs: number, gateMs: number): number {
  const looks = log.plan.redundancy.require.flatMap((condition) =>
    seriesOf(log, condition).map(
      ({ samples }) => samples.find((s) => s.sendMs >= afterMs && s.status !== 'unknown')?.finishMs ?? gateMs,
    ),
  );
  return Math.min(gateMs, Math.max(afterMs, ...looks));
}
