import { seeded } from '../src/analysis/testing/log-builder.ts';
import type { OutageKind, ScriptedOutage } from './fault-server/messages.ts';

/** An outage to be scripted. */
export interface Shape {
  readonly kind: OutageKind;
  readonly lengthMs: number;
}

// No length is a multiple of any interval: those that are flatter every prober.
const shortAndLong = [263, 731, 3437];

/** What a server on this machine can do. */
export const loopbackShapes: readonly Shape[] = [
  ...(['refused', 'hang', 'http-503'] as const).flatMap((kind) =>
    shortAndLong.map((lengthMs) => ({ kind, lengthMs })),
  ),
  ...[437, 731, 1437].map((lengthMs) => ({ kind: 'late' as const, lengthMs })),
];

/** What a network namespace does besides. */
export const blackHoleShapes: readonly Shape[] = [731, 2263, 3437].map((lengthMs) => ({
  kind: 'black-hole',
  lengthMs,
}));

/** Between two outages: long enough for every tool here to see the target well again. */
const gapMs = 5500;

/**
 * Outages of one track from `fromMs` on, as many as end before `untilMs`: each shape once in a random order, then
 * again. A random part of a second between them gives every outage a phase of its own to the tools' intervals.
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
