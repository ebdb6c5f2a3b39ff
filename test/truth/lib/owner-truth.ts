import type { KnownRun } from './known-run.ts';
import { effectMs } from './known-run.ts';
import { countSpans, type Owned, ownedSpans, type OwnedSpans } from './owned.ts';
import type { Truth } from './recovery-truth.ts';
import { lengthOf, type Span } from './spans.ts';

/** Times after the fault without an owner, or with several: truly, and as few and as many as the samples leave possible. */
export interface StateSpans {
  readonly full: readonly Span[];
  readonly least: readonly Span[];
  readonly most: readonly Span[];
}

/** The owners of a thing over the judged time. */
export interface OwnerTruth {
  readonly range: Span;
  readonly hosts: ReadonlyMap<string, OwnedSpans>;
  readonly nobody: StateSpans;
  readonly several: StateSpans;
  /** Where the bounds have to hold what no sample met: the truth for limits of 0, which ask the samples only. */
  readonly bySamples?: OwnerTruth;
}

/** The moment up to which a run was watched: the end of its last sample in the log. */
export function watchedUntilMs({ sent }: KnownRun): number {
  return sent.reduce((last, { sample, isLogged }) => (isLogged ? Math.max(last, sample.finishMs) : last), 0);
}

/** The same where the bounds have to hold what no sample met. */
export function withoutHidden(truth: OwnerTruth): OwnerTruth {
  const exact = ({ full }: StateSpans): StateSpans => ({ full, least: full, most: full });
  return { ...truth, nobody: exact(truth.nobody), several: exact(truth.several), bySamples: truth };
}

/** The owners as the samples of the probe `name`, whose answers say `value`, can tell of them. */
export function ownerTruth(
  known: KnownRun,
  owners: ReadonlyMap<string, Owned>,
  { name, value }: { readonly name: string; readonly value: string },
): OwnerTruth {
  const range = { fromMs: effectMs(known), toMs: watchedUntilMs(known) };
  const hosts = new Map(
    [...owners].map(([host, owned]) => [
      host,
      ownedSpans(owned, known.sent, { probe: `${name}@${host}`, value, endMs: range.toMs }),
    ]),
  );
  const all = [...hosts.values()];
  const full = all.map((spans) => spans.full);
  const fewest = all.map((spans) => spans.fewest);
  const most = all.map((spans) => spans.most);
  const isNobody = (count: number): boolean => count === 0;
  const isSeveral = (count: number): boolean => count > 1;
  return {
    range,
    hosts,
    nobody: {
      full: countSpans(full, range, isNobody),
      least: countSpans(most, range, isNobody),
      most: countSpans(fewest, range, isNobody),
    },
    several: {
      full: countSpans(full, range, isSeveral),
      least: countSpans(fewest, range, isSeveral),
      most: countSpans(most, range, isSeveral),
    },
  };
}

/** A figure of a state's spans as a truth. */
export function truthOfState(state: StateSpans, figure: (spans: readonly Span[]) => number): Truth {
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
