import { join } from 'node:path';
import { renderJunit } from '../report/junit.ts';
import { notRunIn } from './lib/not-run.ts';
import { writeAtomic } from './lib/write-file.ts';
import type { ReporterKind } from './reporter.ts';

/** One JUnit file for the whole command. */
export const junit: ReporterKind = {
  name: 'junit',
  describe: 'a JUnit file for the whole command; default: junit.xml in the folder of --out',
  value: 'file',
  create: (file, { out }) => ({
    runEnded({ drills, table, error }) {
      const summaries = drills.map(({ summary }) => summary);
      writeAtomic(
        file ?? join(out, 'junit.xml'),
        renderJunit(summaries, {
          notRun: notRunIn(table?.table),
          ...(error === undefined ? {} : { error: error.message }),
        }),
      );
    },
  }),
};
