import { ExitCode } from '../../../src/core/errors.ts';
import type { VerdictWord } from '../../../src/core/summary.ts';

/** `as-is`: the unchanged scenario, which passes on a quiet machine. `must-fail`: with an RTO limit that no run can meet. */
export type Part = 'as-is' | 'must-fail';

/** The input of `judge`. */
export interface JudgedDrill {
  readonly part: Part;
  readonly condition: string;
  readonly exitCode: number | undefined;
  /** null: the drill wrote no summary. */
  readonly verdict: VerdictWord | null;
  /** The reason that blames a starved machine; null without one. */
  readonly starved: string | null;
}

/**
 * - `right`: a verdict that the condition allows.
 * - `false fail`, `false pass`: a verdict that the stack did not cause.
 * - `fault left`: exit code 4, a fault is not proven healed.
 * - `unexplained`: no verdict, or inconclusive without starvation as a reason; on a quiet machine, every inconclusive drill.
 */
export type Judgement = 'right' | 'false fail' | 'false pass' | 'fault left' | 'unexplained';

/** Judges a drill. Only the condition `quiet` needs a plain verdict. */
export function judge(drill: JudgedDrill): Judgement {
  const { part, condition, exitCode, verdict, starved } = drill;
  if (exitCode === ExitCode.notHealed) return 'fault left';
  if (verdict === null) return 'unexplained';
  if (verdict === 'inconclusive') {
    if (condition === 'quiet') return 'unexplained';
    return part === 'must-fail' || starved !== null ? 'right' : 'unexplained';
  }
  if (part === 'as-is') return verdict === 'pass' ? 'right' : 'false fail';
  return verdict === 'fail' ? 'right' : 'false pass';
}
