import { summaryWithRepeats } from './lib/repeats.ts';
import type { FinishedDrill, ReporterKind } from './reporter.ts';

/**
 * Prints lines of JSON as they happen: each event of a drill's log, `drill.summary` after each drill, and `command.ended` as
 * the last line. `--json` of `run` and `table` selects this reporter.
 */
export const events: ReporterKind = {
  name: 'events',
  describe:
    'each event as a line of JSON on stdout, from `run.started` to `drill.summary`; the last line is `command.ended`',
  stdout: true,
  create: (_, { data }) => {
    const before: FinishedDrill[] = [];
    const put = (line: object): void => data(`${JSON.stringify(line)}\n`);
    return {
      event: put,
      drillEnded(drill) {
        before.push(drill);
        const { folder, exitCode } = drill;
        put({ type: 'drill.summary', folder, exitCode, summary: summaryWithRepeats(drill, before) });
      },
      runEnded: ({ exitCode, table, baseline, error }) =>
        put({
          type: 'command.ended',
          exitCode,
          ...(table === undefined ? {} : { folder: table.folder, table: table.table }),
          ...(baseline === undefined ? {} : { baseline }),
          ...(error === undefined ? {} : { error: error.message }),
        }),
    };
  },
};
