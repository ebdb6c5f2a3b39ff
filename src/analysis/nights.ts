import type { Measure } from '../core/summary.ts';
import { wallMs, type WallMs } from '../core/time.ts';
import { median } from './repeats.ts';

const hourMs = 3_600_000;
/** Shortest pause between two runs of different nights, ms. */
const nightPauseMs = 6 * hourMs;
/**
 * Longest time from a night's first run to the start of its last, ms, if no such pause ends the night
 * earlier.
 */
const longestNightMs = 20 * hourMs;

/**
 * The night of each run by its start (wall time, ms). A night is identified by the start of its first run. A run belongs to the
 * night of the previous run, with two exceptions that begin a new night: it starts 6 h or more after the previous run, or 20 h
 * or more after the night's first run.
 */
export function nightsOf(startsMs: readonly WallMs[]): ReadonlyMap<WallMs, WallMs> {
  const nights = new Map<WallMs, WallMs>();
  let first = wallMs(-Infinity);
  let before = wallMs(-Infinity);
  for (const start of [...startsMs].sort((a, b) => a - b)) {
    if (start - before >= nightPauseMs || start - first >= longestNightMs) first = start;
    nights.set(start, first);
    before = start;
  }
  return nights;
}

/** Number of nights of these runs. */
export function nightCount(startsMs: readonly WallMs[]): number {
  return new Set(nightsOf(startsMs).values()).size;
}

/** A figure of one run. */
export interface RunFigure {
  /** Wall time, ms. */
  readonly startMs: WallMs;
  /**
   * `ms` and `maxMs` are Infinity if the end was not observed: it took longer than `minMs`. null: not
   * measured.
   */
  readonly measure: Measure | null;
  /** Whether the measured event happened; null if the run was cut short before that was known. */
  readonly ended: boolean | null;
}

/**
 * One value for the runs of one night. Runs of a night are not independent: whatever slows one run
 * mostly slows all.
 */
export interface NightFigure extends Measure {
  /** Start of the night's first run, wall time, ms. */
  readonly nightMs: WallMs;
  /** Runs that measured the figure. */
  readonly runs: number;
  /** For runs that were not cut short, in order of time: whether the measured event happened. */
  readonly ended: readonly boolean[];
}

/**
 * The median of each night's runs that measured the figure, in order of time. Its bounds are the medians of their bounds, so
 * the median of the true times lies between them. `nights` is `nightsOf` all runs of the side.
 */
export function byNight(
  figures: readonly RunFigure[],
  nights: ReadonlyMap<WallMs, WallMs>,
): readonly NightFigure[] {
  const found = new Map<WallMs, RunFigure[]>();
  for (const figure of figures) {
    if (figure.measure === null) continue;
    const night = nights.get(figure.startMs) ?? figure.startMs;
    const own = found.get(night);
    if (own === undefined) found.set(night, [figure]);
    else own.push(figure);
  }
  return [...found]
    .sort(([a], [b]) => a - b)
    .map(([nightMs, own]) => {
      const of = (part: keyof Measure) => median(own.flatMap(({ measure }) => measure?.[part] ?? []));
      return {
        nightMs,
        runs: own.length,
        ended: own.sort((a, b) => a.startMs - b.startMs).flatMap(({ ended }) => ended ?? []),
        ms: of('ms'),
        minMs: of('minMs'),
        maxMs: of('maxMs'),
      };
    });
}

/**
 * The nights of both sides in which the measured event did not happen in a run. Each night counts the same number of its first
 * runs: otherwise a side with more runs per night would miss more often. null if a side has no night with a complete run.
 */
export function endedShares(
  a: readonly NightFigure[],
  b: readonly NightFigure[],
): { readonly a: EndedShare; readonly b: EndedShare } | null {
  const [ofA, ofB] = [a, b].map((side) => side.filter(({ ended }) => ended.length > 0));
  if (ofA === undefined || ofB === undefined || ofA.length === 0 || ofB.length === 0) return null;
  const each = Math.min(...[...ofA, ...ofB].map(({ ended }) => ended.length));
  const share = (side: readonly NightFigure[]): EndedShare => ({
    of: side.length,
    missed: side.filter(({ ended }) => ended.slice(0, each).includes(false)).length,
  });
  return { a: share(ofA), b: share(ofB) };
}

/** A number of nights, and how many of them have a run in which the measured event did not happen. */
export interface EndedShare {
  readonly of: number;
  readonly missed: number;
}
