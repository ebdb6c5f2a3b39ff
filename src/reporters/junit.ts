import { join } from 'node:path';
import { renderJunit } from '../report/junit.ts';
import type { FailureTable } from '../report/table.ts';
import { writeReporterFile } from './lib/write-file.ts';
import type { ReporterKind } from './reporter.ts';

/** One JUnit file for the whole command. */
export const junit: ReporterKind = {
  name: 'junit',
  describe: 'a JUnit file for the whole command; default: junit.xml in the folder of --out',
  value: 'file',
  create: (file, { out }) => ({
    runEnded({ drills, table, error }) {
      const summaries = drills.map(({ summary }) => summary);
      writeReporterFile(
        file ?? join(out, 'junit.xml'),
        renderJunit(summaries, {
          notRun: notRunIn(table?.table),
          ...(error === undefined ? {} : { error: error.message }),
        }),
      );
    },
  }),
};

/** A table's drills that were not run, each once: name and reason. */
function notRunIn(table: FailureTable | undefined): readonly { name: string; why: string }[] {
  const drills = new Map(
    (table?.rows ?? []).flatMap((row) => row.drills).map((drill) => [drill.number, drill]),
  );
  return [...drills.values()].flatMap(({ scenario, notRun }) =>
    notRun === null ? [] : [{ name: scenario, why: notRun }],
  );
}
