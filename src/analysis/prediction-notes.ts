import { durationText } from '../core/format-duration.ts';
import type { Measure, Predicted, Summary } from '../core/summary.ts';
import { measureText } from './format.ts';

/**
 * Whether a measure is longer or shorter than its prediction by all of its bounds; undefined if their
 * bounds overlap.
 */
export function nextToPrediction(
  { minMs, maxMs }: Pick<Measure, 'minMs' | 'maxMs'>,
  predicted: Pick<Predicted, 'minMs' | 'maxMs'>,
): 'longer' | 'shorter' | undefined {
  if (minMs > predicted.maxMs) return 'longer';
  return maxMs < predicted.minMs ? 'shorter' : undefined;
}

/** Times that are longer or shorter than predicted, one sentence each. */
export function predictionNotes({
  rto,
  redundancy,
  stages,
  heal,
  predicted,
}: Pick<Summary, 'rto' | 'redundancy' | 'stages' | 'heal' | 'predicted'>): readonly string[] {
  const note = (what: string, measure: Measure | null, expected: Predicted | undefined): string[] => {
    if (measure === null || expected === undefined) return [];
    const side = nextToPrediction(measure, expected);
    if (side === undefined) return [];
    const [min, max] = [durationText(expected.minMs), durationText(expected.maxMs)];
    const range = min === max ? min : `${min} to ${max}`;
    return [`${what} took ${measureText(measure)}, ${side} than predicted (${range})`];
  };
  return [
    ...note('the recovery', rto, predicted?.rto),
    ...stages.flatMap((stage) => note(`stage ${stage.name}`, stage, stage.predicted)),
    ...note('the time to redundancy', redundancy, predicted?.redundancy),
    ...(heal?.stages ?? []).flatMap((stage) =>
      note(`stage ${stage.name} of the return`, stage, stage.predicted),
    ),
  ];
}
