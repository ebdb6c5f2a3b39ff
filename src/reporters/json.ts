import { renderTableJson } from '../report/table-text.ts';
import { summaryWithRepeats } from './lib/repeats.ts';
import { writeReporterFile } from './lib/write-file.ts';
import type { FinishedDrill, ReporterKind } from './reporter.ts';

/** Summaries for programs: each one on stdout when its drill ends, or all in a file. */
export const json: ReporterKind = {
  name: 'json',
  describe: 'each summary as a line of JSON, or the failure table of `table`; on stdout, or in FILE',
  value: 'file',
  stdout: true,
  create(file, { command, data }) {
    const lines: string[] = [];
    const put = (text: string): void => {
      if (file === undefined) data(text);
      else lines.push(text);
    };
    const before: FinishedDrill[] = [];
    return {
      drillEnded(drill) {
        before.push(drill);
        if (command === 'run') put(`${JSON.stringify(summaryWithRepeats(drill, before))}\n`);
      },
      runEnded({ table, baseline }) {
        if (baseline !== undefined) put(`${JSON.stringify({ schemaVersion: 1, baseline })}\n`);
        if (table !== undefined) put(renderTableJson(table.table));
        if (file !== undefined) writeReporterFile(file, lines.join(''));
      },
    };
  },
};
