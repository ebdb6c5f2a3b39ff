import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DrillError, messageOf } from '../core/errors.ts';
import type { Summary } from '../core/summary.ts';
import { type DrillLine, type FailureTable, rowLine } from '../report/table.ts';
import { renderTableHtml } from '../report/html/table-html.ts';
import { renderTableJson, renderTableMarkdown } from '../report/table-text.ts';
import { reportFile, runFolder, writeReports } from './run-folder.ts';

/** Name of the folder of a table's drills, in the table's own folder. */
export const tableRuns = 'runs';

/** Whether a folder is that of a failure table, not of a single run. */
export function isTableFolder(folder: string): boolean {
  return existsSync(join(folder, 'table.json'));
}

/** Writes the files of a table. A failed write does not stop the other writes. Returns the first error. */
export function writeTable(folder: string, table: FailureTable): DrillError | undefined {
  // table.json comes first, because the other files can be made from it.
  const files = [
    ['table.json', renderTableJson(table)],
    ['table.md', renderTableMarkdown(table)],
    ['table.html', renderTableHtml(table)],
  ] as const;
  return files
    .map(([name, text]) => {
      const file = reportFile(folder, name);
      file.write(text);
      return file.end();
    })
    .find((error) => error !== undefined);
}

/**
 * Judges the runs of a table again from their event logs, and makes the table from the new summaries. Data that no log
 * contains stays as it was: the suite's rows, the drills that did not run, the time back to the steady state, and the
 * result against a baseline. `unwritten`: errors of files that could not be written.
 * @throws DrillError `invalid-input` if a run's log or the table cannot be read
 */
export function rewriteTable(folder: string): {
  readonly table: FailureTable;
  readonly unwritten: readonly DrillError[];
} {
  const before = readTable(folder);
  const unwritten: DrillError[] = [];
  const judge = (runId: string): Summary => {
    const reports = writeReports(runFolder(join(folder, tableRuns), runId));
    unwritten.push(...reports.unwritten);
    return reports.summary;
  };
  const again = (drill: DrillLine) => ({
    number: drill.number,
    rowIndices: [],
    name: drill.scenario,
    round: drill.round,
    summary: drill.runId === null ? null : judge(drill.runId),
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
  const failure = writeTable(folder, table);
  if (failure !== undefined) unwritten.push(failure);
  return { table, unwritten };
}

/** Reads the table in a folder. @throws DrillError `invalid-input` if there is none that this version can read */
export function readTable(folder: string): FailureTable {
  const path = join(folder, 'table.json');
  try {
    const table = JSON.parse(readFileSync(path, 'utf8')) as FailureTable;
    if (table.schemaVersion === 1) return table;
  } catch (error) {
    throw new DrillError('invalid-input', `${path}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
  throw new DrillError(
    'invalid-input',
    `${path}: not a failure table that this version of firedrill can read`,
  );
}
