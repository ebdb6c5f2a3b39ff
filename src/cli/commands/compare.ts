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
  /** Where the runs of a release are looked for. */
  readonly in: readonly string[];
  readonly json: boolean;
  readonly md: boolean;
  /** Says of each drill whether B is worse than A, and fails where one is. */
  readonly gate: boolean;
  readonly tolerance: Tolerance;
}

/**
 * Compares two runs, folders of runs, or releases, and prints it. Returns the exit code.
 * @throws DrillError `invalid-input` when one of them has no run, or they have no scenario in common
 */
export function compareCommand(a: string, b: string, options: CompareOptions, output: Output): number {
  const [given, ofB] = [readSide(a, options.in, output), readSide(b, options.in, output)];
  const idsOfB = new Set(ofB.runs.map(({ runId }) => runId));
  const runs = given.runs.filter(({ runId }) => !idsOfB.has(runId));
  if (runs.length < given.runs.length)
    output.progress(
      `${given.runs.length - runs.length} of the runs of ${a} are those of ${b}: left out of A`,
    );
  const comparison = compareSides({ name: a, runs }, { name: b, runs: ofB.runs });
  if (comparison.scenarios.length === 0)
    throw new DrillError('invalid-input', `${a} and ${b} have no scenario in common`, {
      mend:
        runs.length === 0
          ? 'They are the same runs: name others.'
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
    output.data(
      `${renderComparisonText(comparison)}${gate === undefined ? '' : `\n${renderGateText(gate)}`}`,
    );
  return gate !== undefined && isWorse(gate) ? ExitCode.verdictFail : ExitCode.pass;
}
