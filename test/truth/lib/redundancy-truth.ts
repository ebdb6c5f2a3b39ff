import type { KnownRun } from './known-run.ts';
import { countSpans, type Owned, ownedSpans, type OwnedSpans } from './owned.ts';
import type { Truth } from './recovery-truth.ts';
import type { Span } from './spans.ts';
import { watchedUntilMs } from './owner-truth.ts';
import { outagesOf } from './sight.ts';

/** The times with all replicas well: the true ones, and the fewest and the most that the samples leave possible. */
export interface WellSpans {
  readonly full: readonly Span[];
  readonly fewest: readonly Span[];
  readonly most: readonly Span[];
}

/** The times with the service up, and the fewest and the most that the samples of its probe leave possible. */
export function upSpans(known: KnownRun, probe: string, lateMs: number): OwnedSpans {
  const { full, least, most } = outagesOf(known, probe, lateMs);
  const range = { fromMs: 0, toMs: known.endMs };
  const without = (outages: readonly Span[]): readonly Span[] =>
    countSpans([outages], range, (count) => count === 0);
  return { full: without(full), fewest: without(most), most: without(least) };
}

/**
 * The times with every replica well and every one of `services` up. The samples of probe `name` show a well replica by the
 * value `value`.
 */
export function wellSpans(
  known: KnownRun,
  replicas: ReadonlyMap<string, Owned>,
  { name, value, services }: { name: string; value: string; services: readonly OwnedSpans[] },
): WellSpans {
  const range = { fromMs: 0, toMs: watchedUntilMs(known) };
  const hosts = [
    ...services,
    ...[...replicas].map(([host, owned]) =>
      ownedSpans(owned, known.sent, { probe: `${name}@${host}`, value, endMs: range.toMs }),
    ),
  ];
  const areAll = (count: number): boolean => count === hosts.length;
  return {
    full: countSpans(
      hosts.map((spans) => spans.full),
      range,
      areAll,
    ),
    fewest: countSpans(
      hosts.map((spans) => spans.fewest),
      range,
      areAll,
    ),
    most: countSpans(
      hosts.map((spans) => spans.most),
      range,
      areAll,
    ),
  };
}

/**
 * The time from `fromMs` to the start of the span that contains the moment of the met gate. 0: that span started before `fromMs`.
 * undefined: the gate was not met.
 */
export function redundancyTruth(known: KnownRun, well: WellSpans, fromMs: number): Truth | undefined {
  const gate = known.gates.findLast((g) => g.gate === 'redundancy');
  if (gate?.isMet !== true || gate.t < fromMs) return undefined;
  const restored = (spans: readonly Span[]): number => {
    const last = spans.findLast((span) => span.fromMs <= gate.t);
    return last === undefined ? 0 : Math.max(0, last.fromMs - fromMs);
  };
  const [full, few, many] = [restored(well.full), restored(well.fewest), restored(well.most)];
  const least = Math.min(full, few, many);
  return { full, least, most: Math.max(full, few, many), withLongestHidden: least };
}
