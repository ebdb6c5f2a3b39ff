import { compareSides } from '../../analysis/compare.ts';
import type { Tolerance } from '../../analysis/tolerance.ts';
import { DrillError, ExitCode } from '../../core/errors.ts';
import { renderComparisonMarkdown, renderComparisonText } from '../../report/compare-text.ts';
import { isWorse, renderGateMarkdown, renderGateText } from '../../report/gate-text.ts';
import { holdAgainst } from '../baseline.ts';
import type { Output } from '../output.ts';
import { readSide } from '../sides.ts';

/** Options of `firedrill compare`. */
export interface CompareOptions {
  /** Folders that are searched for the runs of a release. */
  readonly in: readonly string[];
  readonly json: boolean;
  readonly md: boolean;
  /** Fails if any drill of B is slower than in A by more than chance and the tolerance. */
  readonly gate: boolean;
  readonly tolerance: Tolerance;
}

/**
 * Compares two runs, folders of runs, or releases, and prints the comparison. Returns the exit code.
 * @throws DrillError `invalid-input` if one side has no run, or if both have no scenario in common
 */
export function compareCommand(a: string, b: string, options: CompareOptions, output: Output): number {
  const [given, ofB] = [readSide(a, options.in, output), readSide(b, options.in, output)];
  const idsOfB = new Set(ofB.runs.map(({ runId }) => runId));
  const runs = given.runs.filter(({ runId }) => !idsOfB.has(runId));
  if (runs.length < given.runs.length) output.progress(sharedRunsText(given.runs.length - runs.length, a, b));
  const comparison = compareSides({ name: a, runs }, { name: b, runs: ofB.runs });
  if (comparison.scenarios.length === 0)
    throw new DrillError('invalid-input', `${a} and ${b} have no scenario in common`, {
      hint:
        runs.length === 0
          ? 'Both arguments name the same runs; name different runs.'
          : `${a} has ${comparison.onlyA.join(', ')}; ${b} has ${comparison.onlyB.join(', ')}.`,
    });
  const gate = options.gate
    ? holdAgainst(
        { side: { ...given, runs }, tolerance: options.tolerance, earlier: [] },
        ofB.runs,
        ofB.figures,
      )
    : undefined;
  const whole = gate === undefined ? comparison : { ...comparison, baseline: gate };
  if (options.json) output.data(`${JSON.stringify(whole, null, 2)}\n`);
  else if (options.md)
    output.data(
      `${renderComparisonMarkdown(comparison)}${gate === undefined ? '' : `\n${renderGateMarkdown(gate)}`}`,
    );
  else
    output.text(
      `${renderComparisonText(comparison)}${gate === undefined ? '' : `\n${renderGateText(gate)}`}`,
    );
  return gate !== undefined && isWorse(gate) ? ExitCode.verdictFail : ExitCode.pass;
}

function sharedRunsText(count: number, a: string, b: string): string {
  return count === 1
    ? `1 run of ${a} is also in ${b} and counts only there`
    : `${count} runs of ${a} are also in ${b} and count only there`;
}
