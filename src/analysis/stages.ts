import { roundMs } from '../core/clock.ts';
import type { StageRule } from '../core/plan.ts';
import type { Predicted, Stage, Summary } from '../core/summary.ts';
import { type DurationMs, later, latest, type RunMs } from '../core/time.ts';
import {
  type ChainPrediction,
  predictChain,
  predictRecovery,
  type RecoveryPrediction,
} from '../model/chain.ts';
import type { HealAnalysis } from './heal.ts';
import { type ChainRange, type Occurrence, type Milestone, milestoneOf } from './milestones.ts';
import { type RunLog, wallTime } from './run-log.ts';
import type { Moment } from './moment.ts';
import type { RecoveryAnalysis } from './rto.ts';

/** The name of time that belongs to no rule. */
export const notAttributed = 'not attributed';

/** A stage on the run clock, ms. */
export interface StageSpan {
  readonly name: string;
  readonly fromMs: RunMs;
  readonly toMs: RunMs;
  /** Bounds of its duration. */
  readonly minMs: DurationMs;
  readonly maxMs: DurationMs;
  /** Rules before this one whose end was not observed. If they ended, this stage contains their time. */
  readonly includes: readonly string[];
  /** The predicted duration, including `includes`; absent if one of these rules has no prediction. */
  readonly predicted?: Predicted;
}

/**
 * The time that is split into stages: from t0 to the recovery, or from the begin of the heal to
 * restored redundancy.
 */
interface Chain extends ChainRange {
  /**
   * When the outage of the recovery began, if an earlier recovery had held. The time before belongs to
   * another outage.
   */
  readonly again: Moment | null;
}

/** The end of one rule's stage. */
interface Ended {
  readonly index: number;
  readonly end: Moment;
}

/** The observed ends of a chain's rules, by rule index. */
interface Milestones {
  /** In order of time. */
  readonly ended: readonly Ended[];
  /** Rules whose end was not observed. Rules whose condition already held are in neither list. */
  readonly unobserved: ReadonlySet<number>;
}

/**
 * The happening that ends a stage if the rules end in their order: the first one after the previous stage's end, or one whose
 * condition already holds then. If the rules do not end in their order, the first of all.
 */
function ending({ occurrences }: Milestone, cursorMs: RunMs): Occurrence | undefined {
  return (
    occurrences.findLast((h) => h.ms <= cursorMs && h.untilMs > cursorMs) ??
    occurrences.find((h) => h.ms >= cursorMs) ??
    occurrences[0]
  );
}

/** When each rule's stage ended, except for rules that end with the recovery. */
function milestonesOf(log: RunLog, rules: readonly StageRule[], chain: Chain): Milestones {
  const faultHost = faultHostOf(log);
  const ended: Ended[] = [];
  const unobserved = new Set<number>();
  let cursorMs = (chain.again ?? chain.from).ms;
  for (const [index, { until }] of rules.entries()) {
    if (until.kind === 'recovered') continue;
    const milestone = milestoneOf(log, until, chain, faultHost);
    const end = ending(milestone, cursorMs);
    if (end !== undefined) {
      ended.push({ index, end: { ...end, ms: roundMs(end.ms) } });
      cursorMs = latest(cursorMs, end.ms);
    } else if (!milestone.heldBefore) unobserved.add(index);
  }
  return { ended: ended.sort((a, b) => a.end.ms - b.end.ms || a.index - b.index), unobserved };
}

/**
 * The rules that end with the chain. Their stage is listed only if its beginning is known: the chain's beginning, or the end of
 * the stage before it.
 */
function lastOf(
  rules: readonly StageRule[],
  chain: Chain,
  { ended, unobserved }: Milestones,
): readonly Ended[] {
  const sinceMs = (chain.again ?? chain.from).ms;
  return rules.flatMap(({ until }, index) => {
    if (until.kind !== 'recovered') return [];
    const before = rules.findLastIndex(
      (_, i) => i < index && (unobserved.has(i) || ended.some((e) => e.index === i)),
    );
    const isKnown = index === 0 || ended.some((e) => e.index === before && e.end.ms >= sinceMs);
    return isKnown ? [{ index, end: chain.to }] : [];
  });
}

/**
 * Splits a chain (between its estimated ends) along rules. The stages touch, begin at the chain's beginning, end at its end, and
 * add up to its duration.
 *
 * - A stage ends when its condition comes to hold, or at its mark. The estimate is the middle of the bounds: from the last
 *   sample without it to the first sample with it. Stages are in the order of their ends.
 * - A condition that held before the chain began, and did not cease, makes no stage.
 * - A rule whose end was not observed, or only after the chain's end, makes no stage. The next stage in the order of the rules
 *   lists it in `includes`. A change between two samples around the chain's end counts as at the end.
 * - Time that belongs to no rule is `not attributed`: up to the end of the chain, or up to the outage of the recovery if an
 *   earlier outage had been recovered from.
 */
