import type { ReporterKind } from './reporter.ts';

/** The event log of each drill while it goes on. */
export const events: ReporterKind = {
  name: 'events',
  describe: 'each event as it is logged, a line of JSON on stdout; a drill begins with `run.started`',
  stdout: true,
  create: (_, { data }) => ({
    event: (event) => data(`${JSON.stringify(event)}\n`),
  }),
};
