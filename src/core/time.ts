// Moments of two clocks and durations are different types, so the compiler rejects one where another belongs.
// A moment comes from a clock (core/clock.ts), from a log, or from these functions. The difference of two moments
// is a plain number, and every plain number is a duration.

declare const kindOfTime: unique symbol;

/** A moment on the run clock: ms since the run's start, monotonic. Negative: before the run. */
export type RunMs = number & { readonly [kindOfTime]: 'run' };

/** A moment on a wall clock: ms since the Unix epoch. */
export type WallMs = number & { readonly [kindOfTime]: 'wall' };

/** A length of time, ms. */
export type DurationMs = number & { readonly [kindOfTime]?: 'duration' };

type MomentMs = RunMs | WallMs;

/** Takes a number as a moment on the run clock. */
export const runMs = (ms: number): RunMs => ms as RunMs;

/** Takes a number as a moment on a wall clock. */
export const wallMs = (ms: number): WallMs => ms as WallMs;

/** Later, and earlier, than every moment of a run. */
export const distantFuture = runMs(Infinity);
export const distantPast = runMs(-Infinity);

/** The moment `byMs` later on the same clock. */
export function later<M extends MomentMs>(moment: M, byMs: DurationMs): M {
  return (moment + byMs) as M;
}

/** The moment `byMs` earlier on the same clock. */
export function earlier<M extends MomentMs>(moment: M, byMs: DurationMs): M {
  return (moment - byMs) as M;
}

/** The latest of a few moments of one clock; -Infinity without any. For long lists: `maxOf`. */
export function latest<M extends MomentMs>(...moments: readonly M[]): M {
  return Math.max(...moments) as M;
}

/** The earliest of a few moments of one clock; Infinity without any. For long lists: `minOf`. */
export function earliest<M extends MomentMs>(...moments: readonly M[]): M {
  return Math.min(...moments) as M;
}
