import { describe, expect, it } from 'vitest';
import { blackHoleShapes, loopbackShapes, scriptTrack } from './script.ts';

const span = { fromMs: 1000, untilMs: 181_000 };

describe('scriptTrack', () => {
  it('returns the same outages for the same seed, and others for another seed or track', () => {
    const script = scriptTrack(0, loopbackShapes, span, 7);
    expect(scriptTrack(0, loopbackShapes, span, 7)).toEqual(script);
    expect(scriptTrack(0, loopbackShapes, span, 8)).not.toEqual(script);
    expect(scriptTrack(1, loopbackShapes, span, 7).map((o) => o.atMs)).not.toEqual(script.map((o) => o.atMs));
  });

  it('shuffles the shapes', () => {
    const kinds = scriptTrack(0, loopbackShapes, span, 7).map((o) => o.kind);
    expect(kinds.slice(0, loopbackShapes.length)).not.toEqual(loopbackShapes.map((shape) => shape.kind));
  });

  it('uses every shape before it repeats one, within the span, with gaps of 5.5 s to 6.5 s', () => {
    const script = scriptTrack(0, loopbackShapes, span, 7);
    const first = script.slice(0, loopbackShapes.length).map(({ kind, lengthMs }) => `${kind} ${lengthMs}`);
    expect(new Set(first).size).toBe(loopbackShapes.length);
    expect(script.length).toBeGreaterThan(20);
    expect(script[0]!.atMs).toBeGreaterThanOrEqual(span.fromMs);
    for (const [index, { atMs, lengthMs }] of script.entries()) {
      const gapMs = (script[index + 1]?.atMs ?? atMs + lengthMs + 6000) - atMs - lengthMs;
      expect(gapMs).toBeGreaterThanOrEqual(5500);
      expect(gapMs).toBeLessThan(6500);
      expect(atMs + lengthMs).toBeLessThanOrEqual(span.untilMs);
    }
  });
});

it('has no length that is a multiple of an interval', () => {
  for (const { lengthMs } of [...loopbackShapes, ...blackHoleShapes])
    for (const intervalMs of [50, 100, 1000]) expect(lengthMs % intervalMs).toBeGreaterThan(0);
});
