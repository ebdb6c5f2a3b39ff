import { roundMs } from '../core/clock.ts';
import type { Measure } from '../core/summary.ts';
import { intervalsIn, truthOfAll } from './intervals.ts';
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
 * start of the time for which the gate's conditions held until the gate was met. 0 if
 * they were never seen to break.
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
  const startHiMs = last?.startHiMs ?? heldFromMs;
  const startLoMs = last?.startLoMs ?? startHiMs;
  const minMs = roundMs(Math.max(0, startLoMs - from.hiMs));
  const maxMs = roundMs(Math.max(minMs, startHiMs - from.loMs));
  const ms = roundMs(Math.min(maxMs, Math.max(minMs, middle(startLoMs, startHiMs) - from.ms)));
  return {
    state: 'restored',
    after: startLoMs <= from.loMs ? { ms: minMs, minMs, maxMs } : { ms, minMs, maxMs },
  };
}
