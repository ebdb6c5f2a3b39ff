import { roundMs } from '../core/clock.ts';
import { DrillError } from '../core/errors.ts';
import type { Measure } from '../core/summary.ts';
import { type Downtime, downtimeOf } from './downtime.ts';
import { middle, moment, type Moment } from './moment.ts';
import { faultTime, finalRecovery, mayCount, timedFaults } from './open-faults.ts';
import {
  type EffectBounds,
  type FaultRecord,
  intervalAt,
  type ProbeSeries,
  type RunLog,
  watchedUntil,
} from './read-log.ts';
import { firstBounds, longestGapMs, measureFrom, recoveryBounds, type RecoveryBounds } from './rto-bounds.ts';
import { longestUnseenMs, withUnseen } from './sample-gaps.ts';
import { type BadWindow, badWindows, endOf } from './windows.ts';

/** How the service came back after the fault, seen by the recovery probe. Offsets and durations in ms. */
export interface RecoveryAnalysis {
  /** t0: when the first fault became true. */
  readonly effect: Moment;
  /** `down` windows of the recovery probe after t0, raw. */
  readonly windows: readonly BadWindow[];
  /** Its `unsure` windows after t0: outages, perhaps. They reach into the upper bounds of downtime and RTO. */
  readonly unsure: readonly BadWindow[];
  /**
   * Their sum; the part before t0 of a window that was already open then is left out. Its upper bound has the `slow` windows,
   * too: a slow answer proves neither that the service was down nor that it was up. It also has the longest outage that fits
   * between two good samples.
   */
  readonly downtime: Measure;
  /** End of the recovery that held; null when none was seen. Equal to t0 when nothing broke. */
  readonly recovered: Moment | null;
  /** From t0 to the recovery that held, with the bounds that `bounds` gives. */
  readonly rto: Measure | null;
  /** What other windows, seen or not, leave open of the recovery; null when none was seen. */
  readonly bounds: RecoveryBounds | null;
  /** From t0 to the first sign of recovery, whether or not it held. */
  readonly first: Measure | null;
  /** When no recovery was seen: it took longer than this. */
  readonly longerThanMs: number | null;
  /** When the outage that ended in this recovery began, where an earlier recovery had held; null where none had. */
  readonly again: Moment | null;
  /** Windows after the recovery that held; part of the downtime, not of the RTO. */
  readonly laterWindows: number;
}

/** Two outages closer than this are one for the RTO (flapping): at least a second, at least three looks. */
function mergeGapMs(intervalMs: number): number {
  return Math.max(3 * intervalMs, 1000);
}

/**
 * The recovery probe's only instance; with `onFaultHost`, that on the host which the
 * plan's first fault hit. Throws DrillError `invalid-input` when the log's plan has none.
 */
export function recoverySeries(log: RunLog): ProbeSeries {
  const { probe, onFaultHost = false } = log.plan.recovery;
  const host = log.faults.find((f) => f.id === log.plan.faults[0]?.id)?.host;
  const series = [...log.series.values()].filter(
    (s) => (s.probe.name === probe || s.probe.id === probe) && (!onFaultHost || s.probe.host === host),
  );
  const [only] = series;
  if (only === undefined || series.length > 1)
    throw new DrillError(
      'invalid-input',
      `The recovery probe "${probe}" has ${series.length} instances in the log's plan; it needs exactly one.`,
    );
  return only;
}

/** The first fault that was seen to act. */
function firstEffect(log: RunLog): EffectBounds | null {
  const effects = log.faults.flatMap((f) => (f.effect === null ? [] : [f.effect]));
  return effects.reduce<EffectBounds | null>(
    (first, e) => (first === null || e.notBeforeMs < first.notBeforeMs ? e : first),
    null,
  );
}

function healStarts(faults: readonly FaultRecord[]): readonly number[] {
  return faults.flatMap((f) => (f.healStartedMs === null ? [] : [f.healStartedMs]));
}

/** When the return began: the first heal of a fault after the last of the faults was injected; null if none was healed. */
export function returnBeganMs(log: RunLog): number | null {
  const issuedMs = Math.max(...log.faults.map((f) => f.issuedMs ?? -Infinity));
  const starts = healStarts(log.faults).filter((ms) => ms >= issuedMs);
  return starts.length === 0 ? null : Math.min(...starts);
}

