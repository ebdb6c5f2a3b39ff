import { Command, Option } from 'commander';
import { positiveInteger } from '../option-values.ts';
import type { Output } from '../output.ts';
import { compareCommand, type CompareOptions } from './compare.ts';
import { historyCommand, type HistoryOptions } from './history.ts';
import { mergeReportsCommand, type MergeOptions } from './merge-reports.ts';

/** The commands on runs that are kept: their arguments and options, some of them shared with other commands. */
export function keptDefinitions(
  { out, tolerance }: { readonly out: Option; readonly tolerance: Option },
  output: Output,
  done: (code: number) => void,
): readonly Command[] {
  const merge = new Command('merge-reports')
    .description('make one table of the shards of a table')
    .argument('<folder...>', 'folders of the shards, or folders that they are in')
    .addOption(out)
    .option('--json', 'print the table as JSON on stdout', false)
    .action((folders: string[], options: MergeOptions) => {
      done(mergeReportsCommand(folders, options, output));
    });

  const history = new Command('history')
    .description('list the runs that are kept, the newest first')
    .argument('[folder...]', 'folders of runs, `reports` by default')
    .option('--scenario <name>', 'only this one; `*` stands for anything')
    .option('--target <name>', 'only of this target')
    .option('--label <name>', 'only of this release')
    .option('--since <when>', 'only from this date on, or not older than: 2026-11-01, 12h, 30d')
    .option('--limit <n>', 'only so many', positiveInteger)
    .addOption(
      new Option('--html <file>', 'write the RTO of each drill over time as a page').conflicts('json'),
    )
    .option('--json', 'as JSON', false)
    .action((folders: string[], options: HistoryOptions) => {
      historyCommand(folders.length === 0 ? ['reports'] : folders, options, output);
    });

  const compare = new Command('compare')
    .description('compare two runs, folders of runs, tables, or releases (labels), stage by stage')
    .argument('<a>', 'folder of runs, of a table or a run, or a label')
    .argument('<b>', 'what is compared with it')
    .addOption(
      new Option(
        '--in <folder>',
        'where runs with a label are looked for; may be given several times, reports by default',
      ).argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]),
    )
    .addOption(new Option('--json', 'as JSON').default(false).conflicts('md'))
    .option('--md', 'as Markdown', false)
    .option(
      '--gate',
      'exit with 1 if B is slower than A by more than chance and the tolerance; takes at least 4 nights on each side',
      false,
    )
    .addOption(tolerance)
    .action((a: string, b: string, options: Omit<CompareOptions, 'in'> & { readonly in?: string[] }) => {
      done(compareCommand(a, b, { ...options, in: options.in ?? ['reports'] }, output));
    });
  return [merge, history, compare];
}
