import { durationText } from '../core/format-duration.ts';
import type { DurationMs } from '../core/time.ts';
import type { Moment } from './moment.ts';
import {
  intervalsIn,
  type OwnerTruth,
  ownerTruths,
  seriesOf,
  totalMs,
  type TristateSpan,
} from './intervals.ts';
import { type Sampling, samplingOf, unobservedTruthMs, withUnobserved } from './sample-gaps.ts';
import { boundedBySamples, neverText } from './gap-outcome.ts';
import {
  type CheckOf,
  type Evidence,
  limitsText,
  type Outcome,
  undrilled,
  unfinishedText,
  unmeasured,
} from './outcome.ts';
import { blindSpots, differenceTruth, judgedRange, seenFrom, stateTruth } from './ownership.ts';
import type { RunLog } from './run-log.ts';
import { middle } from './moment.ts';
import { listText } from './format.ts';

/** The truth that the check sums up, and the hosts that it was sampled on. */
interface OwnershipView {
  readonly spans: readonly TristateSpan[];
  readonly owners: readonly OwnerTruth[];
  /** How much longer it may have been true between two samples, ms. */
  readonly unobservedMs: DurationMs;
  readonly sampling: Sampling;
}

type OwnershipCheck = CheckOf<'ownership'>;

/** The measured time, as the subject of a sentence. */
function subjectOf(check: OwnershipCheck): string {
  const { of, side } = check;
  return 'state' in check
    ? `the time for which ${of} was ${side} by ${check.state === 'none' ? 'no host' : 'multiple hosts'}`
    : `the time for which the owners of ${of} as ${side} differed from the owners as ${check.differsFrom}`;
}

/** undefined: the plan lacks the ownership, or the side, or a probe for it. */
function viewOf(log: RunLog, check: OwnershipCheck, effect: Moment): OwnershipView | undefined {
  const range = judgedRange(log, effect);
  const names = 'state' in check ? [check.side] : [check.side, check.differsFrom];
  const sides = names.flatMap((name) => {
    const condition = log.plan.ownership[check.of]?.[name];
    return condition === undefined || seriesOf(log, condition).length === 0 ? [] : [condition];
  });
  const [side, other] = sides;
  if (side === undefined || sides.length < names.length) return undefined;
  const seen = sides.reduce(seenFrom, log);
  const truthIn = (view: RunLog): readonly TristateSpan[] =>
    'state' in check || other === undefined
      ? stateTruth(view, side, 'state' in check ? check.state : 'none', range)
      : differenceTruth(ownerTruths(view, side, range), ownerTruths(view, other, range), range);
  const instances = [...new Set(sides.flatMap((condition) => seriesOf(seen, condition)))];
  return {
    spans: truthIn(seen),
    owners: sides.flatMap((condition) => ownerTruths(seen, condition, range)),
    unobservedMs: unobservedTruthMs(seen, instances, range, truthIn),
    sampling: samplingOf(instances, range),
  };
}

/**
 * Judges the total time after the fault for which a thing had no owner, multiple owners, or different owners by two sides.
 * Unknown time counts in the upper bound only.
 */
export function ownershipCheck(check: OwnershipCheck, { log, recovery }: Evidence): Outcome {
  const limit = limitsText(check);
  if (recovery === null) return undrilled(limit);
  const what = subjectOf(check);
  const view = viewOf(log, check, recovery.effect);
  if (view === undefined)
    return unmeasured('not in the plan', limit, `${what} was not measured: the plan has no probe for it`);
  const minMs = totalMs(view.spans, 'yes');
  const maxMs = totalMs(view.spans, 'yes', 'maybe');
  const unfinished = unfinishedText(log, false);
  const { unobservedMs, sampling } = view;
  const outcome = boundedBySamples(
    {
      what,
      measure: withUnobserved({ ms: middle(minMs, maxMs), minMs, maxMs }, unobservedMs),
      unobservedMs,
      sampling,
      intervalMs: Math.max(0, ...view.owners.map((o) => o.series.probe.intervalMs)),
      edges: Math.max(1, 2 * intervalsIn(view.spans, 'yes').length),
      ...(unfinished === undefined ? {} : { unfinished }),
    },
    check,
  );
  const observed = minMs === 0 && unfinished === undefined ? rarelyText(maxMs, view) : outcome.observed;
  const blind = blindSpots(view.owners).map(({ name, ms }) => `${name} was unknown for ${durationText(ms)}`);
  return outcome.status === 'inconclusive' && blind.length > 0
    ? {
        ...outcome,
        observed,
        reason: `${what} was ${outcome.observed}; the limit is ${limit}, and ${listText(blind)}`,
      }
    : { ...outcome, observed };
}

/** The observed value if no part of the time is certain. `maxMs`: the uncertain time by samples. */
function rarelyText(maxMs: DurationMs, { unobservedMs, sampling }: OwnershipView): string {
  return maxMs === 0 ? neverText(sampling) : `uncertain, up to ${durationText(maxMs + unobservedMs)} in all`;
}
