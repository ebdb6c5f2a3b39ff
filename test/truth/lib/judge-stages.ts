import type { Measure, Stage, Summary } from '../../../src/core/summary.ts';
import { judgeBounds } from './judge.ts';
import { judged, type Judged } from './judged.ts';

/** The event that ends a stage. */
export interface StageEvent {
  /** When it happened after the fault, ms; undefined if it was true before, or never happened. */
  readonly atMs: number | undefined;
}

/** A stage's bounds, if the summary has them. */
function measureOf(stage: Stage & Partial<Measure>): Measure | undefined {
  const { ms, minMs, maxMs } = stage;
  return minMs === undefined || maxMs === undefined ? undefined : { ms, minMs, maxMs };
}

/** Rounding error of sums of rounded times, ms. */
const roundingMs = 1;

/**
 * Judges the stages of a recovery by the true events, which are keyed by stage name. Every named stage must have happened. Its
 * bounds must contain its true duration from the end of the stage before it. All stages must sum to the RTO.
 */
export function judgeStages(
  { stages, rto }: Pick<Summary, 'stages' | 'rto'>,
  { fromMs, events }: { readonly fromMs: number; readonly events: ReadonlyMap<string, StageEvent> },
): readonly Judged[] {
  if (rto === null || stages.length === 0) return [];
  const sumMs = stages.reduce((sum, { ms }) => sum + ms, 0);
  const isWhole = Math.abs(sumMs - rto.ms) <= roundingMs;
  const out: Judged[] = [
    judged('stage sum', isWhole ? 'held' : 'violated', `${sumMs} ms of an RTO of ${rto.ms} ms`),
  ];
  let beganMs: number | undefined = fromMs;
  for (const stage of stages) {
    const endMs = events.get(stage.name)?.atMs;
    const measure = measureOf(stage);
    if (events.has(stage.name))
      out.push(
        judged('stage named', endMs === undefined ? 'wrong' : 'right', `${stage.name}: ${stage.ms} ms`),
      );
    if (endMs !== undefined && beganMs !== undefined && measure !== undefined) {
      const full = Math.max(0, endMs - beganMs);
      const outcome = judgeBounds(measure, { full, least: full, most: full, withLongestHidden: full });
      out.push(
        judged(
          'stage bounds',
          outcome,
          `${stage.name}: ${measure.minMs} to ${measure.maxMs} ms, true ${full} ms`,
        ),
      );
    }
    beganMs = endMs;
  }
  return out;
}
