import { compareSides } from '../../analysis/compare.ts';
import { DrillError } from '../../core/errors.ts';
import { renderComparisonMarkdown, renderComparisonText } from '../../report/compare-text.ts';
import type { Output } from '../output.ts';
import { readSide } from '../sides.ts';

/** Options of `firedrill compare`. */
export interface CompareOptions {
  /** Where the runs of a release are looked for. */
  readonly in: readonly string[];
  readonly json: boolean;
  readonly md: boolean;
}

/**
 * Compares two runs, folders of runs, or releases, and prints it.
 * @throws DrillError `invalid-input` when one of them has no run, or they have no scenario in common
 */
export function compareCommand(a: string, b: string, options: CompareOptions, output: Output): void {
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
  if (options.json) output.data(`${JSON.stringify(comparison, null, 2)}\n`);
  else output.data(options.md ? renderComparisonMarkdown(comparison) : renderComparisonText(comparison));
}
