import type { Moment } from './rto.ts';
import { intervalsIn, type OwnerTruth, ownerTruths, seriesOf, totalMs, type TruthSpan } from './intervals.ts';
import {
  bounded,
  type CheckOf,
  type Evidence,
  limitsWords,
  type Outcome,
  undrilled,
  unfinishedWords,
  unmeasured,
} from './outcome.ts';
import { blindSpots, differenceTruth, judgedRange, seenFrom, stateTruth } from './ownership.ts';
import type { RunLog } from './read-log.ts';
import { middle } from './windows.ts';
import { durationWords, listWords } from './words.ts';

/** What the check counts the time of, and the hosts by which it was seen. */
interface Sight {
  readonly spans: readonly TruthSpan[];
  readonly owners: readonly OwnerTruth[];
}

type OwnershipCheck = CheckOf<'ownership'>;

/** The time for which, as the subject of a sentence. */
function subjectOf(check: OwnershipCheck): string {
  const { of, side } = check;
  return 'state' in check
    ? `the time for which ${of} was ${side} by ${check.state}`
    : `the time for which the owners of ${of} as ${side} were others than those as ${check.differsFrom}`;
}

/** undefined: the plan does not have the thing, or not the side, or no probe for it. */
function sightOf(log: RunLog, check: OwnershipCheck, effect: Moment): Sight | undefined {
  const range = judgedRange(log, effect);
  const look = (name: string) => {
    const condition = log.plan.ownership[check.of]?.[name];
    if (condition === undefined || seriesOf(log, condition).length === 0) return undefined;
    const seen = seenFrom(log, condition);
    return { seen, condition, owners: ownerTruths(seen, condition, range) };
  };
  const side = look(check.side);
  if (side === undefined) return undefined;
  if ('state' in check)
    return { spans: stateTruth(side.seen, side.condition, check.state, range), owners: side.owners };
  const other = look(check.differsFrom);
  return other === undefined
    ? undefined
    : {
        spans: differenceTruth(side.owners, other.owners, range),
        owners: [...side.owners, ...other.owners],
      };
}

/**
 * The total time after the fault for which a thing had no owner, or several, or other
 * owners from one side than from another. What could not be seen makes the upper bound.
 */
export function ownershipCheck(check: OwnershipCheck, { log, recovery }: Evidence): Outcome {
  const limit = limitsWords(check);
  if (recovery === null) return undrilled(limit);
  const what = subjectOf(check);
  const sight = sightOf(log, check, recovery.effect);
  if (sight === undefined)
    return unmeasured('not in the plan', limit, `${what} is nothing that the plan has probes for`);
  const minMs = totalMs(sight.spans, 'yes');
  const maxMs = totalMs(sight.spans, 'yes', 'maybe');
  const unfinished = unfinishedWords(log, false);
  const outcome = bounded(
    {
      what,
      measure: { ms: middle(minMs, maxMs), minMs, maxMs },
      intervalMs: Math.max(0, ...sight.owners.map((o) => o.series.probe.intervalMs)),
      edges: Math.max(1, 2 * intervalsIn(sight.spans, 'yes').length),
      ...(unfinished === undefined ? {} : { unfinished }),
    },
    check,
  );
  const observed = minMs === 0 && unfinished === undefined ? rarelyWords(maxMs) : outcome.observed;
  const blind = blindSpots(sight.owners).map(
    ({ name, ms }) => `${name} could not be seen for ${durationWords(ms)}`,
  );
  return outcome.status === 'inconclusive' && blind.length > 0
    ? {
        ...outcome,
        observed,
        reason: `${what} was ${outcome.observed}; the limit is ${limit}, and ${listWords(blind)}`,
      }
    : { ...outcome, observed };
}

/** A time of which no part is certain. */
function rarelyWords(maxMs: number): string {
  return maxMs === 0 ? 'never' : `never surely, for up to ${durationWords(maxMs)} in all`;
}
