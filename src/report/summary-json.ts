import type { Summary } from '../core/summary.ts';

/** summary.json: keys in the order that the analysis sets, indented by two spaces, with a newline at the end. */
export function renderSummaryJson(summary: Summary): string {
  return `${JSON.stringify(summary, undefined, 2)}\n`;
}
