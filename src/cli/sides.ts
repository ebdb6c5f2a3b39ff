import { existsSync } from 'node:fs';
import type { Side } from '../analysis/compare.ts';
import { DrillError } from '../core/errors.ts';
import { suggest } from '../scenario/suggest.ts';
import { type Kept, readKept } from './kept-runs.ts';
import type { Output } from './output.ts';

/** Runs that are compared, with the figures that tables show of them. */
export interface KeptSide extends Side {
  readonly figures: Kept['figures'];
}

/**
 * The runs that an argument names: those of a path, else those with that label below `folders`. What is left out is told.
 * @throws DrillError `invalid-input` when there are none
 */
export function readSide(arg: string, folders: readonly string[], output: Output): KeptSide {
  const isPath = existsSync(arg);
  if (!isPath && arg.includes('/'))
    throw new DrillError('invalid-input', `${arg}: no such file or folder`, {
      mend: 'Name the folder of a run, of a table, or of several of them.',
    });
  const { runs, figures, skipped } = readKept(
    isPath ? [arg] : folders.filter((folder) => existsSync(folder)),
  );
  if (isPath) for (const { folder, why } of skipped) output.progress(`left out: ${folder}: ${why}`);
  const own = isPath ? runs : runs.filter(({ run }) => run.label === arg);
  if (own.length > 0) return { name: arg, runs: own.map(({ run }) => run), figures };
  if (isPath) throw new DrillError('invalid-input', `${arg}: no run is kept there`);
  const labels = [...new Set(runs.flatMap(({ run }) => run.label ?? []))].sort();
  throw new DrillError(
    'invalid-input',
    `${arg}: neither a path nor the label of a run below ${folders.join(', ')}${suggest(arg, labels)}`,
    {
      mend: 'Name the folder of runs or of a table, or a release that runs were given with --label.',
    },
  );
}
