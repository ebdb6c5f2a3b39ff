import { roundMs } from '../core/clock.ts';
import { type Condition, countHolds, sampleTruth } from '../core/condition.ts';
import type { StageEnd, StageRule } from '../core/plan.ts';
import type { Predicted, Stage, Summary } from '../core/summary.ts';
import {
  type ChainPrediction,
  predictChain,
  predictRecovery,
  type RecoveryPrediction,
} from '../model/chain.ts';
import { seriesOf } from './intervals.ts';
import { type KeptSample, lastSaidMs, staleAfterMs } from './kept-samples.ts';
import { type ProbeSeries, type RunLog, wallTime } from './read-log.ts';
import type { HealAnalysis } from './heal.ts';
import type { Moment, RecoveryAnalysis } from './rto.ts';

/** The name of time up to the end of a chain that no rule accounts for. */
export const unattributed = 'unattributed';

/** A stage on the run clock, ms. */
export interface StageSpan {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Rules before this one whose end was not seen: their time is in here. */
  readonly includes: readonly string[];
  /** What the settings say it should take, included rules and all; absent where that is not known of each of them. */
  readonly predicted?: Predicted;
}

/** What is split into stages: from t0 to the recovery, or from the beginning of the heal to restored redundancy. */
interface Chain {
  readonly from: Moment;
  readonly toMs: number;
}

/** When something was first seen, and the latest look before that did not see it. ms. */
interface Milestone {
  readonly seenMs: number;
  readonly notBeforeMs: number;
}

interface Look {
  readonly series: ProbeSeries;
  readonly sample: KeptSample;
}

/**
 * First moment at or after `fromMs` at which a condition is seen to hold.
 *
 * Only samples sent at or after `sinceMs` (the chain's beginning) count: what was
 * seen before the fault says nothing about the recovery. The condition is first asked when each
 * instance has been looked at since then, or has not answered for so long that it
 * counts as silent.
 */
function firstHeld(
  instances: readonly ProbeSeries[],
  condition: Condition,
  sinceMs: number,
  fromMs: number,
): Milestone | undefined {
  const looks: Look[] = instances
    .flatMap((series) => series.samples.map((sample) => ({ series, sample })))
    .filter((l) => l.sample.sendMs >= sinceMs)
    .sort((a, b) => a.sample.finishMs - b.sample.finishMs);
  const latest = new Map<ProbeSeries, KeptSample>();
  for (const [index, { series, sample }] of looks.entries()) {
    const known = latest.get(series);
    if (known === undefined || known.sendMs < sample.sendMs) latest.set(series, sample);
    const nowMs = sample.finishMs;
    const fresh = (s: ProbeSeries, said: KeptSample) => nowMs - lastSaidMs(said) <= staleAfterMs(s);
    const ready = instances.every((s) => latest.has(s) || nowMs - sinceMs > staleAfterMs(s));
    const matching = [...latest].filter(
      ([s, x]) => fresh(s, x) && sampleTruth(condition, s.probe, x) === 'yes',
    ).length;
    if (!ready || !countHolds(condition, matching, instances.length)) continue;
    if (nowMs >= fromMs) return { seenMs: nowMs, notBeforeMs: known?.sendMs ?? nowMs };
    // It holds already: if the next look comes after `fromMs`, it held at `fromMs`.
    const next = looks[index + 1];
    if (next === undefined || next.sample.finishMs >= fromMs) return { seenMs: fromMs, notBeforeMs: fromMs };
  }
  return undefined;
}

function milestoneOf(log: RunLog, end: StageEnd, chain: Chain, fromMs: number): Milestone | undefined {
  if (end.kind === 'recovered') return { seenMs: chain.toMs, notBeforeMs: chain.toMs };
  const faultHost = faultHostOf(log);
  const counts = (host: string | undefined) =>
    !(end.excludeFaultHost && host !== undefined && host === faultHost) &&
    !(end.onlyFaultHost === true && host !== faultHost);
  if (end.kind === 'condition') {
    const instances = seriesOf(log, end.condition).filter((s) => counts(s.probe.host));
    return instances.length === 0 ? undefined : firstHeld(instances, end.condition, chain.from.ms, fromMs);
  }
  const marks = log.marks.filter((m) => {
    const series = log.series.get(m.probe);
    return (
      m.name === end.mark &&
      (m.probe === end.probe || series?.probe.name === end.probe) &&
      // Stamped by another clock: between the beginning's earliest moment and its estimate still is "after".
      m.atMs >= chain.from.loMs &&
      counts(m.host ?? series?.probe.host)
    );
  });
  const next = marks.find((m) => m.atMs >= fromMs && m.atMs <= chain.toMs);
  const before = marks.some((m) => m.atMs < fromMs);
  const seenMs = next?.atMs ?? (before ? fromMs : marks[0]?.atMs);
  return seenMs === undefined ? undefined : { seenMs, notBeforeMs: seenMs };
}

