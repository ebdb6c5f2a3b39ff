import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DrillError, messageOf } from '../core/errors.ts';
import { type DrillLine, type FailureTable, rowLine } from '../report/table.ts';
import { renderTableHtml } from '../report/html/table-html.ts';
import { renderTableJson, renderTableMarkdown } from '../report/table-text.ts';
import { runFolder, writeReports, writeWhole } from './run-folder.ts';

/** The folder of a table's drills, within the table's own. */
export const tableRuns = 'runs';

/** Whether a folder holds a failure table, not a single run. */
export function isTableFolder(folder: string): boolean {
  return existsSync(join(folder, 'table.json'));
}

/** Writes the files of a table. */
export function writeTable(folder: string, table: FailureTable): void {
  writeWhole(folder, 'table.md', renderTableMarkdown(table));
  writeWhole(folder, 'table.html', renderTableHtml(table));
  writeWhole(folder, 'table.json', renderTableJson(table));
}

/**
 * Judges the runs of a table anew, each from its event log, and makes the table from what they come to now. What no log
 * tells (the suite's rows, which drills were not run, the time back to steady) stays as it was.
 * @throws DrillError `invalid-input` when a run's log or the table cannot be read
 */
export function writeTableAnew(folder: string): FailureTable {
  const before = readTable(folder);
  const again = (drill: DrillLine) => ({
    number: drill.number,
    rowIndices: [],
    name: drill.scenario,
    round: drill.round,
    summary: drill.runId === null ? null : writeReports(runFolder(join(folder, tableRuns), drill.runId)),
    notRun: drill.notRun,
    backToSteadyMs: drill.backToSteadyMs,
  });
  const drills = new Map(
    before.rows.flatMap((row) => row.drills).map((drill) => [drill.number, drill] as const),
  );
  const judged = new Map([...drills].map(([number, drill]) => [number, again(drill)] as const));
  const rows = before.rows.map((row) =>
    rowLine(
      row,
      row.drills.flatMap((drill) => judged.get(drill.number) ?? []),
    ),
  );
  const table = { ...before, rows };
  writeTable(folder, table);
  return table;
}

function readTable(folder: string): FailureTable {
  const path = join(folder, 'table.json');
  try {
    const table = JSON.parse(readFileSync(path, 'utf8')) as FailureTable;
    if (table.schemaVersion === 1) return table;
  } catch (error) {
    throw new DrillError('invalid-input', `${path}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
  throw new DrillError('invalid-input', `${path}: not a failure table that this version knows`);
}
