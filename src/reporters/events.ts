import { summaryWithRepeats } from './lib/repeats.ts';
import type { FinishedDrill, ReporterKind } from './reporter.ts';

/**
 * All that happens, as it happens, a line of JSON each: the events of each drill's log, then `drill.summary` once it is over, and
 * `command.ended` as the last line. What `--json` of `run` and `table` prints.
 */
export const events: ReporterKind = {
  name: 'events',
  describe:
    'each event as it is logged, a line of JSON on stdout; a drill begins with `run.started`, and its summary follows',
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