/**
 * Splits a chain (its ends as estimated) along rules. The stages touch, start at the
 * chain's beginning, end at its end, and sum to its duration.
 *
 * - A stage ends at its milestone: the first moment, at or after the end of the
 *   stage before, at which its condition was seen to hold (finish of the sample that
 *   showed it) or its mark is stamped. One that holds already, or was stamped since
 *   the chain's beginning and is not stamped again, ends its stage at once, with 0 ms.
 * - A milestone never seen, or only after the chain's end, ends nothing: its rule
 *   makes no stage. Its time is in the next stage that does end, which lists the
 *   rule in `includes`. A look that straddles the end (the look before it did not
 *   show it yet, and was sent before the end) counts as at the end.
 * - Time after the last milestone up to the end is `unattributed`. With a last rule
 *   `recovered` there is none.
 */
function split(
  log: RunLog,
  rules: readonly StageRule[],
  chain: Chain,
  prediction: ChainPrediction,
): readonly StageSpan[] {
  const endMs = chain.toMs;
  let cursor = chain.from.ms;
  let unseen: StageRule[] = [];
  const stages: StageSpan[] = [];
  for (const [index, rule] of rules.entries()) {
    const milestone = milestoneOf(log, rule.until, chain, cursor);
    if (milestone === undefined || (milestone.seenMs > endMs && milestone.notBeforeMs >= endMs)) {
      unseen.push(rule);
      continue;
    }
    const toMs = roundMs(Math.min(milestone.seenMs, endMs));
    const predicted = prediction.span(index - unseen.length, index);
    stages.push({
      name: rule.name,
      fromMs: cursor,
      toMs,
      includes: unseen.map((r) => r.name),
      ...(predicted === undefined ? {} : { predicted }),
    });
    unseen = [];
    cursor = toMs;
  }
  if (cursor < endMs)
    stages.push({
      name: unattributed,
      fromMs: cursor,
      toMs: endMs,
      includes: unseen.map((r) => r.name),
    });
  return stages;
}

/** The host of the first fault that took effect. */
function faultHostOf(log: RunLog): string | null {
  return log.faults.find((f) => f.effect !== null)?.host ?? null;
}

/** What the models say of the recovery, after a fault of the host that was hit. */
function predictionOf(log: RunLog): RecoveryPrediction {
  return predictRecovery(log.plan, faultHostOf(log) ?? undefined);
}

/** What the models say of the whole, as summary.json shows it; nothing where they say nothing. */
export function wholePredicted(log: RunLog): Pick<Summary, 'predicted'> {
  const { rto, redundancy } = predictionOf(log);
  if (rto === undefined && redundancy === undefined) return {};
  return {
    predicted: { ...(rto === undefined ? {} : { rto }), ...(redundancy === undefined ? {} : { redundancy }) },
  };
}

/** The stages of the recovery, from t0 on; they sum to the RTO. Empty when no recovery was seen or nothing broke. */
export function stagesOf(log: RunLog, recovery: RecoveryAnalysis | null): readonly StageSpan[] {
  if (recovery?.recovered == null || recovery.rto === null || recovery.rto.ms === 0) return [];
  const { chain } = predictionOf(log);
  return split(log, log.plan.stages, { from: recovery.effect, toMs: recovery.recovered.ms }, chain);
}

/** The stages of the return, from the beginning of the heal on; they sum to it. Empty without rules, or when redundancy was never lost or not seen again. */
export function returnStagesOf(log: RunLog, heal: HealAnalysis | null): readonly StageSpan[] {
  const rules = log.plan.returnStages;
  if (heal?.return.state !== 'restored' || heal.return.after.ms === 0 || rules.length === 0) return [];
  const chain = { from: heal.began, toMs: roundMs(heal.began.ms + heal.return.after.ms) };
  return split(log, rules, chain, predictChain(log.plan.models, rules, faultHostOf(log) ?? undefined));
}

/** The stages as summary.json shows them. */
export function toSummaryStages(log: RunLog, stages: readonly StageSpan[]): readonly Stage[] {
  return stages.map((s) => ({
    name: s.name,
    startAt: wallTime(log, s.fromMs),
    endAt: wallTime(log, s.toMs),
    ms: roundMs(s.toMs - s.fromMs),
    includes: s.includes,
    ...(s.predicted === undefined ? {} : { predicted: s.predicted }),
  }));
}

/** The stage that took longest, the first of equals; undefined of none. */
export function dominantStage<S extends { readonly ms: number }>(stages: readonly S[]): S | undefined {
  return stages.reduce<S | undefined>((max, s) => (max === undefined || s.ms > max.ms ? s : max), undefined);
}
