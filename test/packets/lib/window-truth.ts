import { intervalAt, type ProbeSeries, type RunLog } from '../../../src/analysis/read-log.ts';
import { moment, type Moment } from '../../../src/analysis/moment.ts';
import { analyseRecovery, type RecoveryAnalysis, recoverySeries } from '../../../src/analysis/rto.ts';
import { type BadWindow, badWindows, endOf } from '../../../src/analysis/windows.ts';
import type { Outage } from './outages.ts';

/** One edge of a window beside the packets; ms. */
export interface EdgeTruth {
  /** On the run clock; of a start, the last moment at which packets show the server up. */
  readonly byPacketsMs: number;
  readonly byFiredrillMs: number;
  readonly loMs: number;
  readonly hiMs: number;
  /** Between two looks of the probe then. */
  readonly intervalMs: number;
  /** What the estimate may be away from the packets: the interval, or what the look took that showed the edge if that was longer; never a late answer's time. */
  readonly sharpnessMs: number;
  /** The estimate is no further from the packets than `sharpnessMs`, or in a time in which they do not tell where the edge was. */
  readonly isNear: boolean;
  /** The packets are within the bounds. */
  readonly isWithin: boolean;
}

/** An outage of the recovery probe, by its window and by packets. */
export interface WindowTruth {
  readonly start: EdgeTruth;
  readonly end: EdgeTruth;
  /** It is the one whose end is the recovery. */
  readonly recovery: boolean;
}

/** A drill's outages by firedrill and by packets. */
export interface DrillTruth {
  readonly probe: string;
  readonly windows: readonly WindowTruth[];
  /** To the recovery that held, from the effect as firedrill saw it; ms. null without a window that ended in it. */
  readonly rto: {
    readonly byPacketsMs: number;
    readonly byFiredrillMs: number;
    readonly minMs: number;
    readonly maxMs: number;
  } | null;
  /** Where the two disagree, one sentence each. */
  readonly faults: readonly string[];
}

/** What clocks may differ by at a bound, ms: anchors of wall time have whole milliseconds, and NTP slews. */
const clockMs = 2;
/** How long after a look is sent its SYN may be on the wire, ms: on a busy machine. */
const sendLagMs = 50;

/**
 * Holds the `down` windows of a drill's recovery probe, and its RTO, against the outages
 * that packets at the prober's own place show. They agree when
 *
 * - each window has an outage, and each outage a window, but for one whose bad looks were
 *   all sent within one interval: the probe may have looked before and after it;
 * - the estimate of each edge is within one interval of the packets (the probe's interval
 *   at that moment, the longer one where it changes within the edge's bounds; what the first failure,
 *   or the first answer, took where that is longer: a service that has just started answers slowly),
 *   or, for a start, between the last answer and the first sign of down: where the answers to looks
 *   in between were held up these are more than an interval apart, and packets tell no more;
 * - the bounds of each edge contain the packets;
 * - the RTO to the recovery is as near to that by packets as its end, and its bounds contain that.
 *
 * Several outages in one window are one, if what was answered between them was answered
 * within one interval.
 */
export function windowTruth(log: RunLog, outages: readonly Outage[]): DrillTruth {
  const series = recoverySeries(log);
  const recovery = analyseRecovery(log);
  const onRunClock = outages.map((outage) => toRunClock(log, outage));
  const left = new Set(onRunClock);
  const faults: string[] = [];
  const windows: WindowTruth[] = [];
  for (const window of badWindows(log, series)) {
    if (window.state !== 'down') continue;
    const its = onRunClock.filter((outage) => isOf(outage, window));
    for (const outage of its) left.delete(outage);
    const label = `window from ${seconds(window.firstBadMs)}`;
    const [first] = its;
    const last = its.at(-1);
    if (first === undefined || last === undefined) {
      faults.push(`${label}: no outage by packets`);
      continue;
    }
    const { startLoMs, startHiMs, endLoMs, endHiMs } = window;
    faults.push(...upBetween(its, intervalAt(log, series.probe, startLoMs)).map((up) => `${label}: ${up}`));
    const failedMs = startHiMs - window.firstBadMs;
    const start = edgeTruth(log, series, moment(startLoMs, startHiMs), {
      byPacketsMs: first.fromMs,
      untilMs: first.downByMs,
      tookMs: failedMs,
    });
    const end = edgeTruth(log, series, endOf(window), {
      byPacketsMs: last.toMs,
      untilMs: last.toMs,
      tookMs: last.answerTookMs,
    });
    faults.push(...edgeFaults(`${label}: start`, start), ...edgeFaults(`${label}: end`, end));
    const { loMs, hiMs } = recovery?.recovered ?? { loMs: NaN, hiMs: NaN };
    windows.push({ start, end, recovery: endLoMs === loMs && endHiMs === hiMs });
  }
  for (const { fromMs, firstBadMs, lastBadMs } of left)
    if (lastBadMs - firstBadMs > intervalAt(log, series.probe, fromMs))
      faults.push(`no window: an outage by packets from ${seconds(fromMs)}`);

  const end = windows.find((window) => window.recovery)?.end;
  const rto = end === undefined || recovery === null ? null : rtoTruth(recovery, end);
  if (rto !== null) faults.push(...rto.faults);
  return { probe: series.probe.id, windows, rto: rto?.told ?? null, faults };
}

