import { join } from 'node:path';
import { measureText } from '../analysis/format.ts';
import { renderGateText } from '../report/gate-text.ts';
import { repeatsText } from '../report/repeats-text.ts';
import { renderTableText } from '../report/table-text.ts';
import { aligned, plain } from '../report/text.ts';
import { renderVerdictText, verdictText } from '../report/verdict-text.ts';
import { byScenario, repeatsIn } from './lib/repeats.ts';
import type { FinishedDrill, ReporterKind } from './reporter.ts';

/** The verdicts as text for a terminal. */
export const list: ReporterKind = {
  name: 'list',
  describe: 'verdicts as text on stdout (default)',
  stdout: true,
  create: (_, { command, text }) => ({
    drillEnded({ summary, folder }) {
      if (command === 'run')
        text(
          `\n${renderVerdictText(summary)}\nreport: ${join(folder, 'report.html')} (as text: report.md)\n`,
        );
    },
    runEnded({ drills, table, baseline }) {
      if (table !== undefined) text(`\n${renderTableText(table.table)}`);
      else if (command === 'run') text(`${repeatsSection(drills)}${linesText(drills)}`);
      if (baseline !== undefined) text(`\n${renderGateText(baseline)}`);
    },
  }),
};

/** Statistics of repeated drills; empty if no drill was repeated. */
function repeatsSection(drills: readonly FinishedDrill[]): string {
  return byScenario(drills)
    .map((same) => {
      const repeats = repeatsIn(same);
      if (repeats === null) return '';
      const words = repeatsText(repeats).map((line) => `  ${line}\n`);
      return `\nRTO of ${plain(same[0]?.summary.scenario.name ?? '')}\n${words.join('')}`;
    })
    .join('');
}

/** A line for each drill with verdict, name, and RTO with its bounds; empty for a single drill. */
function linesText(drills: readonly FinishedDrill[]): string {
  if (drills.length < 2) return '';
  const rows = drills.map(({ summary }) => [
    verdictText(summary),
    plain(summary.scenario.name),
    summary.rto === null ? 'RTO not measured' : `RTO ${measureText(summary.rto)}`,
  ]);
  const passed = drills.filter(({ summary }) => summary.verdict === 'pass').length;
  return `\n${passed} of ${drills.length} drills passed\n${aligned(rows).join('\n')}\n`;
}
