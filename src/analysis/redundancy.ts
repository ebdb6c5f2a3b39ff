import { roundMs } from '../core/clock.ts';
import type { Measure } from '../core/summary.ts';
import { intervalsIn, seriesOf, truthOfAll } from './intervals.ts';
import type { RunLog } from './read-log.ts';
import type { Moment } from './rto.ts';
import { middle } from './windows.ts';

/** From a moment until redundancy held again, as far as the log shows. ms. */
export type RedundancyAnalysis =
  | { readonly state: 'restored'; readonly after: Measure }
  | { readonly state: 'timeout'; readonly longerThanMs: number; readonly unmet: readonly string[] }
  | { readonly state: 'not-awaited' };

/**
 * When redundancy was back, counted from a moment before its gate came out: the
 * start of the time for which the gate's conditions held until the gate was met. If
 * they were never seen to break, the lower bound is 0 and the upper one the moment by
 * which every probe had looked once more: a break may have come and gone before.
 */
export function analyseRedundancy(log: RunLog, from: Moment | null): RedundancyAnalysis {
  const gate = log.gates.findLast((g) => g.gate === 'redundancy');
  if (gate === undefined || from === null || gate.t < from.loMs) return { state: 'not-awaited' };
  if (gate.state === 'timeout')
    return { state: 'timeout', longerThanMs: roundMs(Math.max(0, gate.t - from.hiMs)), unmet: gate.unmet };
  const heldFromMs = Math.max(from.loMs, gate.t - log.plan.redundancy.forMs);
  const spans = truthOfAll(log, log.plan.redundancy.require, { fromMs: from.loMs, toMs: gate.t });
  const last = intervalsIn(spans, 'yes').findLast((i) => i.certain && i.startHiMs <= heldFromMs);
  // Where the samples alone do not show it, the engine's word gives the latest moment.
  const startLoMs = last?.startLoMs ?? heldFromMs;
  const unbroken = startLoMs <= from.loMs;
  const startHiMs = unbroken ? lookedAgainMs(log, from.hiMs, gate.t) : (last?.startHiMs ?? heldFromMs);
  const minMs = roundMs(Math.max(0, startLoMs - from.hiMs));
  const maxMs = roundMs(Math.max(minMs, startHiMs - from.loMs));
  const ms = roundMs(Math.min(maxMs, Math.max(minMs, middle(startLoMs, startHiMs) - from.ms)));
  return {
    state: 'restored',
    after: unbroken ? { ms: minMs, minMs, maxMs } : { ms, minMs, maxMs },
  };
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
