import { existsSync } from 'node:fs';
import type { Side } from '../analysis/compare.ts';
import { DrillError } from '../core/errors.ts';
import { suggest } from '../scenario/suggest.ts';
import { type Kept, readKept } from './kept-runs.ts';
import type { Output } from './output.ts';

/** One side of a comparison: its runs, and the figures that failure tables show of them. */
export interface KeptSide extends Side {
  readonly figures: Kept['figures'];
}

/**
 * The runs that an argument names: those in a path, else those with that label below `folders`. Skipped folders of a path
 * are reported.
 * @throws DrillError `invalid-input` if there are no runs
 */
export function readSide(arg: string, folders: readonly string[], output: Output): KeptSide {
  const isPath = existsSync(arg);
  if (!isPath && arg.includes('/'))
    throw new DrillError('invalid-input', `${arg}: no such file or folder`, {
      hint: 'Name the folder of a run, the folder of a table, or a folder that contains such folders.',
    });
  const { runs, figures, skipped } = readKept(
    isPath ? [arg] : folders.filter((folder) => existsSync(folder)),
  );
  if (isPath) for (const { folder, why } of skipped) output.progress(`left out: ${folder}: ${why}`);
  const own = isPath ? runs : runs.filter(({ run }) => run.label === arg);
  if (own.length > 0) return { name: arg, runs: own.map(({ run }) => run), figures };
  if (isPath) throw new DrillError('invalid-input', `${arg}: contains no runs`);
  const labels = [...new Set(runs.flatMap(({ run }) => run.label ?? []))].sort();
  throw new DrillError(
    'invalid-input',
    `${arg}: neither a path nor the label of a run below ${folders.join(', ')}${suggest(arg, labels)}`,
    {
      hint: 'Name a folder of runs, the folder of a table, or a label that was given to runs with --label.',
    },
  );
}
