import { dirname, join, relative } from 'node:path';
import { renderDrillsMarkdown } from '../report/drills-markdown.ts';
import { writeWhole } from './lib/write-file.ts';
import type { ReporterKind } from './reporter.ts';

/** One page for the whole command. */
export const markdown: ReporterKind = {
  name: 'markdown',
  describe: 'a page with a row for each drill, drills.md in the folder of --out by default',
  value: 'file',
  create: (file, { out }) => ({
    runEnded({ drills, error }) {
      const path = file ?? join(out, 'drills.md');
      const entries = drills.map(({ summary, folder }) => ({
        summary,
        report: relative(dirname(path), join(folder, 'report.md')),
      }));
      writeWhole(path, renderDrillsMarkdown(entries, error?.message));
    },
  }),
};
