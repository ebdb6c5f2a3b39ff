import { roundMs } from '../core/clock.ts';
import { DrillError } from '../core/errors.ts';
import type { Measure } from '../core/summary.ts';
import { distantFuture, distantPast, type DurationMs, earliest, latest, type RunMs } from '../core/time.ts';
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
} from './run-log.ts';
import { firstBounds, longestGapMs, measureFrom, recoveryBounds, type RecoveryBounds } from './rto-bounds.ts';
import { longestUnobservedMs, withUnobserved } from './sample-gaps.ts';
import { type BadWindow, badWindows, endOf } from './windows.ts';

/** How the service recovered after the fault, by the recovery probe. Offsets and durations in ms. */
export interface RecoveryAnalysis {
  /** t0: when the first fault took effect. */
  readonly effect: Moment;
  /** `down` windows of the recovery probe after t0, not merged. */
  readonly windows: readonly BadWindow[];
  /** `uncertain` windows after t0: possible outages. They count in the upper bounds of downtime and RTO. */
  readonly uncertain: readonly BadWindow[];
  /**
   * Sum of the windows, without the part before t0. Its upper bound includes the `slow` windows, because a slow answer proves
   * neither up nor down, and the longest outage that fits between two good samples.
   */
  readonly downtime: Measure;
  /** End of the recovery that held; null if there was none. Equal to t0 if there was no outage. */
  readonly recovered: Moment | null;
  /** Time from t0 to the recovery that held, with the bounds of `bounds`. */
  readonly rto: Measure | null;
  /** The bounds of the recovery by other windows and by gaps between samples; null without a recovery. */
  readonly bounds: RecoveryBounds | null;
  /** Time from t0 to the first sign of recovery, whether it held or not. */
  readonly first: Measure | null;
  /** Lower bound without a recovery. */
  readonly longerThanMs: DurationMs | null;
  /** When the outage of this recovery began, if an earlier recovery had held; null otherwise. */
  readonly again: Moment | null;
  /** Windows after the recovery that held. They count in the downtime, not in the RTO. */
  readonly laterWindows: number;
}

/**
 * Two outages closer than this count as one for the RTO (flapping): 1 s or three samples, whichever is
 * longer.
 */
function mergeGapMs(intervalMs: DurationMs): DurationMs {
  return Math.max(3 * intervalMs, 1000);
}

/**
 * The recovery probe's only instance; with `onFaultHost`, the instance on the host of the plan's first fault. Throws
 * DrillError `invalid-input` if there is not exactly one.
 */
export function recoverySeries(log: RunLog): ProbeSeries {
  const { probe, onFaultHost = false } = log.plan.recovery;
  const host = log.faults.find((f) => f.id === log.plan.faults[0]?.id)?.host;
  const series = [...log.series.values()].filter(
    (s) => s.probe.name === probe && (!onFaultHost || s.probe.host === host),
  );
  const [only] = series;
  if (only === undefined || series.length > 1)
    throw new DrillError(
      'invalid-input',
      `the recovery probe "${probe}" has ${series.length} instances in the log's plan; it needs exactly one`,
    );
  return only;
}

/** The effect of the first fault that took effect. */
function firstEffect(log: RunLog): EffectBounds | null {
  const effects = log.faults.flatMap((f) => (f.effect === null ? [] : [f.effect]));
  return effects.reduce<EffectBounds | null>(
    (first, e) => (first === null || e.notBeforeMs < first.notBeforeMs ? e : first),
    null,
  );
}

function healStarts(faults: readonly FaultRecord[]): readonly RunMs[] {
  return faults.flatMap((f) => (f.healStartedMs === null ? [] : [f.healStartedMs]));
}

/** When the return began: the first heal after the last fault was injected; null if no fault was healed. */
export function returnBeganMs(log: RunLog): RunMs | null {
  const issuedMs = Math.max(...log.faults.map((f) => f.issuedMs ?? distantPast));
  const starts = healStarts(log.faults).filter((ms) => ms >= issuedMs);
  return starts.length === 0 ? null : earliest(...starts);
}

