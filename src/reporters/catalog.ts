import { events } from './events.ts';
import { json } from './json.ts';
import { list } from './list.ts';
import type { ReporterKind } from './reporter.ts';

/** Every reporter there is, in the order in which they are listed. */
export const reporterKinds: readonly ReporterKind[] = [list, json, events];
