import { durationWords } from '../core/format-duration.ts';
import type { Repeats } from '../core/summary.ts';
import { predictedWords } from './verdict-text.ts';

function percent(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** What repeats came to, one thing a line: the distribution, how sure the median is, the worst case over the phase. */
export function repeatsWords(repeats: Repeats): string[] {
  const { drills, count, unended, minMs, medianMs, maxMs, medianInterval, worst, predicted } = repeats;
  const { lowMs, highMs, coverage } = medianInterval;
  const of = count === drills ? `${count} drills` : `${count} of ${drills} drills (the others measured none)`;
  const longest = `longer than ${durationWords(unended?.longerThanMs ?? 0)}`;
  const time = (ms: number | null) => (ms === null ? longest : durationWords(ms));
  const median =
    highMs === null
      ? `the median is longer than ${durationWords(lowMs)}, and nothing bounds it above`
      : `the median lies between ${durationWords(lowMs)} and ${durationWords(highMs)}`;
  const share = `${percent(worst.share)} of all moments of the fault are no worse than the worst of these, with ${percent(worst.confidence)} confidence`;
  return [
    `of ${of}: min ${time(minMs)}, median ${time(medianMs)}, max ${time(maxMs)}`,
    ...(unended === undefined ? [] : [`in ${unended.count} of ${count} no end was seen: ${longest}`]),
    `${median}, with ${percent(coverage, 1)} confidence (order statistics, whatever the distribution)`,
    worst.maxMs === null
      ? `worst case: no recovery; ${share}`
      : `worst case ${durationWords(worst.maxMs)} at most in these; ${share}`,
    ...(predicted === undefined ? [] : [`predicted ${predictedWords(predicted)}`]),
  ];
}
