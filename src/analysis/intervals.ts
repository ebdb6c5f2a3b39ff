import { roundMs } from '../core/clock.ts';
import {
  allOf,
  companionOf,
  type Condition,
  countHolds,
  countTruth,
  type GateCondition,
  instancesOf,
  sampleTruth,
  type Tristate,
  type ValuePart,
} from '../core/condition.ts';
import { isFresh, staleAfterMs } from '../core/freshness.ts';
import type { HostName } from '../core/ids.ts';
import { isPathFailure, isSilent, type KeptSample, lastAnswerMs } from './kept-samples.ts';
import type { ProbeSeries, RunLog } from './run-log.ts';
import { distantFuture, type DurationMs, earliest, later, latest, type RunMs, runMs } from '../core/time.ts';

/** A range of the run clock, ms. */
export interface Range {
  readonly fromMs: RunMs;
  readonly toMs: RunMs;
}

export type { Tristate };

/** A range with one truth value. In a list, spans touch, and neighbors have different values. */
export interface TristateSpan extends Range {
  readonly truth: Tristate;
}

/** An interval in which a condition held (or did not hold), with the bounds of its edges. Offsets in ms. */
export interface ConditionInterval {
  readonly startLoMs: RunMs;
  readonly startHiMs: RunMs;
  readonly endLoMs: RunMs;
  readonly endHiMs: RunMs;
  /**
   * It held at least this long without a break. 0 if it was sampled at single moments only, or never for
   * certain.
   */
  readonly minMs: DurationMs;
  readonly maxMs: DurationMs;
  /** False: it may have held between samples, but no sample proves it. */
  readonly certain: boolean;
}

/** The owners of a role during a range. */
export interface OwnershipSpan extends Range {
  /** Certain owners. Two or more: dual owners. */
  readonly owners: readonly HostName[];
  /**
   * Uncertain owners: between two samples, or not sampled. If this and `owners` are empty, there is no
   * owner.
   */
  readonly maybe: readonly HostName[];
}

/** The series of the instances of a condition's probe. */
export function seriesOf(log: RunLog, condition: Condition): readonly ProbeSeries[] {
  const instances = instancesOf(
    condition,
    [...log.series.values()].map((s) => s.probe),
  );
  return [...log.series.values()].filter((s) => instances.includes(s.probe));
}

type OwnerTristate = TristateSpan;

/**
 * The votes of one instance. A vote covers the time from a known sample's sending to the next one's finish. It is "yes" or
 * "no" if both samples agree, and "maybe" if they differ or if the first was stale before the second was sent. Votes overlap
 * by one sample. Where they disagree, the truth is "maybe": this gives each change the bounds [last sending, next finish].
 *
 * A sample without an answer, or without a value for the condition, leaves the state open from the last known sample to the
 * next one, however short that time is. A sample that the prober lost (`unknown`) is treated as not sent.
 */
function votesOf(series: ProbeSeries, part: ValuePart, untilMs: RunMs): readonly OwnerTristate[] {
  const stale = staleAfterMs(series);
  const truthOf = (s: KeptSample): Tristate => (isSilent(s) ? 'maybe' : sampleTruth(part, series.probe, s));
  const isOpen = (s: KeptSample | undefined): boolean =>
    s !== undefined && truthOf(s) === 'maybe' && (s.status !== 'unknown' || isSilent(s));
  const { known, open } = knownAmong(series.samples, (s) => truthOf(s) !== 'maybe', isOpen);
  const votes: OwnerTristate[] = [];
  for (const [index, sample] of known.entries()) {
    const truth = truthOf(sample);
    const next = known[index + 1];
    if (next === undefined) {
      const toMs = earliest(untilMs, later(lastAnswerMs(sample), stale));
      votes.push({ fromMs: sample.sendMs, toMs, truth: open.has(sample) ? 'maybe' : truth });
    } else if (open.has(sample) || next.sendMs - lastAnswerMs(sample) > stale) {
      votes.push({ fromMs: sample.sendMs, toMs: next.finishMs, truth: 'maybe' });
    } else {
      const same = truthOf(next) === truth;
      votes.push({ fromMs: sample.sendMs, toMs: next.finishMs, truth: same ? truth : 'maybe' });
    }
  }
  return votes;
}

/**
 * The samples with a known truth, and those of them that are followed by a sample that leaves the
 * state open.
 */
