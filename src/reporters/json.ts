import { renderTableJson } from '../report/table-text.ts';
import { byScenario, repeatsIn } from './lib/repeats.ts';
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
        if (command === 'run') put(summaryLine(drill, before));
      },
      runEnded({ table, baseline }) {
        if (baseline !== undefined) put(`${JSON.stringify({ schemaVersion: 1, baseline })}\n`);
        if (table !== undefined) put(renderTableJson(table.table));
        if (file !== undefined) writeWhole(file, lines.join(''));
      },
    };
  },
};

/** The summary with what it came to together with those of the same drill before it. */
function summaryLine(drill: FinishedDrill, drills: readonly FinishedDrill[]): string {
  const same = byScenario(drills).find((one) => one.includes(drill)) ?? [];
  const repeats = repeatsIn(same);
  return `${JSON.stringify(repeats === null ? drill.summary : { ...drill.summary, repeats })}\n`;
}