/**
 * When the wait for recovery was over: the recovery gate came out, or the heal began
 * that ends the drill. What breaks later is no part of this recovery; what mends
 * later did not come back by itself. A fault that is healed after its time does not
 * end the wait.
 */
export function waitOverMs(log: RunLog): number {
  const gate = log.gates.find((g) => g.gate === 'recovery')?.t ?? Infinity;
  const phase = log.phases.find((p) => p.phase === 'heal')?.t ?? Infinity;
  const timed = timedFaults(log);
  return Math.min(gate, phase, ...healStarts(log.faults.filter((f) => !timed.has(f.id))));
}

/**
 * The bounds of t0. If the recovery probe's first outage began surely after we
 * asked for the fault and was seen before the effect was confirmed, that sight is
 * the sharper upper bound.
 */
function sharpenEffect(effect: EffectBounds, first: BadWindow | undefined): Moment {
  const { notBeforeMs, notAfterMs } = effect;
  const saw =
    first !== undefined && first.startLoMs >= notBeforeMs && first.startHiMs < notAfterMs
      ? first.startHiMs
      : notAfterMs;
  return moment(notBeforeMs, saw);
}

/** Windows that flap into each other, joined: closer than three intervals or a second. */
function merged(log: RunLog, series: ProbeSeries, windows: readonly BadWindow[]): readonly BadWindow[] {
  const out: BadWindow[] = [];
  for (const window of windows) {
    const last = out.at(-1);
    const gap = last === undefined ? Infinity : middle(window.startLoMs, window.startHiMs) - endOf(last).ms;
    if (last !== undefined && gap < mergeGapMs(intervalAt(log, series.probe, last.endHiMs)))
      out[out.length - 1] = {
        ...window,
        startLoMs: last.startLoMs,
        startHiMs: last.startHiMs,
        firstBadMs: last.firstBadMs,
      };
    else out.push(window);
  }
  return out;
}

/**
 * Whether a recovery held: no bad sample for `stableForMs` after the first proof of
 * up, or the engine, which watched the same samples, said so in between. Where the
 * plan wants it to last until redundancy, only the engine's word counts: its gate
 * came out when redundancy was restored.
 */
function held(
  log: RunLog,
  series: ProbeSeries,
  outage: Pick<BadWindow, 'open' | 'endHiMs'>,
  nextBadMs: number,
): boolean {
  if (outage.open) return false;
  if (log.plan.recovery.until === undefined) {
    const lastOkMs = series.samples.findLast((s) => s.status === 'ok')?.finishMs ?? log.startMs;
    if (Math.min(nextBadMs, lastOkMs) - outage.endHiMs >= log.plan.recovery.stableForMs) return true;
  }
  return log.gates.some(
    (g) => g.gate === 'recovery' && g.state === 'met' && g.t >= outage.endHiMs && g.t <= nextBadMs,
  );
}

/** The window without what lies before a moment. */
function without(window: BadWindow, before: Moment): BadWindow {
  if (window.startLoMs >= before.loMs) return window;
  const startLoMs = before.loMs;
  if (window.state !== 'down') return { ...window, startLoMs, endLoMs: startLoMs };
  return { ...window, startLoMs, startHiMs: Math.max(window.startHiMs, before.hiMs) };
}

/**
 * The probe's `down` windows that reach beyond the moment, each without what lies before it. The total has the `unsure` and
 * `slow` ones, too, and in its upper bound `unseenMs`: the longest outage that fits between two good samples.
 */
export function windowsAfter(
  log: RunLog,
  series: ProbeSeries,
  from: Moment,
): Downtime & { readonly windows: readonly BadWindow[]; readonly unseenMs: number } {
  const all = badWindows(log, series)
    .filter((w) => w.endHiMs > from.loMs)
    .map((w) => without(w, from));
  const { total, slowMs } = downtimeOf(all);
  const unseenMs = longestUnseenMs(log, series, { fromMs: from.loMs, toMs: watchedUntil(log) }, all);
  return {
    windows: all.filter((w) => w.state === 'down'),
    total: withUnseen(total, unseenMs),
    slowMs,
    unseenMs,
  };
}

