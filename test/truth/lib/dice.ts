import { seeded } from '../../../src/analysis/testing/log-builder.ts';

/** Seeded random draws: the same seed gives the same draws on every machine. */
export interface Dice {
  /** A number in [low, high). */
  between(low: number, high: number): number;
  /** A number in [low, high) with a uniformly distributed logarithm, so that all scales are equally likely. */
  scale(low: number, high: number): number;
  /** A whole number in [low, high]. */
  whole(low: number, high: number): number;
  /** True in this share of the draws. */
  chance(share: number): boolean;
  /** One of the items, each equally likely. */
  pick<T>(items: readonly [T, ...T[]]): T;
  /** An exponentially distributed number with the given mean. */
  exponential(mean: number): number;
}

/** The draws of a seed. */
export function diceOf(seed: number): Dice {
  const next = seeded(seed);
  // The first draws of neighboring seeds resemble each other.
  for (let i = 0; i < 8; i++) next();
  const between = (low: number, high: number): number => low + (high - low) * next();
  return {
    between,
    scale: (low, high) => Math.exp(between(Math.log(low), Math.log(high))),
    whole: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (share) => next() < share,
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    exponential: (mean) => -mean * Math.log(1 - next()),
  };
}
