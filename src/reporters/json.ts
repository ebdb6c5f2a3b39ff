import { renderTableJson } from '../report/table-text.ts';
import { summaryWithRepeats } from './lib/repeats.ts';
import { writeWhole } from './lib/write-file.ts';
import type { FinishedDrill, ReporterKind } from './reporter.ts';

/** Summaries for programs: as they come on stdout, or all of them in a file. */
export const json: ReporterKind = {
  name: 'json',
  describe: 'a summary a line as JSON, or the failure table of `table`; on stdout, or in a file',
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
        if (file !== undefined) writeWhole(file, lines.join(''));
      },
    };
  },
};