/** An anchor's wall time is cut to whole milliseconds, and read before its `t`: each is early, and the latest one is nearest. */
function toRunClock({ anchors }: RunLog, outage: Outage): Outage {
  const aheadMs = Math.max(...anchors.map(({ wallMs, t }) => wallMs - t));
  const offset = (wallMs: number): number => wallMs - aheadMs;
  return {
    fromMs: offset(outage.fromMs),
    downByMs: offset(outage.downByMs),
    toMs: offset(outage.toMs),
    answerTookMs: outage.answerTookMs,
    firstBadMs: offset(outage.firstBadMs),
    lastBadMs: offset(outage.lastBadMs),
  };
}

/**
 * By the looks that were bad: what comes before and after them may touch the next outage. What was asked after the probe
 * itself had been answered again is not this one.
 */
function isOf({ firstBadMs, lastBadMs }: Outage, window: BadWindow): boolean {
  const asked = Math.min(window.lastBadMs + sendLagMs, window.endHiMs);
  return firstBadMs <= asked && lastBadMs >= window.firstBadMs - clockMs;
}

/** Times between the outages of one window that the probe should have seen. */
function upBetween(outages: readonly Outage[], intervalMs: number): readonly string[] {
  return outages.slice(1).flatMap(({ fromMs }, index) => {
    const upMs = outages[index]?.toMs ?? fromMs;
    return fromMs - upMs > intervalMs ? [`up again by packets from ${seconds(upMs)}`] : [];
  });
}

/** An edge as packets show it. */
interface ShownEdge {
  readonly byPacketsMs: number;
  /** It may have been as late as this. */
  readonly untilMs: number;
  /** What the look took that showed the edge; where that is longer than the probe calls late, it is no excuse. */
  readonly tookMs: number;
}

function edgeTruth(
  log: RunLog,
  { probe, latency }: ProbeSeries,
  { loMs, hiMs, ms: byFiredrillMs }: Moment,
  { byPacketsMs, untilMs, tookMs }: ShownEdge,
): EdgeTruth {
  const intervalMs = Math.max(intervalAt(log, probe, loMs), intervalAt(log, probe, hiMs));
  const sharpnessMs = Math.max(intervalMs, Math.min(tookMs, latency.slowMs));
  const isBetween = byFiredrillMs >= byPacketsMs && byFiredrillMs <= untilMs;
  const isNear = isBetween || Math.abs(byFiredrillMs - byPacketsMs) <= sharpnessMs;
  const isWithin = byPacketsMs >= loMs - clockMs && byPacketsMs <= hiMs + clockMs;
  return { byPacketsMs, byFiredrillMs, loMs, hiMs, intervalMs, sharpnessMs, isNear, isWithin };
}

function edgeFaults(name: string, edge: EdgeTruth): readonly string[] {
  const { byPacketsMs, byFiredrillMs, loMs, hiMs, sharpnessMs, isNear, isWithin } = edge;
  const told = `${name} at ${seconds(byFiredrillMs)}, by packets at ${seconds(byPacketsMs)}`;
  const bounds = `${seconds(loMs)} to ${seconds(hiMs)}`;
  return [
    ...(isNear ? [] : [`${told}: more than ${Math.round(sharpnessMs)} ms apart, in bounds of ${bounds}`]),
    ...(isWithin ? [] : [`${told}: not within ${bounds}`]),
  ];
}

/** `end`: of the window whose end is the recovery. */
function rtoTruth({ effect, rto }: RecoveryAnalysis, end: EdgeTruth) {
  if (rto === null) return null;
  const byPacketsMs = end.byPacketsMs - effect.ms;
  const earliestMs = Math.max(0, end.byPacketsMs - effect.hiMs);
  const latestMs = end.byPacketsMs - effect.loMs;
  const told = `RTO ${seconds(rto.ms)}, by packets ${seconds(byPacketsMs)}`;
  const isNear = Math.abs(rto.ms - byPacketsMs) <= end.sharpnessMs;
  const isWithin = earliestMs >= rto.minMs - clockMs && latestMs <= rto.maxMs + clockMs;
  return {
    told: { byPacketsMs, byFiredrillMs: rto.ms, minMs: rto.minMs, maxMs: rto.maxMs },
    faults: [
      ...(isNear ? [] : [`${told}: more than ${Math.round(end.sharpnessMs)} ms apart`]),
      ...(isWithin ? [] : [`${told}: not within ${seconds(rto.minMs)} to ${seconds(rto.maxMs)}`]),
    ],
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}
