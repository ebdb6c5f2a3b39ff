import type { Measure } from '../core/summary.ts';
import { type NightFigure, nightsOf } from './nights.ts';
import { median } from './repeats.ts';

/** A figure of a drill, night by night, on both sides. */
export interface RowNights {
  readonly a: readonly NightFigure[];
  readonly b: readonly NightFigure[];
  /** How much longer B may be, ms. */
  readonly marginMs: number;
}

/** What the nights of both sides came to over all drills: one number a night. */
export interface NightScores {
  readonly a: readonly Measure[];
  readonly b: readonly Measure[];
  /** Drills that were taken. */
  readonly rows: number;
}

/** Shorter times are taken for this, ms: their ratios are those of rounding. */
const leastMs = 1;

/**
 * One score for each night: the median, over the drills, of ln(time / the drill's median over all nights of both sides). A
 * night in which everything takes a tenth longer has a score higher by ln 1.1. The sides are treated alike, and a night is one
 * value: if nothing changed, every assignment of nights to sides is as probable as any other, and the exact Mann-Whitney test of
 * the scores holds its level, whatever the drills of a night have in common.
 *
 * Estimates are taken, not bounds: over the drills of a night their errors average out. Left out are drills that did not come to
 * an end in most nights, and nights with fewer than half of the drills.
 */
export function nightScores(rows: readonly RowNights[]): NightScores {
  const usable = rows.flatMap((row) => {
    const values = [
      ...row.a.map((night) => ({ side: 'a' as const, nightMs: night.nightMs, ms: night.ms })),
      ...row.b.map((night) => ({
        side: 'b' as const,
        nightMs: night.nightMs,
        ms: Math.max(leastMs, night.ms - row.marginMs),
      })),
    ];
    const middle = median(values.map(({ ms }) => ms));
    return row.a.length === 0 || row.b.length === 0 || !Number.isFinite(middle)
      ? []
      : [
          values.map((value) => ({
            ...value,
            log: Math.log(Math.max(leastMs, value.ms) / Math.max(leastMs, middle)),
          })),
        ];
  });
  const scoresOf = (side: 'a' | 'b'): readonly Measure[] => {
    const own = usable.map((values) => values.filter((value) => value.side === side));
    const nights = nightsOf(own.flat().map(({ nightMs }) => nightMs));
    const logs = new Map<number, number[]>();
    for (const { nightMs, log } of own.flat()) {
      const night = nights.get(nightMs) ?? nightMs;
      logs.set(night, [...(logs.get(night) ?? []), log]);
    }
    return [...logs.values()]
      .filter((values) => 2 * values.length >= usable.length)
      .map((values) => {
        const ms = median(values);
        return { ms, minMs: ms, maxMs: ms };
      });
  };
  return { a: scoresOf('a'), b: scoresOf('b'), rows: usable.length };
}