function knownAmong(
  samples: readonly KeptSample[],
  isKnown: (s: KeptSample) => boolean,
  isOpen: (s: KeptSample) => boolean,
): { readonly known: readonly KeptSample[]; readonly open: ReadonlySet<KeptSample> } {
  const known: KeptSample[] = [];
  const open = new Set<KeptSample>();
  for (const sample of samples) {
    const last = known.at(-1);
    if (isKnown(sample)) known.push(sample);
    else if (last !== undefined && isOpen(sample)) open.add(last);
  }
  return { known, open };
}

/** The truth of one instance over the range: "maybe" where there is no vote. */
function truthOf(votes: readonly OwnerTristate[], range: Range): readonly TristateSpan[] {
  const edges = new Set([range.fromMs, range.toMs]);
  const opens = new Map<number, Tristate[]>();
  const closes = new Map<number, Tristate[]>();
  for (const ownership of votes) {
    const fromMs = latest(ownership.fromMs, range.fromMs);
    const toMs = earliest(ownership.toMs, range.toMs);
    if (fromMs >= toMs) continue;
    edges.add(fromMs);
    edges.add(toMs);
    opens.set(fromMs, [...(opens.get(fromMs) ?? []), ownership.truth]);
    closes.set(toMs, [...(closes.get(toMs) ?? []), ownership.truth]);
  }
  const count = { yes: 0, no: 0, maybe: 0 };
  return spansBetween(edges, (fromMs) => {
    for (const truth of closes.get(fromMs) ?? []) count[truth]--;
    for (const truth of opens.get(fromMs) ?? []) count[truth]++;
    if (count.maybe > 0 || count.yes > 0 === count.no > 0) return 'maybe';
    return count.yes > 0 ? 'yes' : 'no';
  });
}

/**
 * Spans between the edges; neighbors with the same truth are joined. `at` is called once per edge, in
 * order.
 */
function spansBetween(edges: ReadonlySet<RunMs>, at: (fromMs: RunMs) => Tristate): readonly TristateSpan[] {
  const sorted = [...edges].sort((a, b) => a - b);
  const spans: { fromMs: RunMs; toMs: RunMs; truth: Tristate }[] = [];
  for (const [index, fromMs] of sorted.entries()) {
    const toMs = sorted[index + 1];
    if (toMs === undefined) break;
    const truth = at(fromMs);
    const last = spans.at(-1);
    if (last?.truth === truth) last.toMs = toMs;
    else spans.push({ fromMs, toMs, truth });
  }
  return spans;
}

/** Total time of the spans with one of these values, ms. */
export function totalMs(spans: readonly TristateSpan[], ...truths: readonly Tristate[]): DurationMs {
  return roundMs(spans.reduce((sum, s) => sum + (truths.includes(s.truth) ? s.toMs - s.fromMs : 0), 0));
}

/** Combines lists of spans over one range: `decide` gets each list's truth at each moment. */
export function combine(
  lists: readonly (readonly TristateSpan[])[],
  range: Range,
  decide: (truths: readonly Tristate[]) => Tristate,
): readonly TristateSpan[] {
  const edges = new Set([range.fromMs, range.toMs]);
  for (const list of lists) for (const span of list) edges.add(span.fromMs);
  const cursors = lists.map(() => 0);
  return spansBetween(edges, (fromMs) =>
    decide(
      lists.map((list, index) => {
        let cursor = cursors[index] ?? 0;
        while ((list[cursor]?.toMs ?? distantFuture) <= fromMs) cursor++;
        cursors[index] = cursor;
        return list[cursor]?.truth ?? 'maybe';
      }),
    ),
  );
}

/** The series of another probe for the same host as this one's. */
function companionSeries(log: RunLog, series: ProbeSeries, part: ValuePart): ProbeSeries | undefined {
  const probes = [...log.series.values()].map((s) => s.probe);
  const companion = companionOf(series.probe, part, probes);
  return companion === undefined ? undefined : log.series.get(companion.id);
}

/** The truth of one instance over the range: by its own samples, and by those of the condition's `and`. */
function matchTruth(
  log: RunLog,
  series: ProbeSeries,
  condition: Condition,
  range: Range,
): readonly TristateSpan[] {
  const own = truthOf(votesOf(series, condition, range.toMs), range);
  const { and = [] } = condition;
  if (and.length === 0) return own;
  const others = and.map((part): readonly TristateSpan[] => {
    const companion = companionSeries(log, series, part);
    if (companion === undefined) return [{ ...range, truth: 'maybe' }];
    return truthOf(votesOf(companion, part, range.toMs), range);
  });
  return combine([own, ...others], range, allOf);
}

