import { Command, Option } from 'commander';
import { positiveInteger } from '../option-values.ts';
import type { Output } from '../output.ts';
import { RepeatableOption } from '../repeatable-option.ts';
import { compareCommand, type CompareOptions } from './compare.ts';
import { historyCommand, type HistoryOptions } from './history.ts';
import { mergeReportsCommand, type MergeOptions } from './merge-reports.ts';

/** The commands on earlier runs, with their arguments and options. Some options are shared with other commands. */
export function keptDefinitions(
  { out, tolerance }: { readonly out: Option; readonly tolerance: Option },
  output: Output,
  done: (code: number) => void,
): readonly Command[] {
  const merge = new Command('merge-reports')
    .description('merge the shards of a failure table into one table')
    .argument('<folder...>', 'folders of the shards, or folders that contain them')
    .addOption(out)
    .option('--json', 'print the table as JSON', false)
    .action((folders: string[], options: MergeOptions) => {
      done(mergeReportsCommand(folders, options, output));
    });

  const history = new Command('history')
    .description('list earlier runs, newest first')
    .argument('[folder...]', 'folders of runs (default: reports)')
    .option('--scenario <name>', 'only runs of this scenario; `*` matches any text')
    .option('--target <name>', 'only runs of this target')
    .option('--label <name>', 'only runs with this label')
    .option('--since <when>', 'only runs since this date or not older than this age: 2026-11-01, 12h, 30d')
    .option('--limit <n>', 'at most this many runs (default: all)', positiveInteger)
    .addOption(
      new Option('--html <file>', 'write an HTML page with the RTO of each drill over time').conflicts(
        'json',
      ),
    )
    .option('--json', 'print JSON', false)
    .action((folders: string[], options: HistoryOptions) => {
      historyCommand(folders.length === 0 ? ['reports'] : folders, options, output);
    });

  const compare = new Command('compare')
    .description('compare two runs, folders of runs, tables, or releases (labels), stage by stage')
    .argument('<a>', 'folder of runs, of a table, or of a run; or a label')
    .argument('<b>', 'the same, to compare with A')
    .addOption(
      new RepeatableOption(
        '--in <folder>',
        'folder to search for runs with a label (default: reports)',
      ).argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]),
    )
    .addOption(new Option('--json', 'print JSON').default(false).conflicts('md'))
    .option('--md', 'print Markdown', false)
    .option(
      '--gate',
      'exit with 1 if B is slower than A by more than chance and the tolerance; needs at least 4 nights on each side',
      false,
    )
    .addOption(tolerance)
    .action((a: string, b: string, options: Omit<CompareOptions, 'in'> & { readonly in?: string[] }) => {
      done(compareCommand(a, b, { ...options, in: options.in ?? ['reports'] }, output));
    });
  return [merge, history, compare];
}
