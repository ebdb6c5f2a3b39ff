import { measureText } from '../analysis/format.ts';
import { durationText } from '../core/format-duration.ts';
import type { DurationMs } from '../core/time.ts';
import { repeatsText } from './repeats-text.ts';
import { gateLines, gateTitle, renderGateMarkdown, renderGateText } from './gate-text.ts';
import { capital, markdown, plain, wrap } from './text.ts';
import type { DrillLine, FailureTable, RowLine } from './table.ts';

/** Maximum line width of the text, characters. */
const width = 120;
const none = '–';

function time(ms: DurationMs | null): string {
  return ms === null ? none : durationText(ms);
}

/** One drill: `36.21 s (36.18 s to 36.24 s)`; multiple drills: `10.12 s / 12.31 s / 20.44 s (9.81 s to 20.93 s)`. */
function measuredText({ measured, drills }: RowLine): string {
  if (measured === null) return none;
  const { count, minMs, medianMs, maxMs, bounds } = measured;
  const of = count === drills.length ? '' : ` (of ${count})`;
  if (count === 1) return `${measureText({ ...bounds, ms: medianMs })}${of}`;
  const figures = [minMs, medianMs, maxMs].map(durationText).join(' / ');
  return `${figures} (${durationText(bounds.minMs)} to ${durationText(bounds.maxMs)})${of}`;
}

function rpoText(rpo: RowLine['rpo']): string {
  if (rpo === null) return none;
  return rpo.lost === 0 ? '0 lost' : `${durationText(rpo.ms)}, ${rpo.lost} lost`;
}

function verdictOf({ verdict, healed, passed, drills }: RowLine): string {
  const word = verdict ?? 'not run';
  const count = passed === drills.length || verdict === null ? '' : ` (${passed} of ${drills.length} passed)`;
  return `${healed ? '' : 'NOT HEALED, '}${word}${drills.length === 1 ? '' : count}`;
}

function outcomeOf(drill: DrillLine): string {
  if (drill.verdict === null) return 'not run';
  return drill.healed === false ? `${drill.verdict}, NOT HEALED` : drill.verdict;
}

/** Why a drill did not pass; empty for a pass. */
function whyOf(drill: DrillLine): string {
  if (drill.notRun !== null) return drill.notRun;
  return drill.verdict === 'pass' ? '' : drill.reasons.join('; ');
}

function isRepeated(table: FailureTable): boolean {
  return table.rows.some((r) => r.drills.some((d) => d.round > 0));
}

function nameOf(drill: DrillLine, repeated: boolean): string {
  return repeated ? `${drill.scenario} #${drill.round + 1}` : drill.scenario;
}

function drillMeasured({ measured }: DrillLine): string {
  return measured === null ? none : measureText(measured);
}

const head = [
  'row',
  'failure',
  'recovered by',
  'reported',
  'measured',
  'RPO',
  'to redundancy',
  'back to steady in',
  'verdict',
] as const;

function rowCells(row: RowLine): string[] {
  return [
    row.row,
    row.failure,
    row.recoveredBy,
    row.reported,
    row.figure === 'rto' ? measuredText(row) : `${measuredText(row)} ${figureText(row.figure)}`,
    rpoText(row.rpo),
    time(row.redundancyMs),
    time(row.backToSteadyMs),
    verdictOf(row),
  ];
}

/** The name of a figure that is not the RTO. */
function figureText(figure: string): string {
  return figure === 'first' ? 'first sign of recovery' : figure.replace(/^happens:/, '').replaceAll('-', ' ');
}

const drillHead = [
  'row',
  'drill',
  'measured',
  'RPO',
  'to redundancy',
  'back to steady in',
  'verdict',
] as const;

function drillCells(table: FailureTable): string[][] {
  const repeated = isRepeated(table);
  return table.rows.flatMap((row) =>
    row.drills.map((d) => [
      row.row,
      nameOf(d, repeated),
      drillMeasured(d),
      rpoText(d.rpo),
      time(d.redundancyMs),
      time(d.backToSteadyMs),
      outcomeOf(d),
    ]),
  );
}

/** `12 of 14 drills passed`, and whether the table is complete. */
function totalText(table: FailureTable): string {
  const drills = new Map(table.rows.flatMap((r) => r.drills).map((d) => [d.number, d]));
  const passed = [...drills.values()].filter((d) => d.verdict === 'pass').length;
  return `${passed} of ${drills.size} drills passed${table.complete ? '' : '; the table is not complete'}`;
}

const legend =
  "Measured: the estimate and its bounds; for multiple drills the lowest, median, and highest estimate, and the bounds of all. The other times are the longest of the row's drills.";

