import { chaostoolkit } from './chaostoolkit.ts';
import { events } from './events.ts';
import { github } from './github.ts';
import { grafana } from './grafana.ts';
import { html } from './html.ts';
import { json } from './json.ts';
import { junit } from './junit.ts';
import { list } from './list.ts';
import { markdown } from './markdown.ts';
import { openmetrics } from './openmetrics.ts';
import { otlp } from './otlp.ts';
import { pushgateway } from './pushgateway.ts';
import type { ReporterKind } from './reporter.ts';
import { slack } from './slack.ts';
import { webhook } from './webhook.ts';

/** All reporters, in the order in which help and docs list them. */
export const reporterKinds: readonly ReporterKind[] = [
  list,
  json,
  events,
  junit,
  markdown,
  html,
  github,
  openmetrics,
  pushgateway,
  otlp,
  grafana,
  webhook,
  slack,
  chaostoolkit,
];
