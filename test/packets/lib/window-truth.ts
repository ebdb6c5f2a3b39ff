import { type RunMs, runMs } from '../../../src/core/time.ts';
import { intervalAt, type ProbeSeries, type RunLog } from '../../../src/analysis/run-log.ts';
import { moment, type Moment } from '../../../src/analysis/moment.ts';
import { analyseRecovery, type RecoveryAnalysis, recoverySeries } from '../../../src/analysis/rto.ts';
import { type BadWindow, badWindows, endOf } from '../../../src/analysis/windows.ts';
import type { Outage } from './outages.ts';

/** One edge of a window compared with the packets; ms. */
export interface EdgeTruth {
  /** Time of the edge from packets, on the run clock. For a start: the last time at which packets show the server up. */
  readonly byPacketsMs: number;
  readonly byFiredrillMs: number;
  readonly loMs: number;
  readonly hiMs: number;
  /** The probe's interval at that time. */
  readonly intervalMs: number;
  /** Maximum difference of estimate and packets: the interval, or the duration of the attempt that showed the edge if that is longer, limited to the latency that counts as slow. */
  readonly sharpnessMs: number;
  /** Whether the estimate is within `sharpnessMs` of the packets, or within the time that the packets leave open. */
  readonly isNear: boolean;
  /** Whether the packets' time is within the bounds. */
  readonly isWithin: boolean;
}

/** An outage of the recovery probe, from its window and from packets. */
export interface WindowTruth {
  readonly start: EdgeTruth;
  readonly end: EdgeTruth;
  /** Whether its end is the recovery. */
  readonly recovery: boolean;
}

/** A drill's outages from firedrill and from packets. */
export interface DrillTruth {
  readonly probe: string;
  readonly windows: readonly WindowTruth[];
  /** From the effect (by firedrill) to the recovery that held, ms; null if no window ends with the recovery. */
  readonly rto: {
    readonly byPacketsMs: number;
    readonly byFiredrillMs: number;
    readonly minMs: number;
    readonly maxMs: number;
  } | null;
  /** Disagreements, one sentence each. */
  readonly faults: readonly string[];
}

/** Tolerance at a bound, ms: anchors of wall time have whole milliseconds, and NTP slews the clock. */
const clockMs = 2;
/** Maximum delay of a SYN after the send time of its sample on a busy machine, ms. */
const sendLagMs = 50;

/**
 * Compares the `down` windows of a drill's recovery probe, and its RTO, with the outages in packets at the prober. They agree
 * if all of these hold:
 *
 * - Each window has an outage, and each outage has a window. Exception: all bad attempts of the outage were sent within one
 *   interval, so that the probe's samples may lie before and after it.
 * - The estimate of each edge is within one interval of the packets. The interval is the probe's at that time; if it changes
 *   within the edge's bounds, the longer one. If the first failure or the first answer takes longer than the interval, that
 *   duration is the limit: a service that has just started answers slowly. A start may also lie between the last answer and
 *   the first sign of down. With held answers, these are more than an interval apart, and packets are not more precise.
 * - The bounds of each edge contain the time of the packets.
 * - The RTO differs from that of the packets by no more than the end may, and its bounds contain that of the packets.
 *
 * Multiple outages in one window count as one if the service was up between them for at most one interval.
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
  return { probe: series.probe.id, windows, rto: rto?.reported ?? null, faults };
}

/** An anchor's wall time is cut to whole milliseconds and read before its `t`, so every anchor is early and the latest is the most exact. */
function toRunClock({ anchors }: RunLog, outage: Outage): Outage<RunMs> {
  const aheadMs = Math.max(...anchors.map(({ wallMs, t }) => wallMs - t));
  const offset = (wallMs: number): RunMs => runMs(wallMs - aheadMs);
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
 * Whether an outage belongs to a window, by its bad attempts: the times before and after them may touch the next outage. An
 * attempt after the probe's own good answer does not belong to it.
 */
function isOf({ firstBadMs, lastBadMs }: Outage<RunMs>, window: BadWindow): boolean {
  const asked = Math.min(window.lastBadMs + sendLagMs, window.endHiMs);
  return firstBadMs <= asked && lastBadMs >= window.firstBadMs - clockMs;
}

/** Up times between the outages of one window that are longer than an interval, so the probe should have found them. */
function upBetween(outages: readonly Outage<RunMs>[], intervalMs: number): readonly string[] {
  return outages.slice(1).flatMap(({ fromMs }, index) => {
    const upMs = outages[index]?.toMs ?? fromMs;
    return fromMs - upMs > intervalMs ? [`up again by packets from ${seconds(upMs)}`] : [];
  });
}

/** An edge from packets. */
interface ShownEdge {
  readonly byPacketsMs: number;
  /** Latest possible time of the edge. */
  readonly untilMs: number;
  /** Duration of the attempt that showed the edge; it counts only up to the latency that the probe calls slow. */
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
  const reported = `${name} at ${seconds(byFiredrillMs)}, by packets at ${seconds(byPacketsMs)}`;
  const bounds = `${seconds(loMs)} to ${seconds(hiMs)}`;
  return [
    ...(isNear ? [] : [`${reported}: more than ${Math.round(sharpnessMs)} ms apart, in bounds of ${bounds}`]),
    ...(isWithin ? [] : [`${reported}: not within ${bounds}`]),
  ];
}

/** `end`: the end of the window that ends with the recovery. */
function rtoTruth({ effect, rto }: RecoveryAnalysis, end: EdgeTruth) {
  if (rto === null) return null;
  const byPacketsMs = end.byPacketsMs - effect.ms;
  const earliestMs = Math.max(0, end.byPacketsMs - effect.hiMs);
  const latestMs = end.byPacketsMs - effect.loMs;
  const reported = `RTO ${seconds(rto.ms)}, by packets ${seconds(byPacketsMs)}`;
  const isNear = Math.abs(rto.ms - byPacketsMs) <= end.sharpnessMs;
  const isWithin = earliestMs >= rto.minMs - clockMs && latestMs <= rto.maxMs + clockMs;
  return {
    reported: { byPacketsMs, byFiredrillMs: rto.ms, minMs: rto.minMs, maxMs: rto.maxMs },
    faults: [
      ...(isNear ? [] : [`${reported}: more than ${Math.round(end.sharpnessMs)} ms apart`]),
      ...(isWithin ? [] : [`${reported}: not within ${seconds(rto.minMs)} to ${seconds(rto.maxMs)}`]),
    ],
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}
