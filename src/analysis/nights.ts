import type { Measure } from '../core/summary.ts';
import { median } from './repeats.ts';

const hourMs = 3_600_000;
/** A pause between two runs that ends a night. */
const nightPauseMs = 6 * hourMs;
/** Runs that follow each other without such a pause: a night is over this long after its first. */
const longestNightMs = 20 * hourMs;

/**
 * The night of each run, by when it began (wall time, ms): the beginning of the night's first run. A run belongs to the night of
 * the run before it unless 6 h or more lie between them, or 20 h between it and the night's first.
 */
export function nightsOf(startsMs: readonly number[]): ReadonlyMap<number, number> {
  const nights = new Map<number, number>();
  let first = -Infinity;
  let before = -Infinity;
  for (const start of [...startsMs].sort((a, b) => a - b)) {
    if (start - before >= nightPauseMs || start - first >= longestNightMs) first = start;
    nights.set(start, first);
    before = start;
  }
  return nights;
}

/** How many nights these runs are of. */
export function nightCount(startsMs: readonly number[]): number {
  return new Set(nightsOf(startsMs).values()).size;
}

/** A figure of one run. */
export interface RunFigure {
  /** Wall time, ms. */
  readonly startMs: number;
  /** `ms` and `maxMs` are Infinity where its end was not seen: longer than `minMs`. null: not measured. */
  readonly measure: Measure | null;
  /** Whether the service did what is timed; null where the run was cut short before that could be told. */
  readonly ended: boolean | null;
}

/** What the runs of one night came to: one value, because what slows one of them mostly slows all. */
export interface NightFigure extends Measure {
  /** The night's first run, wall time, ms. */
  readonly nightMs: number;
  /** Runs that measured the figure. */
  readonly runs: number;
  /** Of those that were not cut short, in order of time: whether the service did what is timed. */
  readonly ended: readonly boolean[];
}

/**
 * The median of each night's runs that measured the figure, in order of time. Its bounds are the medians of their bounds: the
 * median of the true times lies between these. `nights` is `nightsOf` all runs of the side.
 */
export function byNight(
  figures: readonly RunFigure[],
  nights: ReadonlyMap<number, number>,
): readonly NightFigure[] {
  const found = new Map<number, RunFigure[]>();
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
 * Nights of both sides in which the service did what is timed each time, of as many runs in each: the first so many of a night
 * that has more, so that a side that drills more often does not miss more often for that. null: no night has a run that was
 * waited for.
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

/** Nights, and those of them in which at least one run was waited for in vain. */
export interface EndedShare {
  readonly of: number;
  readonly missed: number;
}
