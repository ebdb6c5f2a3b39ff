import { dirname, join } from 'node:path';
import type { DrillEntry } from '../../report/drills-page.ts';
import type { ReporterKind } from '../reporter.ts';
import { linkTo } from './link.ts';
import { writeReporterFile } from './write-file.ts';

/** A reporter kind that writes one page for the whole command; default: `file` in the folder of --out. */
export function drillsPageKind(
  name: string,
  file: string,
  render: (drills: readonly DrillEntry[], error?: string) => string,
): ReporterKind {
  return {
    name,
    describe: `a page with a row for each drill; default: ${file} in the folder of --out`,
    value: 'file',
    create: (value, { out }) => ({
      runEnded({ drills, error }) {
        const path = value ?? join(out, file);
        const entries = drills.map(({ summary, folder }) => ({
          summary,
          link: linkTo(folder, dirname(path)),
        }));
        writeReporterFile(path, render(entries, error?.message));
      },
    }),
  };
}
