import type { KnownRun } from './known-run.ts';
import { effectMs } from './known-run.ts';
import { countSpans, type Owned, ownedSpans, type OwnedSpans, spansWhere } from './owned.ts';
import type { Truth } from './recovery-truth.ts';
import { lengthOf, type Span } from './spans.ts';

/** Ownership states: no owner, multiple owners, or different owners on the two sides. */
export const ownerStates = ['none', 'multiple', 'differs'] as const;
export type OwnerState = (typeof ownerStates)[number];

/** Times of a state after the fault: the truth, and the least and most that the samples allow. */
export interface StateSpans {
  readonly full: readonly Span[];
  readonly least: readonly Span[];
  readonly most: readonly Span[];
}

/** The owners of a thing over the judged time. */
export interface OwnerTruth {
  readonly range: Span;
  readonly hosts: ReadonlyMap<string, OwnedSpans>;
  readonly none: StateSpans;
  readonly multiple: StateSpans;
  readonly differs: StateSpans;
}

/** One side of the ownership: the probe, its value for an owner, and the true ownership by host. */
export interface OwnerSide {
  readonly name: string;
  readonly value: string;
  readonly owners: ReadonlyMap<string, Owned>;
}

/** The end of the observed time: the end of the last sample in the log. */
export function watchedUntilMs({ sent }: KnownRun): number {
  return sent.reduce((last, { sample, isLogged }) => (isLogged ? Math.max(last, sample.finishMs) : last), 0);
}

/** The truth if the bounds must also contain changes that no sample met. */
export function withoutHidden(truth: OwnerTruth): OwnerTruth {
  const exact = ({ full }: StateSpans): StateSpans => ({ full, least: full, most: full });
  const { none, multiple, differs } = truth;
  return { ...truth, none: exact(none), multiple: exact(multiple), differs: exact(differs) };
}

/** The ownership of each host from one side, by its samples. */
function sideSpans(
  { sent }: KnownRun,
  { name, value, owners }: OwnerSide,
  endMs: number,
): ReadonlyMap<string, OwnedSpans> {
  return new Map(
    [...owners].map(([host, owned]) => [
      host,
      ownedSpans(owned, sent, { probe: `${name}@${host}`, value, endMs }),
    ]),
  );
}

/** When a host is an owner on one side and not on the other. */
function differenceSpans(side: readonly OwnedSpans[], other: readonly OwnedSpans[], range: Span): StateSpans {
  const lists = (of: (spans: OwnedSpans) => readonly Span[]) => [...side.map(of), ...other.map(of)];
  const hosts = side.map((_, index) => index);
  const differ = (are: readonly boolean[]) => hosts.some((index) => are[index] !== are[side.length + index]);
  // First the certain owners, then the possible owners.
  const both = [...lists(({ fewest }) => fewest), ...lists(({ most }) => most)];
  const count = 2 * side.length;
  const sure = (are: readonly boolean[], index: number): boolean | undefined =>
    are[index] === are[count + index] ? are[index] : undefined;
  const pairs = (are: readonly boolean[]) =>
    hosts.map((index) => [sure(are, index), sure(are, side.length + index)] as const);
  return {
    full: spansWhere(
      lists(({ full }) => full),
      range,
      differ,
    ),
    least: spansWhere(both, range, (are) =>
      pairs(are).some(([a, b]) => a !== undefined && b !== undefined && a !== b),
    ),
    most: spansWhere(both, range, (are) =>
      pairs(are).some(([a, b]) => a === undefined || b === undefined || a !== b),
    ),
  };
}

/** The owners by the samples of two sides; `hosts`, `none`, and `multiple` are of the first side. */
export function ownerTruth(known: KnownRun, side: OwnerSide, other: OwnerSide): OwnerTruth {
  const range = { fromMs: effectMs(known), toMs: watchedUntilMs(known) };
  const hosts = sideSpans(known, side, range.toMs);
  const all = [...hosts.values()];
  const full = all.map((spans) => spans.full);
  const fewest = all.map((spans) => spans.fewest);
  const most = all.map((spans) => spans.most);
  const isNone = (count: number): boolean => count === 0;
  const isMultiple = (count: number): boolean => count > 1;
  return {
    range,
    hosts,
    differs: differenceSpans(all, [...sideSpans(known, other, range.toMs).values()], range),
    none: {
      full: countSpans(full, range, isNone),
      least: countSpans(most, range, isNone),
      most: countSpans(fewest, range, isNone),
    },
    multiple: {
      full: countSpans(full, range, isMultiple),
      least: countSpans(fewest, range, isMultiple),
      most: countSpans(most, range, isMultiple),
    },
  };
}

/** A figure of a state's spans as a truth. */
function truthOfState(state: StateSpans, figure: (spans: readonly Span[]) => number): Truth {
  const [full, least, most] = [figure(state.full), figure(state.least), figure(state.most)];
  return {
    full,
    least: Math.min(full, least, most),
    most: Math.max(full, least, most),
    withLongestHidden: least,
  };
}

/** The total time of a state. */
export function totalOf(state: StateSpans): Truth {
  return truthOfState(state, lengthOf);
}

/** The longest time of a state without a break. */
export function longestOf(state: StateSpans): Truth {
  return truthOfState(state, (spans) => Math.max(0, ...spans.map(({ fromMs, toMs }) => toMs - fromMs)));
}
