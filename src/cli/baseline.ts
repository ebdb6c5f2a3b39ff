import {
  type FiguresOf,
  type Gate,
  regressionsOf,
  type Tolerance,
  toleranceWords,
} from '../analysis/gate.ts';
import type { KeptRun } from '../analysis/kept-run.ts';
import type { Output } from './output.ts';
import { type KeptSide, readSide } from './sides.ts';

/** What runs are held against, and how much worse they may be. */
export interface Baseline {
  readonly side: KeptSide;
  readonly tolerance: Tolerance;
}

/**
 * The runs that `--baseline` names, read before anything is touched; undefined without it.
 * @throws DrillError `invalid-input` when there are none
 */
export function readBaseline(
  options: { readonly baseline?: string; readonly tolerance: Tolerance; readonly out: string },
  output: Output,
): Baseline | undefined {
  const { baseline, tolerance, out } = options;
  return baseline === undefined ? undefined : { side: readSide(baseline, [out], output), tolerance };
}

/** Holds runs against a baseline; `figures` are those that their own tables show. */
export function holdAgainst(
  { side, tolerance }: Baseline,
  runs: readonly KeptRun[],
  figures: FiguresOf,
): Gate {
  const known = new Map(side.figures);
  for (const [scenario, own] of figures) known.set(scenario, own);
  return {
    of: side.name,
    tolerance: toleranceWords(tolerance),
    drills: regressionsOf(side, { name: 'now', runs }, { tolerance, figures: known }),
  };
}
