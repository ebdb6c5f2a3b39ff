import { join } from 'node:path';
import { renderMetrics } from '../report/openmetrics.ts';
import { writeReporterFile } from './lib/write-file.ts';
import type { ReporterKind } from './reporter.ts';

/** One file for node_exporter's textfile collector, which may read it at any time. */
export const openmetrics: ReporterKind = {
  name: 'openmetrics',
  describe: 'metrics for a node_exporter textfile collector; default: metrics.prom in the folder of --out',
  value: 'file',
  create: (file, { out }) => ({
    runEnded({ drills }) {
      // Without a drill, the earlier file stays.
      if (drills.length > 0)
        writeReporterFile(
          file ?? join(out, 'metrics.prom'),
          renderMetrics(drills.map(({ summary }) => summary)),
        );
    },
  }),
};
