import { existsSync } from 'node:fs';
import { wallMs, type WallMs } from '../core/time.ts';
import { alarmNeeds } from '../analysis/alarm.ts';
import { type FiguresOf, type BaselineGate, gateOf } from '../analysis/gate.ts';
import type { KeptRun } from '../analysis/kept-run.ts';
import { nightCount } from '../analysis/nights.ts';
import { type Tolerance, toleranceText } from '../analysis/tolerance.ts';
import { readKept } from './kept-runs.ts';
import type { Output } from './output.ts';
import { type KeptSide, readSide } from './sides.ts';

/** The baseline of a command: its runs, and the tolerance. */
export interface Baseline {
  readonly side: KeptSide;
  readonly tolerance: Tolerance;
  /** Earlier runs of the release under test: other nights of the same release. */
  readonly earlier: readonly KeptRun[];
}

/**
 * Reads the runs that `--baseline` names and, with `--label`, the runs of that release below `--out`. It is called before
 * the first drill. Undefined without `--baseline`.
 * @throws DrillError `invalid-input` if the baseline has no runs
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

/** Drills that are about to run. */
export interface Upcoming {
  /** Names of scenarios. */
  readonly scenarios: ReadonlySet<string>;
  /** Number of their figures that are compared with the baseline. */
  readonly figures: number;
  /** Wall time, ms. */
  readonly nowMs: WallMs;
}

/** Prints before the first drill which comparisons the baseline cannot decide, and what they need. */
export function printAlarmForecast(
  { side, earlier }: Baseline,
  { scenarios, figures, nowMs }: Upcoming,
  output: Output,
): void {
  const startsOf = (runs: readonly KeptRun[]) =>
    runs.flatMap(({ scenario, startedAt }) =>
      scenarios.has(scenario.name) ? [wallMs(Date.parse(startedAt))] : [],
    );
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
      'hint: pass the same --label and --out on every night of a release; its nights are then compared together',
    );
}

/**
 * Compares runs with a baseline, together with earlier nights of the same release. `figures`: figures of the runs' own
 * tables. `figuresInAll`: number of figures of the whole table, if this is a shard of one.
 */
export function holdAgainst(
  { side, tolerance, earlier }: Baseline,
  runs: readonly KeptRun[],
  figures: FiguresOf,
  figuresInAll?: number,
): BaselineGate {
  const known = new Map(side.figures);
  for (const [scenario, own] of figures) known.set(scenario, own);
  const drilled = new Set(runs.map(({ scenario }) => scenario.name));
  const now = [...runs, ...earlier.filter(({ scenario }) => drilled.has(scenario.name))];
  return {
    of: side.name,
    tolerance: toleranceText(tolerance),
    allowed: tolerance,
    ...gateOf(side, { name: 'now', runs: now }, { tolerance, figures: known, figuresInAll }),
  };
}
