import type { KnownRun } from './known-run.ts';
import { countSpans, type Owned, ownedSpans, type OwnedSpans } from './owned.ts';
import type { Truth } from './recovery-truth.ts';
import type { Span } from './spans.ts';
import { watchedUntilMs } from './owner-truth.ts';
import { outagesOf } from './sight.ts';

/** When all replicas were well: truly, and as seldom and as often as the samples leave possible. */
export interface WellSpans {
  readonly full: readonly Span[];
  readonly fewest: readonly Span[];
  readonly most: readonly Span[];
}

/** When a service was up, as the samples of its probe can tell. */
export function upSpans(known: KnownRun, probe: string, lateMs: number): OwnedSpans {
  const { full, least, most } = outagesOf(known, probe, lateMs);
  const range = { fromMs: 0, toMs: known.endMs };
  const without = (outages: readonly Span[]): readonly Span[] =>
    countSpans([outages], range, (count) => count === 0);
  return { full: without(full), fewest: without(most), most: without(least) };
}

/**
 * The stretches in which every replica was well, as the samples of the probe `name`, whose answers say `value`, can tell of them,
 * and all of `services` were up.
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
 * From a moment to the beginning of the stretch in which all replicas were well when the gate was met; 0 if that had begun before.
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