/**
 * Whether a condition holds, where `matches[i]` says whether instance i matches and `asked[i]` whether it counts at all (it has
 * the condition's role). Tries all combinations of the uncertain values, by their counts.
 */
function decideCount(
  condition: Condition,
  asked: readonly Tristate[],
  matches: readonly Tristate[],
): Tristate {
  let counts = new Map([['0/0', { matching: 0, total: 0 }]]);
  for (const [index, match] of matches.entries()) {
    const next = new Map<string, { matching: number; total: number }>();
    const put = (matching: number, total: number) => next.set(`${matching}/${total}`, { matching, total });
    for (const { matching, total } of counts.values()) {
      if (asked[index] !== 'yes') put(matching, total);
      if (asked[index] === 'no') continue;
      if (match !== 'no') put(matching + 1, total + 1);
      if (match !== 'yes') put(matching, total + 1);
    }
    counts = next;
  }
  const answers = [...counts.values()].map(({ matching, total }) => countHolds(condition, matching, total));
  return answers.every(Boolean) ? 'yes' : answers.some(Boolean) ? 'maybe' : 'no';
}

/**
 * Whether a condition held, over the range. A probe without samples gives "maybe". With `role`, only instances on hosts that
 * have the role at that moment count.
 */
export function truthOfCondition(
  log: RunLog,
  condition: GateCondition,
  range: Range,
): readonly TristateSpan[] {
  const series = seriesOf(log, condition);
  const role = condition.role === undefined ? undefined : log.plan.roles[condition.role];
  const holders = role === undefined ? [] : seriesOf(log, role);
  const lists = series.map((s) => matchTruth(log, s, condition, range));
  const askedLists = series.map((s): readonly TristateSpan[] => {
    if (role === undefined) return [{ ...range, truth: 'yes' }];
    const holder = holders.find((h) => h.probe.host !== undefined && h.probe.host === s.probe.host);
    return holder === undefined ? [{ ...range, truth: 'no' }] : matchTruth(log, holder, role, range);
  });
  return combine([...lists, ...askedLists], range, (truths) =>
    decideCount(condition, truths.slice(lists.length), truths.slice(0, lists.length)),
  );
}

/** Whether all of the conditions held, over the range. */
export function truthOfAll(
  log: RunLog,
  conditions: readonly GateCondition[],
  range: Range,
): readonly TristateSpan[] {
  const lists = conditions.map((c) => truthOfCondition(log, c, range));
  return combine(lists, range, allOf);
}

/**
 * Turns "yes" after the last sample of any instance into "maybe": it is an assumption there, and no lower bound may depend on
 * it. "no" stays; a condition that may have held after the last sample counts as unobserved (sample-gaps.ts).
 */
export function provenBy(
  instances: readonly ProbeSeries[],
  spans: readonly TristateSpan[],
): readonly TristateSpan[] {
  const sampleTimes = instances.flatMap(({ samples }) => {
    const last = samples.findLast((s) => s.status !== 'unknown' && !isSilent(s));
    return last === undefined ? [] : [lastAnswerMs(last)];
  });
  const untilMs = earliest(distantFuture, ...sampleTimes);
  return joined(
    spans.flatMap((span): readonly TristateSpan[] => {
      if (span.truth !== 'yes' || span.toMs <= untilMs) return [span];
      const openMs = latest(span.fromMs, untilMs);
      const open: TristateSpan = { fromMs: openMs, toMs: span.toMs, truth: 'maybe' };
      return openMs > span.fromMs ? [{ ...span, toMs: openMs }, open] : [open];
    }),
  );
}

/** Joins neighbors with the same truth. */
function joined(spans: readonly TristateSpan[]): readonly TristateSpan[] {
  const out: TristateSpan[] = [];
  for (const span of spans) {
    const last = out.at(-1);
    if (last?.truth === span.truth) out[out.length - 1] = { ...last, toMs: span.toMs };
    else out.push(span);
  }
  return out;
}

