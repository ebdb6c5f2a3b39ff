import type { BadWindow } from '../../../src/analysis/windows.ts';
import type { FigureOutcome } from './judge.ts';
import type { Outages } from './sight.ts';

/** Microseconds are rounded, ms. */
const roundingMs = 0.002;

function isWithin(ms: number, loMs: number, hiMs: number): boolean {
  return ms >= loMs - roundingMs && ms <= hiMs + roundingMs;
}

/** Judges each `down` window by the true edges: an outage has to begin, and one to end, within its bounds. */
export function judgeWindows(
  windows: readonly BadWindow[],
  { full, most }: Outages,
): readonly FigureOutcome[] {
  return windows.flatMap((window): FigureOutcome[] => {
    if (window.state !== 'down') return [];
    const begins = full.some((o) => isWithin(o.fromMs, window.startLoMs, window.startHiMs));
    const ends = full.some((o) => isWithin(o.toMs, window.endLoMs, window.endHiMs));
    // A window that no outage of `most` covers as a whole claims more than was so.
    const innerLoMs = Math.min(window.startHiMs, window.endLoMs);
    const innerHiMs = Math.max(window.startHiMs, window.endLoMs);
    const isCovered =
      window.endLoMs <= window.startHiMs ||
      most.some((o) => o.fromMs <= innerLoMs + roundingMs && o.toMs >= innerHiMs - roundingMs);
    return [begins && (ends || window.open) && isCovered ? 'held' : 'violated'];
  });
}

/** Judges whether every outage that samples met is in a window; one that was only seen as late answers may be in a slow one. */
export function judgeCompleteness(
  windows: readonly BadWindow[],
  { least }: Outages,
): readonly FigureOutcome[] {
  return least.map((outage) =>
    windows.some((w) => w.startLoMs <= outage.toMs && w.endHiMs >= outage.fromMs) ? 'held' : 'violated',
  );
}
