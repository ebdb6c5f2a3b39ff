import type { BadWindow } from '../../../src/analysis/windows.ts';
import type { FigureOutcome } from './judge.ts';
import type { Outages } from './sight.ts';

/** Rounding error of times in whole microseconds, ms. */
const roundingMs = 0.002;

function isWithin(ms: number, loMs: number, hiMs: number): boolean {
  return ms >= loMs - roundingMs && ms <= hiMs + roundingMs;
}

/** Judges each `down` window: a true outage must begin within the bounds of its start, and one must end within those of its end. */
export function judgeWindows(
  windows: readonly BadWindow[],
  { full, most }: Outages,
): readonly FigureOutcome[] {
  return windows.flatMap((window): FigureOutcome[] => {
    if (window.state !== 'down') return [];
    const begins = full.some((o) => isWithin(o.fromMs, window.startLoMs, window.startHiMs));
    const ends = full.some((o) => isWithin(o.toMs, window.endLoMs, window.endHiMs));
    // If no outage of `most` covers the inner part of a window, the window claims too much.
    const innerLoMs = Math.min(window.startHiMs, window.endLoMs);
    const innerHiMs = Math.max(window.startHiMs, window.endLoMs);
    const isCovered =
      window.endLoMs <= window.startHiMs ||
      most.some((o) => o.fromMs <= innerLoMs + roundingMs && o.toMs >= innerHiMs - roundingMs);
    return [begins && (ends || window.open) && isCovered ? 'held' : 'violated'];
  });
}

/** Judges whether every outage that samples met is in a window. An outage with only late answers may be in a `slow` window. */
export function judgeCompleteness(
  windows: readonly BadWindow[],
  { least }: Outages,
): readonly FigureOutcome[] {
  return least.map((outage) =>
    windows.some((w) => w.startLoMs <= outage.toMs && w.endHiMs >= outage.fromMs) ? 'held' : 'violated',
  );
}

/** Judges each `slow` window by the true edges; only for services whose answers are late only during a hang. */
export function judgeSlowWindows(windows: readonly BadWindow[], { full }: Outages): readonly FigureOutcome[] {
  return windows.flatMap((window): FigureOutcome[] => {
    if (window.state !== 'slow') return [];
    const begins = full.some((o) => isWithin(o.fromMs, window.startLoMs, window.startHiMs));
    const ends = full.some((o) => isWithin(o.toMs, window.endLoMs, window.endHiMs));
    return [begins && ends ? 'held' : 'violated'];
  });
}

/** Windows as text. */
export function windowText(windows: readonly BadWindow[]): string {
  return windows
    .map((w) => `${w.state} [${w.startLoMs}, ${w.startHiMs}] to [${w.endLoMs}, ${w.endHiMs}]`)
    .join('; ');
}