/** The intervals of truth `requested`, each with the uncertain time around it. */
export function intervalsIn(
  spans: readonly TristateSpan[],
  requested: 'yes' | 'no',
): readonly ConditionInterval[] {
  const against: Tristate = requested === 'yes' ? 'no' : 'yes';
  const groups: TristateSpan[][] = [];
  let open: TristateSpan[] | undefined;
  for (const span of spans) {
    if (span.truth === against) {
      open = undefined;
      continue;
    }
    if (open === undefined) groups.push((open = []));
    open.push(span);
  }
  return groups.map((group) => {
    const sure = group.filter((s) => s.truth === requested);
    const startLoMs = group[0]?.fromMs ?? runMs(0);
    const endHiMs = group.at(-1)?.toMs ?? runMs(0);
    return {
      startLoMs,
      startHiMs: sure[0]?.fromMs ?? endHiMs,
      endLoMs: sure.at(-1)?.toMs ?? startLoMs,
      endHiMs,
      minMs: sure.reduce((max, s) => Math.max(max, s.toMs - s.fromMs), 0),
      maxMs: endHiMs - startLoMs,
      certain: sure.length > 0,
    };
  });
}

/**
 * The intervals of the range in which the condition held.
 *
 * With one instance, one matching sample proves that the condition held at that moment. With more instances, samples are of
 * different moments, so only times in which all instances are known prove it.
 *
 * A failed sample has no value (`sampleTruth`). With `is`, it leaves the condition open, unless the probe's `onFailure`
 * declares a state for the failure's cause.
 */
export function intervalsOf(log: RunLog, condition: Condition, range: Range): readonly ConditionInterval[] {
  const series = seriesOf(log, condition);
  const found = intervalsIn(provenBy(series, truthOfCondition(log, condition, range)), 'yes');
  const [only] = series;
  if (only === undefined || series.length > 1 || condition.and !== undefined) return found;
  const seen = only.samples.filter((s) => {
    const truth = sampleTruth(condition, only.probe, s);
    return truth !== 'maybe' && s.sendMs >= range.fromMs && countHolds(condition, truth === 'yes' ? 1 : 0, 1);
  });
  return found.map((i) =>
    i.certain ? i : { ...i, certain: seen.some((s) => s.sendMs >= i.startLoMs && s.finishMs <= i.endHiMs) },
  );
}

/** The name of an instance as an owner: its host, or its id if it has no host. */
function ownerName(series: ProbeSeries): string {
  return series.probe.host ?? series.probe.id;
}

/** Whether one host was an owner, over a range. */
export interface OwnerTruth {
  readonly name: string;
  readonly series: ProbeSeries;
  readonly spans: readonly TristateSpan[];
}

/** The truth of the condition's value for each host; its count is ignored. */
export function ownerTruths(log: RunLog, role: Condition, range: Range): readonly OwnerTruth[] {
  return seriesOf(log, role).map((series) => ({
    name: ownerName(series),
    series,
    spans: matchTruth(log, series, role, range),
  }));
}

