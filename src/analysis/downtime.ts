import { roundMs } from '../core/clock.ts';
import type { Measure } from '../core/summary.ts';
import { type BadWindow, durationOf } from './windows.ts';

/** How long the target was down. */
export interface Downtime {
  readonly total: Measure;
  /** How much of the upper bound is due to slow answers alone, ms. */
  readonly slowMs: number;
}

/**
 * The downtime of windows of one probe. `down` windows count in full. `unsure` and `slow` ones may be outages: they count in
 * the upper bound, with what no other window has already, and in the lower bound not at all.
 */
export function downtimeOf(windows: readonly BadWindow[]): Downtime {
  const total = { ms: 0, minMs: 0, maxMs: 0 };
  let slowMs = 0;
  const down = windows.filter((w) => w.state === 'down');
  for (const window of down) {
    const { ms, minMs, maxMs } = durationOf(window);
    total.ms += ms;
    total.minMs += minMs;
    total.maxMs += maxMs;
  }
  const covered: Span[] = down.map(spanOf);
  for (const window of windows) {
    if (window.state === 'down') continue;
    const span = spanOf(window);
    const moreMs = uncoveredMs(span, covered);
    covered.push(span);
    total.maxMs += moreMs;
    if (window.state === 'slow') slowMs += moreMs;
    else total.ms += Math.min(moreMs, durationOf(window).ms);
  }
  const { ms, minMs, maxMs } = total;
  return {
    total: { ms: roundMs(ms), minMs: roundMs(minMs), maxMs: roundMs(maxMs) },
    slowMs: roundMs(slowMs),
  };
}

/** A stretch of the run clock, ms. */
interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

function spanOf({ startLoMs, endHiMs }: BadWindow): Span {
  return { fromMs: startLoMs, toMs: endHiMs };
}

/** How much of a span no other has, ms. */
function uncoveredMs(span: Span, others: readonly Span[]): number {
  let leftMs = 0;
  let atMs = span.fromMs;
  for (const { fromMs, toMs } of [...others].sort((a, b) => a.fromMs - b.fromMs)) {
    if (toMs <= atMs || fromMs >= span.toMs) continue;
    leftMs += Math.max(0, fromMs - atMs);
    atMs = Math.max(atMs, toMs);
  }
  return leftMs + Math.max(0, span.toMs - atMs);
}
