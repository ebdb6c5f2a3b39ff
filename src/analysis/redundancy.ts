import { roundMs } from '../core/clock.ts';
import type { Measure } from '../core/summary.ts';
import { type DurationMs, earlier, earliest, latest, type RunMs } from '../core/time.ts';
import { seriesOf, truthOfAll } from './intervals.ts';
import type { RunLog } from './run-log.ts';
import { middle, type Moment } from './moment.ts';

/** Time from a moment until redundancy held again, by the log. ms. */
export type RedundancyAnalysis =
  | { readonly state: 'restored'; readonly after: Measure }
  | { readonly state: 'timeout'; readonly longerThanMs: DurationMs; readonly unmet: readonly string[] }
  | { readonly state: 'not-awaited' };

/**
 * When redundancy was restored, counted from a moment before its gate ended.
 *
 * Lower bound: the end of the last "no" before the gate; until then redundancy was certainly lost. Upper bound: the end of
 * the last "maybe" before the gate; it may have been lost again in any "maybe", and certainly held from there on. The estimate
 * is near the first certain "yes", and a later "maybe" does not move it.
 *
 * If redundancy was never certainly lost, the lower bound is 0. The upper bound is then at least the moment by which every
 * probe had a new sample: redundancy may have been lost and restored before that.
 */
export function analyseRedundancy(log: RunLog, from: Moment | null): RedundancyAnalysis {
  const gate = log.gates.findLast((g) => g.gate === 'redundancy');
  if (gate === undefined || from === null || gate.t < from.loMs) return { state: 'not-awaited' };
  if (gate.state === 'timeout')
    return { state: 'timeout', longerThanMs: roundMs(Math.max(0, gate.t - from.hiMs)), unmet: gate.unmet };
  const { startLoMs, seenMs, startHiMs } = restoredIn(log, from, gate.t);
  const unbroken = startLoMs <= from.loMs;
  const latestMs = unbroken ? Math.max(startHiMs, nextSampleMs(log, from.hiMs, gate.t)) : startHiMs;
  const minMs = roundMs(Math.max(0, startLoMs - from.hiMs));
  const maxMs = roundMs(Math.max(minMs, latestMs - from.loMs));
  const ms = roundMs(Math.min(maxMs, Math.max(minMs, middle(startLoMs, seenMs) - from.ms)));
  return {
    state: 'restored',
    after: unbroken ? { ms: minMs, minMs, maxMs } : { ms, minMs, maxMs },
  };
}

/**
 * When redundancy was restored for good, ms: between `startLoMs` and `startHiMs`. `seenMs`: when it
 * was first certain again.
 */
interface Restored {
  readonly startLoMs: RunMs;
  readonly seenMs: RunMs;
  readonly startHiMs: RunMs;
}

/**
 * A loss that begins after the gate's hold began and lasts beyond the gate is a later one, and does
 * not count.
 */
function restoredIn(log: RunLog, from: Moment, gateMs: RunMs): Restored {
  // If samples alone do not show the hold, the engine's gate event gives the latest moment.
  const heldFromMs = latest(from.loMs, earlier(gateMs, log.plan.redundancy.forMs));
  const spans = truthOfAll(log, log.plan.redundancy.require, { fromMs: from.loMs, toMs: gateMs });
  const held = spans.findLast((s) => s.truth === 'yes' && s.toMs > heldFromMs);
  const untilMs = held?.fromMs ?? heldFromMs;
  const before = spans.filter((s) => s.fromMs < untilMs);
  const broken = before.findLastIndex((s) => s.truth === 'no');
  const startLoMs = earliest(before[broken]?.toMs ?? from.loMs, untilMs);
  const seen = before.find((s, index) => index > broken && s.truth === 'yes');
  return { startLoMs, seenMs: seen?.fromMs ?? untilMs, startHiMs: untilMs };
}

/**
 * When the first sample that was sent after `afterMs` had finished, for the gate's slowest probe, ms;
 * at most `gateMs`.
 */
function nextSampleMs(log: RunLog, afterMs: RunMs, gateMs: RunMs): RunMs {
  const sampleTimes = log.plan.redundancy.require.flatMap((condition) =>
    seriesOf(log, condition).map(
      ({ samples }) => samples.find((s) => s.sendMs >= afterMs && s.status !== 'unknown')?.finishMs ?? gateMs,
    ),
  );
  return earliest(gateMs, latest(afterMs, ...sampleTimes));
}