/** Rows in columns of at most `limits` characters, with wrapped cells and a rule below the head. */
function columns(rows: readonly (readonly string[])[], limits: readonly number[]): string[] {
  const cells = rows.map((row) => row.map((cell, i) => wrap(plain(cell), limits[i] ?? width)));
  const widths = limits.map((_, i) =>
    Math.max(...cells.map((row) => Math.max(...(row[i] ?? ['']).map((line) => line.length)))),
  );
  const lines = cells.map((row) => {
    const height = Math.max(...row.map((cell) => cell.length));
    return Array.from({ length: height }, (_, at) =>
      row
        .map((cell, i) => (cell[at] ?? '').padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  });
  const [first = [], ...rest] = lines;
  return [...first, widths.map((w) => '-'.repeat(w)).join('  '), ...rest.flat()];
}

/** Each drill that did not pass, once, with the reason. */
function whys(table: FailureTable): { readonly what: string; readonly why: string }[] {
  const repeated = isRepeated(table);
  const reported = new Set<number>();
  return table.rows.flatMap((row) =>
    row.drills.flatMap((drill) => {
      const why = reported.has(drill.number) ? '' : whyOf(drill);
      reported.add(drill.number);
      return why === '' ? [] : [{ what: `row ${row.row}, ${nameOf(drill, repeated)}`, why }];
    }),
  );
}

/** The table for the terminal: aligned, lines of at most 120 characters; ends with a newline. */
export function renderTableText(table: FailureTable): string {
  const reasons = whys(table).map(({ what, why }) => `${plain(what)}: ${plain(why)}`);
  return `${[
    plain(table.title),
    `target ${plain(table.target)}, ${table.startedAt} to ${table.endedAt}; ${totalText(table)}`,
    '',
    ...columns([head, ...table.rows.map(rowCells)], [4, 20, 16, 9, 20, 6, 10, 7, 12]),
    '',
    ...wrap(legend, width),
    '',
    ...columns([drillHead, ...drillCells(table)], [4, 38, 28, 6, 10, 7, 13]),
    ...repeated(table).flatMap(({ what, words }) => [
      '',
      `repeats: ${plain(what)}`,
      ...words.flatMap((line) => wrap(line, width - 4)).map((line) => `  ${line}`),
    ]),
    ...(reasons.length === 0 ? [] : ['', 'why']),
    ...reasons.flatMap((why) =>
      wrap(why, width - 4).map((line, i) => (i === 0 ? `  - ${line}` : `    ${line}`)),
    ),
    ...(table.baseline === undefined ? [] : ['', renderGateText(table.baseline).trimEnd()]),
  ].join('\n')}\n`;
}

/** The repeated drills with their statistics. */
function repeated(table: FailureTable): { readonly what: string; readonly words: readonly string[] }[] {
  return table.rows.flatMap(({ row, figure, repeats = [] }) =>
    repeats.map((found) => ({
      what: `row ${row}, ${found.scenario}${figure === 'rto' ? '' : `, ${figureText(figure)}`}`,
      words: repeatsText(found),
    })),
  );
}

function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const [first = [], ...rest] = rows;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(first), line(first.map(() => '---')), ...rest.map(line), ''];
}

/** Content of a failure table's page, as unescaped text. */
export interface TableParts {
  readonly total: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly legend: string;
  readonly drillHead: readonly string[];
  /** The second cell is the drill's name. */
  readonly drills: readonly { readonly runId: string | null; readonly cells: readonly string[] }[];
  readonly repeats: readonly { readonly what: string; readonly words: readonly string[] }[];
  readonly whys: readonly { readonly what: string; readonly why: string }[];
  /** null: no baseline. */
  readonly baseline: { readonly title: string; readonly lines: ReturnType<typeof gateLines> } | null;
}

/** The table, its drills, the statistics of repeats, and why drills did not pass. */
export function tableParts(table: FailureTable): TableParts {
  const drills = table.rows.flatMap((row) => row.drills);
  return {
    total: capital(totalText(table)),
    head,
    rows: table.rows.map(rowCells),
    legend,
    drillHead,
    drills: drillCells(table).map((cells, i) => ({ runId: drills[i]?.runId ?? null, cells })),
    repeats: repeated(table),
    whys: whys(table),
    baseline:
      table.baseline === undefined
        ? null
        : { title: capital(gateTitle(table.baseline)), lines: gateLines(table.baseline) },
  };
}

/** table.md: the table, each drill with a link to its report, and why drills did not pass. */
export function renderTableMarkdown(table: FailureTable): string {
  const parts = tableParts(table);
  const cells = parts.drills.map((drill) =>
    drill.cells.map((cell, column) =>
      column === 1 && drill.runId !== null
        ? `[${markdown(cell)}](runs/${drill.runId}/report.md)`
        : markdown(cell),
    ),
  );
  const reasons = parts.whys.map(({ what, why }) => `- ${markdown(what)}: ${markdown(why)}`);
  return `${[
    `# ${markdown(table.title)}`,
    '',
    `${parts.total}. Target ${markdown(table.target)}, ${table.startedAt} to ${table.endedAt}.`,
    '',
    ...markdownTable([parts.head, ...parts.rows.map((row) => row.map(markdown))]),
    legend,
    '',
    '## Drills',
    '',
    ...markdownTable([parts.drillHead, ...cells]),
    ...parts.repeats.flatMap(({ what, words }) => [
      `## Repeats: ${markdown(what)}`,
      '',
      ...words.map((line) => `- ${markdown(line)}`),
      '',
    ]),
    ...(reasons.length === 0 ? [] : ['## Why', '', ...reasons, '']),
    ...(table.baseline === undefined ? [] : [renderGateMarkdown(table.baseline)]),
  ]
    .join('\n')
    .trimEnd()}\n`;
}

/** table.json: keys in the order in which they are set, indented by two spaces, with a newline at the end. */
export function renderTableJson(table: FailureTable): string {
  return `${JSON.stringify(table, undefined, 2)}\n`;
}
