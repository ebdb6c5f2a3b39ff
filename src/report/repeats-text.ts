import { durationText } from '../core/format-duration.ts';
import type { Repeats } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';
import { predictedText } from './verdict-text.ts';

function percent(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** Lines about repeats: the distribution, the confidence interval of the median, and the worst case over the phase. */
export function repeatsText(repeats: Repeats): string[] {
  const { drills, count, unended, minMs, medianMs, maxMs, medianInterval, worst, predicted } = repeats;
  const { lowMs, highMs, coverage } = medianInterval;
  const of =
    count === drills ? `${count} drills` : `${count} of ${drills} drills (the others have no measured time)`;
  const longest = `longer than ${durationText(unended?.longerThanMs ?? 0)}`;
  const time = (ms: DurationMs | null) => (ms === null ? longest : durationText(ms));
  const median =
    highMs === null
      ? `the median is longer than ${durationText(lowMs)}, without an upper bound`
      : `the median lies between ${durationText(lowMs)} and ${durationText(highMs)}`;
  const share = `with ${percent(worst.confidence)} confidence, ${percent(worst.share)} of all possible fault times are no worse`;
  return [
    `of ${of}: min ${time(minMs)}, median ${time(medianMs)}, max ${time(maxMs)}`,
    ...(unended === undefined ? [] : [`${unended.count} of ${count} timed out: ${longest}`]),
    `${median}, with ${percent(coverage, 1)} confidence (order statistics, whatever the distribution)`,
    worst.maxMs === null
      ? `worst of these drills: no recovery; ${share}`
      : `worst of these drills: at most ${durationText(worst.maxMs)}; ${share}`,
    ...(predicted === undefined ? [] : [`predicted ${predictedText(predicted)}`]),
  ];
}