/**
 * When the wait for the recovery was over: the recovery gate ended, or the heal began that ends the drill. A later outage is not
 * part of this recovery, and a later recovery was not automatic. The heal of a fault with a duration does not end the wait.
 */
export function waitOverMs(log: RunLog): RunMs {
  const gate = log.gates.find((g) => g.gate === 'recovery')?.t ?? distantFuture;
  const phase = log.phases.find((p) => p.phase === 'heal')?.t ?? distantFuture;
  const timed = timedFaults(log);
  return earliest(gate, phase, ...healStarts(log.faults.filter((f) => !timed.has(f.id))));
}

/**
 * The bounds of t0. The recovery probe's first outage may narrow them: it must certainly begin after the fault was issued, and a
 * sample must show it before the effect was confirmed. That sample then gives the upper bound.
 */
function sharpenEffect(effect: EffectBounds, first: BadWindow | undefined): Moment {
  const { notBeforeMs, notAfterMs } = effect;
  const saw =
    first !== undefined && first.startLoMs >= notBeforeMs && first.startHiMs < notAfterMs
      ? first.startHiMs
      : notAfterMs;
  return moment(notBeforeMs, saw);
}

/** Joins windows that flap into each other: closer than three intervals, or than 1 s. */
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
 * Whether a recovery held: there was no bad sample for `stableForMs` after the first proof of up, or the engine reported it
 * meanwhile from the same samples. If the plan's recovery lasts until redundancy, only the engine's gate event counts: it is
 * written when redundancy is restored.
 */
function held(
  log: RunLog,
  series: ProbeSeries,
  outage: Pick<BadWindow, 'open' | 'endHiMs'>,
  nextBadMs: RunMs,
): boolean {
  if (outage.open) return false;
  if (log.plan.recovery.until === undefined) {
    const lastOkMs = series.samples.findLast((s) => s.status === 'ok')?.finishMs ?? log.startMs;
    if (earliest(nextBadMs, lastOkMs) - outage.endHiMs >= log.plan.recovery.stableForMs) return true;
  }
  return log.gates.some(
    (g) => g.gate === 'recovery' && g.state === 'met' && g.t >= outage.endHiMs && g.t <= nextBadMs,
  );
}

/** The window without the part before a moment. */
function without(window: BadWindow, before: Moment): BadWindow {
  if (window.startLoMs >= before.loMs) return window;
  const startLoMs = before.loMs;
  if (window.state !== 'down') return { ...window, startLoMs, endLoMs: startLoMs };
  return { ...window, startLoMs, startHiMs: latest(window.startHiMs, before.hiMs) };
}

/** Windows of every state, in order of time, and the longest outage that fits between two good samples, ms. */
export interface Outages {
  readonly windows: readonly BadWindow[];
  readonly unobservedMs: DurationMs;
}

/** The windows that end after the moment, each without the part before it. `toMs`: the end of the observed time. */
export function outagesAfter(
  log: RunLog,
  series: ProbeSeries,
  from: Moment,
  toMs = watchedUntil(log),
): Outages {
  const windows = badWindows(log, series)
    .filter((w) => w.endHiMs > from.loMs)
    .map((w) => without(w, from));
  const unobservedMs = longestUnobservedMs(log, series, { fromMs: from.loMs, toMs }, windows);
  return { windows, unobservedMs };
}

/**
 * The probe's `down` windows that end after the moment, each without the part before it. The total also includes the `uncertain`
 * and `slow` windows. Its upper bound includes `unobservedMs`: the longest outage that fits between two good samples.
 */
export function windowsAfter(
  log: RunLog,
  series: ProbeSeries,
  from: Moment,
): Downtime & { readonly windows: readonly BadWindow[]; readonly unobservedMs: DurationMs } {
  const { windows: all, unobservedMs } = outagesAfter(log, series, from);
  const { total, slowMs } = downtimeOf(all);
  return {
    windows: all.filter((w) => w.state === 'down'),
    total: withUnobserved(total, unobservedMs),
    slowMs,
    unobservedMs,
  };
}

