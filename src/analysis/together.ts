import type { Measure } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';
import { type NightFigure, nightsOf } from './nights.ts';
import { median } from './repeats.ts';

/** A figure of a drill on both sides, night by night. */
export interface RowNights {
  readonly a: readonly NightFigure[];
  readonly b: readonly NightFigure[];
  /** How much longer B may take, ms. */
  readonly marginMs: DurationMs;
}

/** Scores of the nights of both sides over all drills: one number per night. */
export interface NightScores {
  readonly a: readonly Measure[];
  readonly b: readonly Measure[];
  /** Number of drills that were used. */
  readonly rows: number;
}

/** Shortest time that is used, ms: ratios of shorter times are mostly rounding. */
const leastMs = 1;

/**
 * One score per night: the median, over the drills, of ln(time / the drill's median over all nights of both sides). If
 * everything takes 10 % longer in a night, its score is higher by ln 1.1.
 *
 * Both sides are treated the same way, and a night is one value. Without a change, every assignment of nights to sides has the
 * same probability. So the exact Mann-Whitney test of the scores keeps its level, even if the drills of a night are correlated.
 *
 * It uses estimates and not bounds: over the drills of a night their errors average out. Drills that did not end in most nights,
 * and nights with fewer than half of the drills, are left out.
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
