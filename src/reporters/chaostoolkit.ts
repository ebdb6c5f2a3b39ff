import { arch, hostname, release, type } from 'node:os';
import { join } from 'node:path';
import { journalOf } from './lib/chaos-journal.ts';
import { writeReporterFile } from './lib/write-file.ts';
import type { ReporterKind } from './reporter.ts';

/** Writes drills as Chaos Toolkit journals, for tools that read those. */
export const chaostoolkit: ReporterKind = {
  name: 'chaostoolkit',
  describe: 'a Chaos Toolkit journal for each drill: journal.json in the run’s folder, or RUN.json in FOLDER',
  value: 'folder',
  create: (folder) => ({
    drillEnded(drill) {
      const journal = journalOf(drill, { platform: `${type()}-${release()}-${arch()}`, node: hostname() });
      const path =
        folder === undefined
          ? join(drill.folder, 'journal.json')
          : join(folder, `${drill.summary.runId}.json`);
      writeReporterFile(path, `${JSON.stringify(journal, undefined, 2)}\n`);
    },
  }),
};
