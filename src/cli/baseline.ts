import { existsSync } from 'node:fs';
import { alarmNeeds } from '../analysis/alarm.ts';
import { type FiguresOf, type Gate, gateOf } from '../analysis/gate.ts';
import type { KeptRun } from '../analysis/kept-run.ts';
import { nightCount } from '../analysis/nights.ts';
import { type Tolerance, toleranceWords } from '../analysis/tolerance.ts';
import { readKept } from './kept-runs.ts';
import type { Output } from './output.ts';
import { type KeptSide, readSide } from './sides.ts';

/** What runs are held against, and how much worse they may be. */
export interface Baseline {
  readonly side: KeptSide;
  readonly tolerance: Tolerance;
  /** Kept runs of the release that is drilled, from before: other nights of the same. */
  readonly earlier: readonly KeptRun[];
}

/**
 * The runs that `--baseline` names, and with `--label` those of that release below `--out`, read before anything is touched;
 * undefined without `--baseline`.
 * @throws DrillError `invalid-input` when the baseline has none
 */
export function readBaseline(
  options: {
    readonly baseline?: string;
    readonly tolerance: Tolerance;
    readonly out: string;
    readonly label?: string;
  },
  output: Output,
): Baseline | undefined {
  const { baseline, tolerance, out, label } = options;
  if (baseline === undefined) return undefined;
  const side = readSide(baseline, [out], output);
  const inBaseline = new Set(side.runs.map(({ runId }) => runId));
  const kept = label !== undefined && existsSync(out) ? readKept([out]).runs : [];
  const earlier = kept.flatMap(({ run }) => (run.label === label && !inBaseline.has(run.runId) ? [run] : []));
  return { side, tolerance, earlier };
}

/** Drills that are about to be run. */
export interface Upcoming {
  /** Names of scenarios, each once. */
  readonly scenarios: ReadonlySet<string>;
  /** How many figures of them are held against the baseline. */
  readonly figures: number;
  /** Wall time, ms. */
  readonly nowMs: number;
}

/** Says before the first drill what the baseline cannot tell, and what it would take. */
export function foretell(
  { side, earlier }: Baseline,
  { scenarios, figures, nowMs }: Upcoming,
  output: Output,
): void {
  const startsOf = (runs: readonly KeptRun[]) =>
    runs.flatMap(({ scenario, startedAt }) => (scenarios.has(scenario.name) ? [Date.parse(startedAt)] : []));
  const { possible, words } = alarmNeeds({
    baselineNights: nightCount(startsOf(side.runs)),
    nowNights: nightCount([...startsOf(earlier), nowMs]),
    drills: figures,
  });
  const [first, ...more] = words;
  if (first !== undefined)
    output.progress(`${possible ? 'note' : 'warning'}: baseline ${side.name}: ${first}`);
  for (const line of more) output.progress(`hint: ${line}`);
  if (!possible)
    output.progress(
      'hint: give every night of a release the same --label and --out: its nights are compared together',
    );
}

/** Holds runs against a baseline, with those of earlier nights of the same release; `figures` are those that their own tables show, `figuresInAll` how many a table has of which this is a shard. */
export function holdAgainst(
  { side, tolerance, earlier }: Baseline,
  runs: readonly KeptRun[],
  figures: FiguresOf,
  figuresInAll?: number,
): Gate {
  const known = new Map(side.figures);
  for (const [scenario, own] of figures) known.set(scenario, own);
  const drilled = new Set(runs.map(({ scenario }) => scenario.name));
  const now = [...runs, ...earlier.filter(({ scenario }) => drilled.has(scenario.name))];
  return {
    of: side.name,
    tolerance: toleranceWords(tolerance),
    allowed: tolerance,
    ...gateOf(side, { name: 'now', runs: now }, { tolerance, figures: known, figuresInAll }),
  };
}