/** The owners of a role over the range. */
export function ownershipOf(log: RunLog, role: Condition, range: Range): readonly OwnershipSpan[] {
  const owners = ownerTruths(log, role, range);
  const edges = new Set([range.fromMs, range.toMs]);
  for (const { spans } of owners) for (const span of spans) edges.add(span.fromMs);
  const sorted = [...edges].sort((a, b) => a - b);
  const out: { fromMs: RunMs; toMs: RunMs; owners: HostName[]; maybe: HostName[] }[] = [];
  for (const [index, fromMs] of sorted.entries()) {
    const toMs = sorted[index + 1];
    if (toMs === undefined) break;
    const at = (truth: Tristate) =>
      owners
        .filter((o) => o.spans.find((s) => s.fromMs <= fromMs && fromMs < s.toMs)?.truth === truth)
        .map((o) => o.name);
    const span = { fromMs, toMs, owners: at('yes'), maybe: at('maybe') };
    const last = out.at(-1);
    if (last !== undefined && same(last.owners, span.owners) && same(last.maybe, span.maybe))
      last.toMs = toMs;
    else out.push(span);
  }
  return out;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

/** The latest sample of an instance at a moment, and whether the instance matches by it. */
export interface Reading {
  readonly series: ProbeSeries;
  /** undefined: no sample finished yet, the prober lost it, or it is stale. */
  readonly sample: KeptSample | undefined;
  readonly truth: Tristate;
}

/**
 * The latest sample of an instance that had finished by then, if it is fresh. Samples that the prober
 * lost are skipped.
 */
function latestAt(series: ProbeSeries, offsetMs: RunMs): KeptSample | undefined {
  const sample = series.samples.findLast((s) => s.finishMs <= offsetMs && s.status !== 'unknown');
  const latest = sample !== undefined && isFresh(series.probe, { sendMs: lastAnswerMs(sample) }, offsetMs);
  return latest ? sample : undefined;
}

/** The latest fresh sample of each of a condition's instances. */
export function readingsAt(log: RunLog, condition: Condition, offsetMs: RunMs): readonly Reading[] {
  return seriesOf(log, condition).map((series) => {
    const sample = latestAt(series, offsetMs);
    const others = (condition.and ?? []).map((part): Tristate => {
      const companion = companionSeries(log, series, part);
      return companion === undefined
        ? 'maybe'
        : sampleTruth(part, companion.probe, latestAt(companion, offsetMs));
    });
    return { series, sample, truth: allOf([sampleTruth(condition, series.probe, sample), ...others]) };
  });
}

/**
 * The owners of a role at a moment, by the latest samples. `unobserved`: hosts whose ownership is unknown. A host that did not
 * answer is one of them even if the role asks for any good sample.
 */
export function ownersAt(
  log: RunLog,
  role: Condition,
  offsetMs: RunMs,
): { readonly owners: readonly HostName[]; readonly unobserved: readonly string[] } {
  const readings = readingsAt(log, role, offsetMs);
  const isOpen = ({ truth, sample }: Reading): boolean =>
    truth === 'maybe' ||
    (truth === 'no' && role.is === undefined && sample !== undefined && isPathFailure(sample));
  return {
    owners: readings.filter((r) => r.truth === 'yes').map((r) => ownerName(r.series)),
    unobserved: readings.filter(isOpen).map((r) => ownerName(r.series)),
  };
}

/**
 * Whether a condition held at a moment, by the latest samples; "maybe" if it depends on unknown
 * instances.
 */
export function holdsAt(log: RunLog, condition: Condition, offsetMs: RunMs): Tristate {
  return countTruth(
    condition,
    readingsAt(log, condition, offsetMs).map((r) => r.truth),
  );
}

/**
 * The truth of each instance at a moment, by the samples before and after it: "maybe" if it may have changed between two of
 * them; undefined if there is no sample after the moment.
 */
function truthsAround(log: RunLog, condition: Condition, atMs: RunMs): readonly (Tristate | undefined)[] {
  const range = { fromMs: log.startMs, toMs: later(latest(atMs, log.endMs), 1) };
  return seriesOf(log, condition).map((series) => {
    const others = (condition.and ?? []).map((part) => companionSeries(log, series, part));
    const isSince = [series, ...others].some((one) => {
      const last = one?.samples.findLast((s) => s.status !== 'unknown');
      return last === undefined || lastAnswerMs(last) < atMs;
    });
    if (isSince) return undefined;
    const spans = matchTruth(log, series, condition, range);
    return spans.find((s) => s.fromMs <= atMs && atMs < s.toMs)?.truth ?? 'maybe';
  });
}

/**
 * Whether the latest samples prove that a condition did not hold at a moment. Samples of different instances are of different
 * moments: when one was taken, another instance may have had another state than its own latest sample shows.
 */
export function isProvenNot(log: RunLog, condition: Condition, offsetMs: RunMs): boolean {
  return readingsAt(log, condition, offsetMs).some(({ sample, truth }, index) => {
    if (sample === undefined) return false;
    const around = truthsAround(log, condition, lastAnswerMs(sample)).map((known) => known ?? 'maybe');
    const matches = condition.and === undefined ? around.with(index, truth) : around;
    return countTruth(condition, matches) === 'no';
  });
}

/**
 * Whether exactly one host other than `before` may have been the owner at a moment. The latest samples may not show it if a
 * host changed between two samples. An instance without a later sample keeps its last known state.
 */
export function mayHaveMoved(log: RunLog, role: Condition, before: HostName, atMs: RunMs): boolean {
  const readings = readingsAt(log, role, atMs);
  const atMostOne = { ...role, count: { min: 0, max: 1 } };
  if (holdsAt(log, atMostOne, atMs) === 'no' && !isProvenNot(log, atMostOne, atMs)) return true;
  const truths = truthsAround(log, role, atMs).map((truth, index) => truth ?? readings[index]?.truth);
  return readings.some(
    ({ series }, index) =>
      ownerName(series) !== before &&
      truths[index] !== 'no' &&
      truths.every((truth, i) => i === index || truth !== 'yes'),
  );
}