/**
 * RTO and downtime by the recovery probe; null when no fault took effect.
 *
 * The recovery is the end of the first outage after t0 (windows closer than
 * max(3 intervals, 1 s) are one) that is followed by at least `stableForMs`
 * without a bad sample, and after which no outage begins while a fault still acts (open-faults.ts). Only outages that
 * began before the wait for recovery was over count for the RTO, and a recovery after that is none: then it is null.
 * Without any outage, seen to stay so for `stableForMs`, the RTO is 0 and its upper
 * bound is the longest time without an answer. What else may have put the recovery off reaches into the bounds (rto-bounds.ts).
 */
export function analyseRecovery(log: RunLog): RecoveryAnalysis | null {
  const effectBounds = firstEffect(log);
  if (effectBounds === null) return null;
  const series = recoverySeries(log);
  const all = badWindows(log, series).filter((w) => w.endHiMs > effectBounds.notBeforeMs);
  const windows = all.filter((w) => w.state === 'down');
  const unsure = all.filter((w) => w.state === 'unsure');
  const effect = sharpenEffect(effectBounds, windows[0]);
  const { total: downtime } = windowsAfter(log, series, effect);
  const overMs = waitOverMs(log);
  const time = faultTime(log, overMs);
  const { beginByMs, endByMs, timedUntilMs, untimedUntilMs, lastEffectMs, lastEffectLoMs } = time;
  const facts = {
    log,
    series,
    windows: all,
    beginByMs,
    openUntilMs: Math.max(timedUntilMs, untimedUntilMs),
    lastEffectMs,
    lastEffectLoMs,
    waitOverMs: overMs,
  };
  const outages = merged(
    log,
    series,
    windows.filter((w) => mayCount(w, time)),
  );
  const laterThan = (ms: number) => windows.filter((w) => w.firstBadMs > ms).length;
  const none = {
    effect,
    windows,
    unsure,
    downtime,
    first: null,
    bounds: null,
    again: null,
    laterWindows: laterThan(beginByMs),
  };

  if (outages.length === 0) {
    const whole = { open: false, endHiMs: effect.hiMs };
    if (!held(log, series, whole, windows[0]?.firstBadMs ?? Infinity))
      return { ...none, recovered: null, rto: null, longerThanMs: 0 };
    const bounds = recoveryBounds(facts, effect);
    const unseenMs = longestGapMs(log, series, effect.loMs, Math.min(beginByMs, log.endMs));
    const putOffMs = bounds.putOffBy === null ? 0 : bounds.hiMs - effect.loMs;
    const rto = { ms: 0, minMs: 0, maxMs: roundMs(Math.max(unseenMs, putOffMs)) };
    return { ...none, recovered: effect, rto, bounds, first: rto, longerThanMs: null };
  }

  const final = finalRecovery(
    { joined: outages, raw: windows, held: (outage, nextBadMs) => held(log, series, outage, nextBadMs) },
    effect,
    time,
  );
  const recovered = final?.end;
  const [firstOutage] = outages;
  const firstEnd = firstOutage === undefined ? undefined : endOf(firstOutage);
  const first =
    firstOutage === undefined || firstEnd === undefined || firstOutage.open || firstEnd.ms > endByMs
      ? null
      : measureFrom(effect, {
          ...firstEnd,
          ...firstBounds(facts, firstEnd, mergeGapMs(intervalAt(log, series.probe, firstEnd.hiMs))),
        });
  // A recovery that may have come later than that is not known to have come by itself.
  if (final === undefined || recovered === undefined || recovered.hiMs > endByMs) {
    const last = outages.at(-1);
    const watched = recoveryBounds(
      facts,
      moment(last?.endLoMs ?? log.endMs, last?.endHiMs ?? log.endMs),
    ).loMs;
    // An outage that may have begun with the drill's own steps may be no part of the recovery.
    const isSure = firstOutage === undefined || firstOutage.startHiMs <= beginByMs;
    return {
      ...none,
      first,
      recovered: null,
      rto: null,
      longerThanMs: isSure ? roundMs(Math.max(0, Math.min(endByMs, watched) - effect.hiMs)) : 0,
    };
  }
  const bounds = recoveryBounds(facts, recovered);
  return {
    ...none,
    recovered,
    rto: measureFrom(effect, { ...recovered, ...bounds }),
    bounds,
    first,
    again: final.again,
    longerThanMs: null,
    laterWindows: laterThan(recovered.hiMs),
  };
}
