import type { CheckResult, Measure } from '../../../src/core/summary.ts';
import { type FigureOutcome, judgeBounds, judgeVerdict, type VerdictOutcome } from './judge.ts';
import type { Truth } from './recovery-truth.ts';

/** One judged figure of a case. */
export interface Judged {
  readonly figure: string;
  readonly outcome: FigureOutcome | VerdictOutcome | 'crashed';
  /** The figure and the truth, as text. */
  readonly detail: string;
}

export function judged(figure: string, outcome: Judged['outcome'], detail: string): Judged {
  return { figure, outcome, detail };
}

/** Judges a duration with bounds, if the analysis has one. */
export function bounds(
  figure: string,
  measure: Measure | null | undefined,
  truth: Truth | undefined,
): readonly Judged[] {
  if (measure === null || measure === undefined || truth === undefined) return [];
  const detail = `${measure.minMs} to ${measure.maxMs} ms; ${truthText(truth)}`;
  return [judged(figure, judgeBounds(measure, truth), detail)];
}

/** Judges a check on a duration. */
export function verdict(check: CheckResult, truth: Truth | undefined): readonly Judged[] {
  if (truth === undefined || check.limits === undefined) return [];
  const outcome = judgeVerdict(check.status, check.limits, truth);
  const detail = `${check.status}: ${check.observed}, limit ${check.limit}; ${truthText(truth)}`;
  return [judged(`check ${check.kind}`, outcome, detail)];
}

/** A truth as text. */
export function truthText({ full, least, most }: Truth): string {
  const round = (ms: number): number => Math.round(ms * 100) / 100;
  return `true ${round(full)} ms (samples allow ${round(least)} to ${round(most)} ms)`;
}
