import type { SentSample } from './prober.ts';
import type { Change } from './service.ts';
import type { SimulatedTime } from './simulated-time.ts';
import { contains, joined, type Span, spansOf } from './spans.ts';

/** The true ownership of a host, with its history. */
export class Owned {
  readonly #time: SimulatedTime;
  readonly #changes: Change[];

  constructor(time: SimulatedTime, isOwner: boolean) {
    this.#time = time;
    this.#changes = [{ atMs: time.nowMs(), isUp: isOwner }];
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  get isOwner(): boolean {
    return this.#changes.at(-1)?.isUp === true;
  }

  /** Sets whether the host is an owner from now on. */
  set(isOwner: boolean): void {
    if (this.isOwner !== isOwner) this.#changes.push({ atMs: this.#time.nowMs(), isUp: isOwner });
  }
}

/** When a host was an owner: the truth, and the least and most that the samples allow. */
export interface OwnedSpans {
  readonly full: readonly Span[];
  readonly fewest: readonly Span[];
  readonly most: readonly Span[];
}

/** A host's ownership by the samples of a probe. Only an answer is evidence, for the moment at which it was given. */
export function ownedSpans(
  owned: Owned,
  sent: readonly SentSample[],
  { probe, value, endMs }: { readonly probe: string; readonly value: string; readonly endMs: number },
): OwnedSpans {
  const full = spansOf(owned.changes, true, endMs);
  const answers = sent.flatMap(({ sample, evidence, isLogged }) =>
    sample.probe === probe && isLogged && sample.status === 'ok'
      ? [{ atMs: evidence.at(-1)?.atMs ?? sample.finishMs, isOwner: sample.value === value }]
      : [],
  );
  const isMet = (span: Span, isOwner: boolean): boolean =>
    answers.some((answer) => answer.isOwner === isOwner && contains(span, answer.atMs));
  return {
    full,
    fewest: full.filter((span) => isMet(span, true)),
    most: joined(full, (gap) => !isMet(gap, false)),
  };
}

/** The spans of a range in which the number of owners satisfies `isAsked`. */
export function countSpans(
  owners: readonly (readonly Span[])[],
  range: Span,
  isAsked: (count: number) => boolean,
): readonly Span[] {
  return spansWhere(owners, range, (are) => isAsked(are.filter(Boolean).length));
}

/** The spans of a range in which `isSo` holds, given which of the lists have a span there. */
export function spansWhere(
  lists: readonly (readonly Span[])[],
  range: Span,
  isSo: (are: readonly boolean[]) => boolean,
): readonly Span[] {
  const edges = [range.fromMs, range.toMs, ...lists.flat().flatMap(({ fromMs, toMs }) => [fromMs, toMs])]
    .filter((ms) => ms >= range.fromMs && ms <= range.toMs)
    .sort((a, b) => a - b);
  const found = edges.flatMap((fromMs, index) => {
    const toMs = edges[index + 1];
    if (toMs === undefined || toMs <= fromMs) return [];
    const are = lists.map((spans) => spans.some((span) => contains(span, fromMs)));
    return isSo(are) ? [{ fromMs, toMs }] : [];
  });
  return joined(found, (gap) => gap.toMs <= gap.fromMs);
}
