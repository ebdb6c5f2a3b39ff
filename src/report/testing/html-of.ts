import type { LogBuilder } from '../../analysis/testing/log-builder.ts';
import { readLines } from '../../analysis/testing/log-builder.ts';
import { analyse } from '../../analysis/summarize.ts';
import { renderReportHtml } from '../html/report-html.ts';
import { LatencyOverTime } from '../latency-over-time.ts';

/** report.html of a built log. */
export function htmlOf(builder: LogBuilder): string {
  const latency = new LatencyOverTime();
  const log = readLines(builder.lines(), latency);
  return renderReportHtml(analyse(log), latency);
}
