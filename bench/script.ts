import { seeded } from '../src/analysis/testing/log-builder.ts';
import type { OutageKind, ScriptedOutage } from './fault-server/messages.ts';

/** The kind and length of a scripted outage. */
export interface Shape {
  readonly kind: OutageKind;
  readonly lengthMs: number;
}

// No length is a multiple of an interval, because such lengths give every prober too small errors.
const shortAndLong = [263, 731, 3437];

/** Outages of a server on this machine. */
export const loopbackShapes: readonly Shape[] = [
  ...(['refused', 'hang', 'http-503'] as const).flatMap((kind) =>
    shortAndLong.map((lengthMs) => ({ kind, lengthMs })),
  ),
  ...[437, 731, 1437].map((lengthMs) => ({ kind: 'late' as const, lengthMs })),
];

/** Outages that need a network namespace. */
export const blackHoleShapes: readonly Shape[] = [731, 2263, 3437].map((lengthMs) => ({
  kind: 'black-hole',
  lengthMs,
}));

/** Gap between two outages, ms: long enough for every tool to see the target up again. */
const gapMs = 5500;

/**
 * Outages of one track between `fromMs` and `untilMs`: each shape once in random order, then again. A random extra gap of up to
 * 1 s gives every outage a random phase relative to the tools' intervals.
 */
export function scriptTrack(
  track: number,
  shapes: readonly Shape[],
  span: { readonly fromMs: number; readonly untilMs: number },
  seed: number,
): readonly ScriptedOutage[] {
  const random = seeded(seed * 1009 + track);
  const outages: ScriptedOutage[] = [];
  let atMs = span.fromMs + random() * gapMs;
  for (let round = 0; ; round++) {
    for (const shape of shuffled(shapes, random)) {
      if (atMs + shape.lengthMs > span.untilMs) return outages;
      outages.push({ track, ...shape, atMs });
      atMs += shape.lengthMs + gapMs + random() * 1000;
    }
  }
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
