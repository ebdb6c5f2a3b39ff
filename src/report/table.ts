import type { BaselineGate } from '../analysis/gate.ts';
import { figureOf, timedFigure } from '../analysis/figures.ts';
import { median, repeatsOf } from '../analysis/repeats.ts';
import type { Measure, Predicted, Repeats, Summary, VerdictWord } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';

/** A row of the failure table, from the suite. */
export interface TableRow {
  readonly row: string;
  readonly failure: string;
  readonly recoveredBy: string;
  readonly reported: string;
  /** The figure in the column "measured": `rto`, `first`, `downtime`, `return`, `heal-outage`, `redundancy`, `happens:NAME`. */
  readonly figure: string;
}

/** The outcome of one drill of the table. */
export interface TableDrill {
  /** Its position in the order of drills, from 1. */
  readonly number: number;
  /** Indices of the suite's rows that show it. */
  readonly rowIndices: readonly number[];
  /** Name of the scenario, or of a combination of its matrix. */
  readonly name: string;
  /** Index of the repeat in `--repeat`, from 0. */
  readonly round: number;
  /** null: not run. */
  readonly summary: Summary | null;
  /** Why it was not run. */
  readonly notRun: string | null;
  /** From the end of the drill until the target was steady again, ms; null if it was not, or if the table did not wait for it. */
  readonly backToSteadyMs: DurationMs | null;
}

/** A drill in table.json. */
export interface DrillLine {
  /** Its position in the order of drills, from 1. A drill in multiple rows has the same number in each. */
  readonly number: number;
  readonly scenario: string;
  readonly round: number;
  readonly runId: string | null;
  readonly verdict: VerdictWord | null;
  readonly healed: boolean | null;
  readonly reasons: readonly string[];
  readonly notRun: string | null;
  readonly measured: Measure | null;
  /** Lower bound of a figure that timed out, ms; absent if it did not, and in tables of older versions. */
  readonly longerThanMs?: DurationMs;
  /** The run ended before the drill was complete. */
  readonly cutShort?: true;
  readonly rpo: Summary['rpo'];
  readonly redundancyMs: DurationMs | null;
  readonly backToSteadyMs: DurationMs | null;
}

/** A row with the results of its drills. Times in ms. */
export interface RowLine extends TableRow {
  /** Statistics of the drills' estimates; `bounds` span from the lowest lower bound to the highest upper bound. */
  readonly measured: {
    readonly count: number;
    readonly minMs: DurationMs;
    readonly medianMs: DurationMs;
    readonly maxMs: DurationMs;
    readonly bounds: { readonly minMs: DurationMs; readonly maxMs: DurationMs };
  } | null;
  /** Row counts are sums over the drills, the time is the longest; null if no drill measured it. */
  readonly rpo: Summary['rpo'];
  /** The longest of the drills. */
  readonly redundancyMs: DurationMs | null;
  /** The longest of the drills. */
  readonly backToSteadyMs: DurationMs | null;
  /** The worst verdict of the drills. null: none was run. */
  readonly verdict: VerdictWord | null;
  readonly healed: boolean;
  readonly passed: number;
  /** Statistics of repeated drills; absent if no drill was repeated. */
  readonly repeats?: readonly (Repeats & { readonly scenario: string })[];
  readonly drills: readonly DrillLine[];
}

/** The part of a table that one of multiple machines ran. */
export interface TableShard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** SHA-256 of the suite file. */
  readonly suite: string;
  /** SHA-256 of everything that identifies the drills of the complete table. */
  readonly drills: string;
  /** Seed of the faults' jitter; null if no fault has a jitter. */
  readonly seed: number | null;
  /** Indices in the suite of this shard's rows, from 0. */
  readonly rows: readonly number[];
}

/** table.json. */
export interface FailureTable {
  readonly schemaVersion: 1;
  readonly name: string;
  readonly title: string;
  readonly target: string;
  /** The release that was drilled, as `--label` names it. */
  readonly label?: string;
  readonly startedAt: string;
  readonly endedAt: string;
  /** False if the table was stopped, or if drills were skipped because the stack was not steady. */
  readonly complete: boolean;
  /** Comparison with earlier runs; absent without a baseline. */
  readonly baseline?: BaselineGate;
  /** Absent in a complete table. */
  readonly shard?: TableShard;
  readonly rows: readonly RowLine[];
}

