import { maxOf } from '../core/extremes.ts';
import { roundMs } from '../core/clock.ts';
import type { Condition } from '../core/condition.ts';
import { staleAfterMs } from '../core/freshness.ts';
import type { OwnershipState, Sides } from '../core/plan.ts';
import type { Ownership, OwnershipSide, OwnershipStretch, OwnershipWindow } from '../core/summary.ts';
import { distantPast, type DurationMs, earliest, latest, type RunMs } from '../core/time.ts';
import {
  combine,
  intervalsIn,
  type OwnerTruth,
  ownerTruths,
  provenBy,
  type Range,
  seriesOf,
  totalMs,
  type Tristate,
  truthOfCondition,
  type TristateSpan,
} from './intervals.ts';
import { isSilent } from './kept-samples.ts';
import { type RunLog, wallTime, watchedUntil } from './run-log.ts';
import { middle, moment, type Moment } from './moment.ts';
import { unobservedTruthMs } from './sample-gaps.ts';
import { viewsOf } from './unobserved.ts';

/**
 * The log as a side reads it. A host that did not answer, or whose samples the prober lost, may be an owner or not, however
 * short that time is. The exception: a fault of the drill had taken its power.
 */
export function seenFrom(log: RunLog, side: Condition): RunLog {
  return viewsOf(log, side).asObserved;
}

const stateCounts = { none: { min: 0, max: 0 }, multiple: { min: 2 } } as const;

/**
 * Whether the thing had no owner (`none`) or multiple owners (`multiple`). It is certain only if
 * enough of its hosts are known. `seen` is the log from `seenFrom`.
 */
export function stateTruth(
  seen: RunLog,
  side: Condition,
  state: OwnershipState,
  range: Range,
): readonly TristateSpan[] {
  return provenBy(
    seriesOf(seen, side),
    truthOfCondition(seen, { ...side, count: stateCounts[state] }, range),
  );
}

/**
 * Whether two sides had different owners. It is certain if a host is an owner by one side and not by
 * the other.
 */
export function differenceTruth(
  side: readonly OwnerTruth[],
  other: readonly OwnerTruth[],
  range: Range,
): readonly TristateSpan[] {
  const names = [...new Set([...side, ...other].map((o) => o.name))];
  // A host that a side does not probe is not an owner by that side.
  const never: readonly TristateSpan[] = [{ ...range, truth: 'no' }];
  const spansOf = (owners: readonly OwnerTruth[], name: string) =>
    owners.find((o) => o.name === name)?.spans ?? never;
  const spans = combine(
    [...names.map((n) => spansOf(side, n)), ...names.map((n) => spansOf(other, n))],
    range,
    (truths) => {
      const pairs = names.map((_, i) => [truths[i], truths[names.length + i]] as const);
      if (pairs.some(([a, b]) => a !== 'maybe' && b !== 'maybe' && a !== b)) return 'yes';
      return pairs.some((pair) => pair.includes('maybe')) ? 'maybe' : 'no';
    },
  );
  return provenBy(
    [...side, ...other].map((o) => o.series),
    spans,
  );
}

/** Longest "maybe" that is only the time between two samples with different results, ms. */
function briefMs({ series }: OwnerTruth): DurationMs {
  return staleAfterMs(series) + series.probe.timeoutMs;
}

/** The longest time, ms, for which each host was unknown: it did not answer, or it was sampled too rarely. */
export function blindSpots(
  owners: readonly OwnerTruth[],
): readonly { readonly name: string; readonly ms: DurationMs }[] {
  return owners.flatMap((owner) => {
    const open = owner.spans.filter((s) => s.truth === 'maybe');
    const silent = owner.series.samples.filter(isSilent);
    const blind = open.filter(
      ({ fromMs, toMs }) =>
        toMs - fromMs > briefMs(owner) || silent.some((s) => s.sendMs >= fromMs && s.sendMs < toMs),
    );
    const ms = maxOf(
      blind.map((s) => s.toMs - s.fromMs),
      0,
    );
    return ms > 0 ? [{ name: owner.name, ms }] : [];
  });
}

/** A change of one host between two moments. */
interface OwnerChange {
  readonly loMs: RunMs;
  readonly hiMs: RunMs;
  readonly name: string;
  readonly truth: Tristate;
}

/**
 * A host's changes. A "maybe" between two samples with different results is a change, with its bounds. Any other "maybe" (more
 * samples that disagree, or no sample for too long) is a state that begins and ends at known moments.
 */
function changesOf(owner: OwnerTruth): readonly OwnerChange[] {
  const { name, series, spans } = owner;
  const isChange = (index: number): boolean => {
    const span = spans[index];
    if (span?.truth !== 'maybe' || index === 0 || index === spans.length - 1) return false;
    const inside = series.samples.filter(
      (s) => s.status !== 'unknown' && s.sendMs >= span.fromMs && s.finishMs <= span.toMs,
    );
    return inside.length <= 2 && span.toMs - span.fromMs <= briefMs(owner);
  };
  return spans.flatMap((span, index) => {
    if (index === 0) return [];
    const after = spans[index + 1];
    if (isChange(index) && after !== undefined)
      return [{ loMs: span.fromMs, hiMs: span.toMs, name, truth: after.truth }];
    return isChange(index - 1) ? [] : [{ loMs: span.fromMs, hiMs: span.fromMs, name, truth: span.truth }];
  });
}

/** The truth for each host, by name, in the plan's order. */
type Known = ReadonlyMap<string, Tristate>;

/** A time without changes. Its beginning has bounds. */
interface Stretch {
  readonly loMs: RunMs;
  readonly hiMs: RunMs;
  readonly known: Known;
}

