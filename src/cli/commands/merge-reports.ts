import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DrillError, ExitCode } from '../../core/errors.ts';
import { createSystemClock } from '../../engine/system-clock.ts';
import { isWorse } from '../../report/gate-text.ts';
import { mergeTables, placeText, type ShardTable } from '../../report/merge-tables.ts';
import type { FailureTable } from '../../report/table.ts';
import { renderTableJson, renderTableText } from '../../report/table-text.ts';
import { worstExitCode } from '../one-drill.ts';
import { type Output, printError } from '../output.ts';
import { makeRunFolder, newRunId, runFolder } from '../run-folder.ts';
import { isTableFolder, readTable, tableRuns, writeTable } from '../table-folder.ts';

/** Options of `firedrill merge-reports`. */
export interface MergeOptions {
  readonly out: string;
  readonly json: boolean;
}

/** Deepest level of folders. The shards in a downloaded artifact are not deeper. */
const deepest = 6;

/**
 * Merges the shards below folders into one table, together with their runs. Returns the exit code that the whole table
 * would have had. If a shard is missing, that is at best `inconclusive`.
 * @throws DrillError `invalid-input` if they are not shards of one table, or if a run of a shard is missing
 */
export function mergeReportsCommand(
  folders: readonly string[],
  options: MergeOptions,
  output: Output,
): number {
  const parts = folders
    .flatMap((folder) => tableFolders(folder, 0))
    .map((folder): ShardTable => ({
      folder,
      table: readTable(folder),
    }));
  const { table, missing } = mergeTables(parts);
  const runs = parts.flatMap(({ folder, table }) => runsOf(folder, table));
  const count = parts[0]?.table.shard?.count ?? 0;
  const folder = makeRunFolder(options.out, newRunId(`table-${table.name}`, createSystemClock().wallMs()));
  for (const { from, runId } of runs)
    cpSync(from, runFolder(join(folder, tableRuns), runId), { recursive: true });
  const unwritten = writeTable(folder, table);
  if (unwritten !== undefined) printError(unwritten, output);
  if (options.json) output.data(renderTableJson(table));
  else output.text(`\n${renderTableText(table)}`);
  for (const index of missing) output.progress(`shard ${placeText({ index, count })} is missing`);
  output.progress(`saved in ${folder}: table.html, table.md, and the drills in ${tableRuns}`);
  return worstExitCode([tableExitCode(table), ...(unwritten === undefined ? [] : [ExitCode.inconclusive])]);
}

/** The exit code for a table. */
function tableExitCode({ rows, complete, baseline }: FailureTable): number {
  if (rows.some((row) => !row.healed)) return ExitCode.notHealed;
  if (rows.some((row) => row.verdict === 'fail') || (baseline !== undefined && isWorse(baseline)))
    return ExitCode.verdictFail;
  const passed = complete && rows.every((row) => row.verdict === 'pass');
  return passed ? ExitCode.pass : ExitCode.inconclusive;
}

function tableFolders(folder: string, depth: number): readonly string[] {
  if (!existsSync(folder)) throw new DrillError('invalid-input', `${folder}: no such folder`);
  if (isTableFolder(folder)) return [folder];
  if (depth === deepest) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => join(folder, name))
    .sort()
    .flatMap((path) => tableFolders(path, depth + 1));
}

/** The runs of a shard's drills. @throws DrillError `invalid-input` if one is missing */
function runsOf(folder: string, table: FailureTable): { readonly from: string; readonly runId: string }[] {
  const ids = table.rows.flatMap((row) => row.drills.flatMap(({ runId }) => runId ?? []));
  return [...new Set(ids)].map((runId) => {
    const from = runFolder(join(folder, tableRuns), runId);
    if (!existsSync(from))
      throw new DrillError('invalid-input', `${from}: the run of a drill is missing from the shard`, {
        hint: `Copy the whole folder of the shard, including \`${tableRuns}\`.`,
      });
    return { from, runId };
  });
}
