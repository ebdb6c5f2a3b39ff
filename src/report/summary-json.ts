import type { Summary } from '../core/summary.ts';

/** summary.json: keys in the order in which the analysis sets them, two spaces, a newline at the end. */
export function renderSummaryJson(summary: Summary): string {
  return `${JSON.stringify(summary, undefined, 2)}\n`;
}