function split(
  log: RunLog,
  rules: readonly StageRule[],
  chain: Chain,
  prediction: ChainPrediction,
): readonly StageSpan[] {
  const { from, to, again } = chain;
  const milestones = milestonesOf(log, rules, chain);
  const left = [...milestones.unobserved];
  const stages: StageSpan[] = [];
  let cursor = from;
  const add = (name: string, end: Moment, includes: readonly number[], predicted?: Predicted): void => {
    const minMs = roundMs(Math.max(0, end.loMs - cursor.hiMs));
    stages.push({
      name,
      fromMs: cursor.ms,
      toMs: end.ms,
      minMs,
      maxMs: roundMs(Math.max(minMs, end.hiMs - cursor.loMs)),
      includes: includes.flatMap((i) => rules[i]?.name ?? []),
      ...(predicted === undefined ? {} : { predicted }),
    });
    cursor = end;
  };
  let done = -1;
  for (const { index, end } of [...milestones.ended, ...lastOf(rules, chain, milestones)]) {
    if (again !== null && cursor.ms < again.ms && end.ms >= again.ms) add(notAttributed, again, []);
    const includes = left.splice(0, left.findLastIndex((i) => i < index) + 1);
    const predicted = again === null ? predictedOf(prediction, done, includes, index) : undefined;
    add(rules[index]?.name ?? '', end, includes, predicted);
    done = index > done ? index : rules.length;
  }
  if (cursor.ms < to.ms) add(notAttributed, to, left);
  return stages;
}

/**
 * The prediction of a stage with its `includes`, if the stages before it are in the order of the rules. `done`: the rule that
 * ended last.
 */
function predictedOf(
  prediction: ChainPrediction,
  done: number,
  includes: readonly number[],
  index: number,
): Predicted | undefined {
  const first = index - includes.length;
  const isWhole = includes.every((i, at) => i === first + at);
  return index > done && isWhole ? prediction.span(first, index) : undefined;
}

/** The host of the first fault that took effect. */
function faultHostOf(log: RunLog): string | null {
  return log.faults.find((f) => f.effect !== null)?.host ?? null;
}

/** The prediction of the recovery after a fault on the fault's host. */
function predictionOf(log: RunLog): RecoveryPrediction {
  return predictRecovery(log.plan, faultHostOf(log) ?? undefined);
}

/** The prediction of the RTO and the time to redundancy, as in summary.json; empty without models. */
export function wholePredicted(log: RunLog): Pick<Summary, 'predicted'> {
  const { rto, redundancy } = predictionOf(log);
  if (rto === undefined && redundancy === undefined) return {};
  return {
    predicted: { ...(rto === undefined ? {} : { rto }), ...(redundancy === undefined ? {} : { redundancy }) },
  };
}

/**
 * The stages of the recovery, from t0. They add up to the RTO. Empty without a recovery or without an
 * outage.
 */
export function stagesOf(log: RunLog, recovery: RecoveryAnalysis | null): readonly StageSpan[] {
  if (recovery?.recovered == null || recovery.rto === null || recovery.rto.ms === 0) return [];
  const { chain } = predictionOf(log);
  const { effect: from, recovered: to, again } = recovery;
  return split(log, log.plan.stages, { from, to, again }, chain);
}

/**
 * The stages of the return, from the begin of the heal. They add up to it. Empty without rules, or if
 * redundancy was never lost or not restored.
 */
export function returnStagesOf(log: RunLog, heal: HealAnalysis | null): readonly StageSpan[] {
  const rules = log.plan.returnStages;
  if (heal?.return.state !== 'restored' || heal.return.after.ms === 0 || rules.length === 0) return [];
  const { after } = heal.return;
  const to = {
    loMs: roundMs(later(heal.began.ms, after.minMs)),
    hiMs: roundMs(later(heal.began.ms, after.maxMs)),
    ms: roundMs(later(heal.began.ms, after.ms)),
  };
  const chain = { from: heal.began, to, again: null };
  return split(log, rules, chain, predictChain(log.plan.models, rules, faultHostOf(log) ?? undefined));
}

/** The stages as in summary.json. */
export function toSummaryStages(log: RunLog, stages: readonly StageSpan[]): readonly Stage[] {
  return stages.map((s) => ({
    name: s.name,
    startAt: wallTime(log, s.fromMs),
    endAt: wallTime(log, s.toMs),
    ms: roundMs(s.toMs - s.fromMs),
    minMs: s.minMs,
    maxMs: s.maxMs,
    includes: s.includes,
    ...(s.predicted === undefined ? {} : { predicted: s.predicted }),
  }));
}

/** The longest stage, the first one of equals; undefined without stages. */
export function dominantStage<S extends { readonly ms: DurationMs }>(stages: readonly S[]): S | undefined {
  return stages.reduce<S | undefined>((max, s) => (max === undefined || s.ms > max.ms ? s : max), undefined);
}
