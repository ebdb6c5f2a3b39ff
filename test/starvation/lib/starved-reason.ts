import type { Summary } from '../../../src/core/summary.ts';

/**
 * How a summary's reasons say that the machine was starved: the words of `src/engine/machine-fitness.ts` and of `degraded.ts`,
 * `steadiness.ts`, `health.ts`, and `others.ts` in `src/analysis`. No other test code knows them.
 */
const starvedWords =
  /\b(degraded|overloaded|starved|stood still|the prober (?:lost|sent a look)|other programs took|steady state (?:did not hold until|was lost again just before) the fault|a little more load makes time-outs)\b/i;

/** The first reason of an inconclusive drill that says that its machine was starved; undefined for every other outcome. */
export function starvedReason({
  verdict,
  reasons,
}: Pick<Summary, 'verdict' | 'reasons'>): string | undefined {
  return verdict === 'inconclusive' ? starvedWordsIn(reasons)[0] : undefined;
}

function starvedWordsIn(reasons: readonly string[]): string[] {
  return reasons.filter((reason) => starvedWords.test(reason));
}