/**
 * The stretches of a side, in order. Changes with overlapping bounds are one change: their order is unknown, so a stretch
 * between them would be invented.
 */
function stretchesOf(owners: readonly OwnerTruth[], range: Range): readonly Stretch[] {
  const groups: { loMs: RunMs; hiMs: RunMs; changes: OwnerChange[] }[] = [];
  for (const change of owners.flatMap(changesOf).sort((a, b) => a.loMs - b.loMs || a.hiMs - b.hiMs)) {
    const open = groups.at(-1);
    if (open !== undefined && (change.loMs < open.hiMs || change.loMs === open.loMs)) {
      open.hiMs = latest(open.hiMs, change.hiMs);
      open.changes.push(change);
    } else {
      groups.push({ loMs: change.loMs, hiMs: change.hiMs, changes: [change] });
    }
  }
  let known: Known = new Map(owners.map((o) => [o.name, o.spans[0]?.truth ?? 'maybe']));
  const stretches: Stretch[] = [{ loMs: range.fromMs, hiMs: range.fromMs, known }];
  for (const { loMs, hiMs, changes } of groups) {
    const after = new Map(known);
    for (const { name, truth } of [...changes].sort((a, b) => a.hiMs - b.hiMs)) after.set(name, truth);
    stretches.push({ loMs, hiMs, known: after });
    known = after;
  }
  return stretches;
}

/** The zero of offsets, and the end of the log. */
interface Frame {
  readonly log: RunLog;
  readonly zeroMs: RunMs;
  readonly endMs: RunMs;
}

function toSummaryStretch(stretch: Stretch, next: Stretch | undefined, frame: Frame): OwnershipStretch {
  const { log, zeroMs, endMs } = frame;
  const from = moment(stretch.loMs, stretch.hiMs);
  const to = moment(next?.loMs ?? endMs, next?.hiMs ?? endMs);
  const named = (truth: Tristate) => [...stretch.known].flatMap(([name, t]) => (t === truth ? [name] : []));
  const offset = (atMs: RunMs) => roundMs(atMs - zeroMs);
  return {
    startAt: wallTime(log, from.ms),
    endAt: next === undefined ? null : wallTime(log, to.ms),
    fromMs: offset(from.ms),
    fromMinMs: offset(from.loMs),
    fromMaxMs: offset(from.hiMs),
    toMs: offset(to.ms),
    toMinMs: offset(to.loMs),
    toMaxMs: offset(to.hiMs),
    owners: named('yes'),
    maybe: named('maybe'),
  };
}

/**
 * The times in which the state held, or may have held by samples. With `unobservedMs` they add up to the
 * bounds of a check.
 */
function windowsIn(spans: readonly TristateSpan[], frame: Frame): readonly OwnershipWindow[] {
  const { log, zeroMs, endMs } = frame;
  return intervalsIn(spans, 'yes').map((i) => {
    const inside = spans.filter((s) => s.fromMs >= i.startLoMs && s.toMs <= i.endHiMs);
    const startMs = middle(i.startLoMs, i.startHiMs);
    const minMs = totalMs(inside, 'yes');
    const maxMs = roundMs(i.maxMs);
    return {
      startAt: wallTime(log, startMs),
      endAt: i.endHiMs >= endMs ? null : wallTime(log, middle(i.endLoMs, i.endHiMs)),
      fromMs: roundMs(startMs - zeroMs),
      ms: middle(minMs, maxMs),
      minMs,
      maxMs,
      certain: i.certain,
    };
  });
}

/** When the steady state before the first fault was met; the run's start if it was not. */
function shownFromMs(log: RunLog): RunMs {
  const issuedMs = log.faults.find((f) => f.issuedMs !== null)?.issuedMs ?? distantPast;
  return (
    log.gates.findLast((g) => g.gate === 'steady' && g.state === 'met' && g.t <= issuedMs)?.t ?? log.startMs
  );
}

/** From the fault's effect to the end of the samples; the whole run if no fault took effect. */
export function judgedRange(log: RunLog, effect: Moment | null): Range {
  const fromMs = effect?.loMs ?? shownFromMs(log);
  return { fromMs, toMs: latest(fromMs, watchedUntil(log)) };
}

/**
 * The owners of each thing that must have exactly one owner, by side. `effect`: null if no fault took
 * effect.
 */
export function analyseOwnership(log: RunLog, effect: Moment | null): readonly Ownership[] {
  const judged = judgedRange(log, effect);
  const shown = { fromMs: earliest(shownFromMs(log), judged.fromMs), toMs: judged.toMs };
  const frame: Frame = { log, zeroMs: effect?.ms ?? log.startMs, endMs: judged.toMs };
  const sideOf = ([side, condition]: [string, Condition]): OwnershipSide => {
    if (seriesOf(log, condition).length === 0) return { side, spans: [], none: [], multiple: [] };
    const seen = seenFrom(log, condition);
    const stretches = stretchesOf(ownerTruths(seen, condition, shown), shown);
    const unobservedMs = (state: OwnershipState): DurationMs =>
      unobservedTruthMs(seen, seriesOf(seen, condition), judged, (view) =>
        stateTruth(view, condition, state, judged),
      );
    return {
      side,
      spans: stretches.map((s, i) => toSummaryStretch(s, stretches[i + 1], frame)),
      none: windowsIn(stateTruth(seen, condition, 'none', judged), frame),
      multiple: windowsIn(stateTruth(seen, condition, 'multiple', judged), frame),
      unobservedMs: { none: unobservedMs('none'), multiple: unobservedMs('multiple') },
    };
  };
  return Object.entries(log.plan.ownership).map(([name, sides]: [string, Sides]) => ({
    name,
    sides: Object.entries(sides).map(sideOf),
  }));
}
