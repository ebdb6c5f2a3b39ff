import { durationWords } from '../analysis/words.ts';
import type { Repeats } from '../core/summary.ts';
import { predictedWords } from './verdict-text.ts';

function percent(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** What repeats came to, one thing a line: the distribution, how sure the median is, the worst case over the phase. */
export function repeatsWords(repeats: Repeats): string[] {
  const { drills, count, minMs, medianMs, maxMs, medianInterval, worst, predicted } = repeats;
  const { lowMs, highMs, coverage } = medianInterval;
  const of = count === drills ? `${count} drills` : `${count} of ${drills} drills (the others measured none)`;
  return [
    `of ${of}: min ${durationWords(minMs)}, median ${durationWords(medianMs)}, max ${durationWords(maxMs)}`,
    `the median lies between ${durationWords(lowMs)} and ${durationWords(highMs)}, sure to ${percent(coverage, 1)} (order statistics, whatever the distribution)`,
    `worst case ${durationWords(worst.maxMs)} at most in these; ${percent(worst.share)} of all moments of the fault are no worse than the worst of these, sure to ${percent(worst.confidence)}`,
    ...(predicted === undefined ? [] : [`predicted ${predictedWords(predicted)}`]),
  ];
}
