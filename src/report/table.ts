import type { Gate } from '../analysis/gate.ts';
import { figureOf, timedFigure } from '../analysis/figures.ts';
import { median, repeatsOf } from '../analysis/repeats.ts';
import type { Measure, Predicted, Repeats, Summary, VerdictWord } from '../core/summary.ts';

/** A row of the failure table as the suite states it. */
export interface TableRow {
  readonly row: string;
  readonly failure: string;
  readonly recoveredBy: string;
  readonly reported: string;
  /** What "measured" shows: `rto`, `first`, `downtime`, `return`, `heal-outage`, `redundancy`, `happens:NAME`. */
  readonly figure: string;
}

/** What became of one drill of the table. */
export interface TableDrill {
  /** Its place in the table's run, from 1. */
  readonly number: number;
  /** Indices of the suite's rows that show it. */
  readonly rowIndices: readonly number[];
  /** Name of the scenario, or of one combination of its matrix. */
  readonly name: string;
  /** From 0; the drill's place in `--repeat`. */
  readonly round: number;
  /** null: not run. */
  readonly summary: Summary | null;
  /** Why it was not run. */
  readonly notRun: string | null;
  /** From the end of the drill until the target was seen steady again; null when that was not seen, or not waited for. */
  readonly backToSteadyMs: number | null;
}

/** A drill as table.json has it. */
export interface DrillLine {
  /** Its place in the table's run, from 1: a drill that several rows show has one. */
  readonly number: number;
  readonly scenario: string;
  readonly round: number;
  readonly runId: string | null;
  readonly verdict: VerdictWord | null;
  readonly healed: boolean | null;
  readonly reasons: readonly string[];
  readonly notRun: string | null;
  readonly measured: Measure | null;
  /** What the figure was longer than, ms, where its end was not seen; absent where it was, and in tables of older versions. */
  readonly longerThanMs?: number;
  /** The run was ended before its drill was over. */
  readonly cutShort?: true;
  readonly rpo: Summary['rpo'];
  readonly redundancyMs: number | null;
  readonly backToSteadyMs: number | null;
}

/** A row with what its drills came to. Times in ms. */
export interface RowLine extends TableRow {
  /** Of the drills' estimates; bounds from the lowest lower to the highest upper one. */
  readonly measured: {
    readonly count: number;
    readonly minMs: number;
    readonly medianMs: number;
    readonly maxMs: number;
    readonly bounds: { readonly minMs: number; readonly maxMs: number };
  } | null;
  /** Rows are the sum over the drills, the time is the longest of them; null where none measured it. */
  readonly rpo: Summary['rpo'];
  /** The longest of the drills. */
  readonly redundancyMs: number | null;
  /** The longest of the drills. */
  readonly backToSteadyMs: number | null;
  /** The worst of the drills. null: none was run. */
  readonly verdict: VerdictWord | null;
  readonly healed: boolean;
  readonly passed: number;
  /** What repeats came to, by drill; absent where none was repeated. */
  readonly repeats?: readonly (Repeats & { readonly scenario: string })[];
  readonly drills: readonly DrillLine[];
}

/** The part of a table that one machine of several ran. */
export interface TableShard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** SHA-256 of the suite file. */
  readonly suite: string;
  /** SHA-256 of what tells all drills of the whole table from others. */
  readonly drills: string;
  /** What drew the moments of faults; null where none has a jitter. */
  readonly seed: number | null;
  /** Places in the suite of the rows that are here, from 0. */
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
  /** False when the table was stopped, or drills were left out because the stack was not steady. */
  readonly complete: boolean;
  /** Held against earlier runs; absent where they were not. */
  readonly baseline?: Gate;
  /** Absent in a whole table. */
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

/** The worst verdict; a drill that was not run leaves a row undecided at best. */
function worst(drills: readonly DrillLine[]): VerdictWord | null {
  const verdicts = drills.map((d) => d.verdict);
  if (verdicts.every((v) => v === null)) return null;
  if (verdicts.includes('fail')) return 'fail';
  return verdicts.every((v) => v === 'pass') ? 'pass' : 'inconclusive';
}

/** A row with what its drills came to. */
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

/** Repeats of a row's drills, each told apart by its scenario: different drills have no distribution in common. */
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

/** What the models say of the figure that a row shows. */
function predictedFigure(figure: string, { predicted }: Summary): Predicted | undefined {
  if (figure === 'rto') return predicted?.rto;
  return figure === 'redundancy' ? predicted?.redundancy : undefined;
}
