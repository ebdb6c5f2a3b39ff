import { roundMs } from '../core/clock.ts';
import { type Condition, countHolds, sampleMatches } from '../core/condition.ts';
import type { StageEnd } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import type { Stage } from '../core/summary.ts';
import { seriesOf, staleAfterMs } from './intervals.ts';
import { type ProbeSeries, type RunLog, wallTime } from './read-log.ts';
import type { RecoveryAnalysis } from './rto.ts';

/** The name of time between t0 and the recovery that no rule accounts for. */
export const unattributed = 'unattributed';

/** A stage on the run clock, ms. */
export interface StageSpan {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Rules before this one whose end was not seen: their time is in here. */
  readonly includes: readonly string[];
}

/** When something was first seen, and the latest look before that did not see it. ms. */
interface Milestone {
  readonly seenMs: number;
  readonly notBeforeMs: number;
}

interface Look {
  readonly series: ProbeSeries;
  readonly sample: Sample;
}

/**
 * First moment at or after `fromMs` at which a condition is seen to hold.
 *
 * Only samples sent at or after `sinceMs` (t0) count: what was seen before the
 * fault says nothing about the recovery. The condition is first asked when each
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
  const latest = new Map<ProbeSeries, Sample>();
  for (const [index, { series, sample }] of looks.entries()) {
    const known = latest.get(series);
    if (known === undefined || known.sendMs < sample.sendMs) latest.set(series, sample);
    const nowMs = sample.finishMs;
    const fresh = (s: ProbeSeries, latestSample: Sample) => nowMs - latestSample.sendMs <= staleAfterMs(s);
    const ready = instances.every((s) => latest.has(s) || nowMs - sinceMs > staleAfterMs(s));
    const matching = [...latest].filter(([s, x]) => fresh(s, x) && sampleMatches(condition, x)).length;
    if (!ready || !countHolds(condition, matching, instances.length)) continue;
    if (nowMs >= fromMs) return { seenMs: nowMs, notBeforeMs: known?.sendMs ?? nowMs };
    // It holds already: if the next look comes after `fromMs`, it held at `fromMs`.
    const next = looks[index + 1];
    if (next === undefined || next.sample.finishMs >= fromMs) return { seenMs: fromMs, notBeforeMs: fromMs };
  }
  return undefined;
}

function milestoneOf(
  log: RunLog,
  end: StageEnd,
  recovery: RecoveryAnalysis,
  fromMs: number,
): Milestone | undefined {
  const faultHost = log.faults.find((f) => f.effect !== null)?.host ?? null;
  switch (end.kind) {
    case 'recovered':
      return recovery.recovered === null
        ? undefined
        : { seenMs: recovery.recovered.ms, notBeforeMs: recovery.recovered.ms };
    case 'condition': {
      const instances = seriesOf(log, end.condition).filter(
        (s) => !end.excludeFaultHost || s.probe.host === undefined || s.probe.host !== faultHost,
      );
      return instances.length === 0
        ? undefined
        : firstHeld(instances, end.condition, recovery.effect.ms, fromMs);
    }
    case 'mark': {
      // Stamped by another clock: between the effect's earliest moment and its estimate still is "after".
      const after = fromMs <= recovery.effect.ms ? recovery.effect.loMs : fromMs;
      const mark = log.marks.find((m) => {
        const series = log.series.get(m.probe);
        const host = m.host ?? series?.probe.host;
        return (
          m.name === end.mark &&
          (m.probe === end.probe || series?.probe.name === end.probe) &&
          m.atMs >= after &&
          !(end.excludeFaultHost && host !== undefined && host === faultHost)
        );
      });
      if (mark === undefined) return undefined;
      return { seenMs: Math.max(mark.atMs, fromMs), notBeforeMs: Math.max(mark.atMs, fromMs) };
    }
  }
}

/**
 * Splits the time from t0 to the recovery (both as estimated) along the plan's
 * rules. The stages touch, start at t0, end at the recovery, and sum to the RTO.
 *
 * - A stage ends at its milestone: the first moment, at or after the end of the
 *   stage before, at which its condition was seen to hold (finish of the sample that
 *   showed it) or its mark is stamped. One that holds already ends its stage at
 *   once, with 0 ms.
 * - A milestone never seen, or only after the recovery, ends nothing: its rule
 *   makes no stage. Its time is in the next stage that does end, which lists the
 *   rule in `includes`. A look that straddles the recovery (the look before it did
 *   not show it yet, and was sent before the recovery) counts as at the recovery.
 * - Time after the last milestone up to the recovery is `unattributed`. With a last
 *   rule `recovered` there is none.
 *
 * Empty when no recovery was seen or nothing broke.
 */
export function stagesOf(log: RunLog, recovery: RecoveryAnalysis | null): readonly StageSpan[] {
  if (recovery?.recovered == null || recovery.rto === null || recovery.rto.ms === 0) return [];
  const endMs = recovery.recovered.ms;
  let cursor = recovery.effect.ms;
  let unseen: string[] = [];
  const stages: StageSpan[] = [];
  for (const rule of log.plan.stages) {
    const milestone = milestoneOf(log, rule.until, recovery, cursor);
    if (milestone === undefined || (milestone.seenMs > endMs && milestone.notBeforeMs >= endMs)) {
      unseen.push(rule.name);
      continue;
    }
    const toMs = roundMs(Math.min(milestone.seenMs, endMs));
    stages.push({ name: rule.name, fromMs: cursor, toMs, includes: unseen });
    unseen = [];
    cursor = toMs;
  }
  if (cursor < endMs) stages.push({ name: unattributed, fromMs: cursor, toMs: endMs, includes: unseen });
  return stages;
}

/** The stages as summary.json shows them. */
export function toSummaryStages(log: RunLog, stages: readonly StageSpan[]): readonly Stage[] {
  return stages.map((s) => ({
    name: s.name,
    startAt: wallTime(log, s.fromMs),
    endAt: wallTime(log, s.toMs),
    ms: roundMs(s.toMs - s.fromMs),
    includes: s.includes,
  }));
}

/** The stage that took longest, the first of equals; undefined of none. */
export function dominantStage<S extends { readonly ms: number }>(stages: readonly S[]): S | undefined {
  return stages.reduce<S | undefined>((max, s) => (max === undefined || s.ms > max.ms ? s : max), undefined);
}