function drillLine(figure: string, drill: TableDrill): DrillLine {
  const { number, name, round, summary, notRun, backToSteadyMs } = drill;
  const measured = summary === null ? null : figureOf(figure, summary);
  const longerThanMs = summary?.longerThan?.[figure];
  return {
    number,
    scenario: name,
    round,
    runId: summary?.runId ?? null,
    verdict: summary?.verdict ?? null,
    healed: summary?.healed ?? null,
    reasons: summary?.reasons ?? [],
    notRun,
    measured: measured === null ? null : { ms: measured.ms, minMs: measured.minMs, maxMs: measured.maxMs },
    ...(longerThanMs === undefined ? {} : { longerThanMs }),
    ...(summary?.cutShort === true ? { cutShort: true as const } : {}),
    rpo: summary?.rpo ?? null,
    redundancyMs: summary?.redundancyRestoredMs ?? null,
    backToSteadyMs,
  };
}

/** The longest loss of a row's drills. */
function worstRpo(rpos: readonly NonNullable<Summary['rpo']>[]): Measure {
  const [{ ms, minMs, maxMs } = { ms: 0, minMs: 0, maxMs: 0 }] = [...rpos].sort((a, b) => b.ms - a.ms);
  return { ms, minMs, maxMs };
}

function longest(values: readonly (number | null)[]): number | null {
  const known = values.flatMap((v) => v ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

/** The worst verdict. A row with a drill that was not run is inconclusive at best. */
function worst(drills: readonly DrillLine[]): VerdictWord | null {
  const verdicts = drills.map((d) => d.verdict);
  if (verdicts.every((v) => v === null)) return null;
  if (verdicts.includes('fail')) return 'fail';
  return verdicts.every((v) => v === 'pass') ? 'pass' : 'inconclusive';
}

/** A row with the results of its drills. */
export function rowLine(row: TableRow, own: readonly TableDrill[]): RowLine {
  const { row: number, failure, recoveredBy, reported, figure } = row;
  const drills = own.map((d) => drillLine(figure, d));
  const measures = drills.flatMap((d) => d.measured ?? []);
  const estimates = measures.map((m) => m.ms);
  const rpos = drills.flatMap((d) => d.rpo ?? []);
  const sum = (of: (rpo: NonNullable<Summary['rpo']>) => number) => rpos.reduce((n, r) => n + of(r), 0);
  return {
    row: number,
    failure,
    recoveredBy,
    reported,
    figure,
    measured:
      measures.length === 0
        ? null
        : {
            count: measures.length,
            minMs: Math.min(...estimates),
            medianMs: median(estimates),
            maxMs: Math.max(...estimates),
            bounds: {
              minMs: Math.min(...measures.map((m) => m.minMs)),
              maxMs: Math.max(...measures.map((m) => m.maxMs)),
            },
          },
    rpo:
      rpos.length === 0
        ? null
        : {
            ...worstRpo(rpos),
            acked: sum((r) => r.acked),
            lost: sum((r) => r.lost),
            duplicated: sum((r) => r.duplicated),
          },
    redundancyMs: longest(drills.map((d) => d.redundancyMs)),
    backToSteadyMs: longest(drills.map((d) => d.backToSteadyMs)),
    verdict: worst(drills),
    healed: drills.every((d) => d.healed !== false),
    passed: drills.filter((d) => d.verdict === 'pass').length,
    ...repeatsIn(figure, own),
    drills,
  };
}

/** Statistics of a row's repeats by scenario, because different drills do not share a distribution. */
function repeatsIn(figure: string, drills: readonly TableDrill[]): Pick<RowLine, 'repeats'> {
  const scenarios = [...new Set(drills.map(({ name }) => name))];
  const repeats = scenarios.flatMap((scenario) => {
    const run = drills.flatMap(({ name, summary }) => (name === scenario ? (summary ?? []) : []));
    const [predicted] = run.flatMap((summary) => predictedFigure(figure, summary) ?? []);
    const found = repeatsOf(
      run.flatMap((summary) => timedFigure(figure, summary) ?? []),
      run.length,
      predicted,
    );
    return found === null ? [] : [{ scenario, ...found }];
  });
  return repeats.length === 0 ? {} : { repeats };
}

/** The prediction of a row's figure. */
function predictedFigure(figure: string, { predicted }: Summary): Predicted | undefined {
  if (figure === 'rto') return predicted?.rto;
  return figure === 'redundancy' ? predicted?.redundancy : undefined;
}
