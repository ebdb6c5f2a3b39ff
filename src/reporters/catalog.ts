import { events } from './events.ts';
import { github } from './github.ts';
import { json } from './json.ts';
import { junit } from './junit.ts';
import { list } from './list.ts';
import { markdown } from './markdown.ts';
import { openmetrics } from './openmetrics.ts';
import type { ReporterKind } from './reporter.ts';

/** Every reporter there is, in the order in which they are listed. */
export const reporterKinds: readonly ReporterKind[] = [
  list,
  json,
  events,
  junit,
  markdown,
  github,
  openmetrics,
];
