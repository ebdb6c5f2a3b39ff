import { join } from 'node:path';
import { renderMetrics } from '../report/openmetrics.ts';
import { writeWhole } from './lib/write-file.ts';
import type { ReporterKind } from './reporter.ts';

/** One file for the textfile collector of a node_exporter, which reads whatever is there at any time. */
export const openmetrics: ReporterKind = {
  name: 'openmetrics',
  describe: 'metrics for a textfile collector, metrics.prom in the folder of --out by default',
  value: 'file',
  create: (file, { out }) => ({
    runEnded({ drills }) {
      // Without a drill there is nothing new: what is there stays.
      if (drills.length > 0)
        writeWhole(file ?? join(out, 'metrics.prom'), renderMetrics(drills.map(({ summary }) => summary)));
    },
  }),
};