/**
 * RTO and downtime by the recovery probe; null if no fault took effect.
 *
 * The recovery is the end of the first outage after t0 that is followed by at least `stableForMs` without a bad sample. Windows
 * closer than max(3 intervals, 1 s) count as one. No outage may begin afterwards while a fault still acts (open-faults.ts). Only
 * outages that began before the wait for the recovery was over count for the RTO. A recovery after the wait does not count: the
 * RTO is null then.
 *
 * Without an outage for `stableForMs`, the RTO is 0, and its upper bound is the longest time without an answer. Anything else
 * that may have delayed the recovery widens the bounds (rto-bounds.ts).
 */
export function analyseRecovery(log: RunLog): RecoveryAnalysis | null {
  const effectBounds = firstEffect(log);
  if (effectBounds === null) return null;
  const series = recoverySeries(log);
  const all = badWindows(log, series).filter((w) => w.endHiMs > effectBounds.notBeforeMs);
  return recoveryFrom(
    log,
    series,
    sharpenEffect(
      effectBounds,
      all.find((w) => w.state === 'down'),
    ),
  );
}

/** The recovery of a probe, or of another client of the stack, from a moment of the fault's effect on. */
export function recoveryFrom(log: RunLog, series: ProbeSeries, effect: Moment): RecoveryAnalysis {
  const all = badWindows(log, series).filter((w) => w.endHiMs > effect.loMs);
  const windows = all.filter((w) => w.state === 'down');
  const uncertain = all.filter((w) => w.state === 'uncertain');
  const { total: downtime } = windowsAfter(log, series, effect);
  const overMs = waitOverMs(log);
  const time = faultTime(log, overMs);
  const { beginByMs, endByMs, timedUntilMs, untimedUntilMs, lastEffectMs, lastEffectLoMs } = time;
  const facts = {
    log,
    series,
    windows: all,
    beginByMs,
    openUntilMs: latest(timedUntilMs, untimedUntilMs),
    lastEffectMs,
    lastEffectLoMs,
    waitOverMs: overMs,
  };
  const outages = merged(
    log,
    series,
    windows.filter((w) => mayCount(w, time)),
  );
  const laterThan = (atMs: RunMs) => windows.filter((w) => w.firstBadMs > atMs).length;
  const none = {
    effect,
    windows,
    uncertain,
    downtime,
    first: null,
    bounds: null,
    again: null,
    laterWindows: laterThan(beginByMs),
  };

  if (outages.length === 0) {
    const whole = { open: false, endHiMs: effect.hiMs };
    if (!held(log, series, whole, windows[0]?.firstBadMs ?? distantFuture))
      return { ...none, recovered: null, rto: null, longerThanMs: 0 };
    const bounds = recoveryBounds(facts, effect);
    const unobservedMs = longestGapMs(log, series, effect.loMs, earliest(beginByMs, log.endMs));
    const putOffMs = bounds.putOffBy === null ? 0 : bounds.hiMs - effect.loMs;
    const rto = { ms: 0, minMs: 0, maxMs: roundMs(Math.max(unobservedMs, putOffMs)) };
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
  // A recovery that may be later than `endByMs` may not have been automatic.
  if (final === undefined || recovered === undefined || recovered.hiMs > endByMs) {
    const last = outages.at(-1);
    const watched = recoveryBounds(
      facts,
      moment(last?.endLoMs ?? log.endMs, last?.endHiMs ?? log.endMs),
    ).loMs;
    // An outage that may have begun with the drill's own steps may not be part of the recovery.
    const isSure = firstOutage === undefined || firstOutage.startHiMs <= beginByMs;
    return {
      ...none,
      first,
      recovered: null,
      rto: null,
      longerThanMs: isSure ? roundMs(Math.max(0, earliest(endByMs, watched) - effect.hiMs)) : 0,
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
