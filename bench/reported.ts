import type { RunLog } from '../src/analysis/run-log.ts';
import { type BadWindow, badWindows, durationOf } from '../src/analysis/windows.ts';
import type { ReportedWindow } from './judge.ts';

/** One sample of a tool. `atMs` is the tool's own timestamp, or the arrival of its line, on the clock of `monoMs`. */
export interface Sample {
  readonly atMs: number;
  readonly ok: boolean;
}

/** Windows for tools without windows: from the first failed sample to the next good one. */
export function windowsOfSamples(samples: readonly Sample[]): readonly ReportedWindow[] {
  const windows: ReportedWindow[] = [];
  let sinceMs: number | undefined;
  for (const { atMs, ok } of samples) {
    if (!ok) sinceMs ??= atMs;
    else if (sinceMs !== undefined) {
      windows.push({ fromMs: sinceMs, toMs: atMs, ms: atMs - sinceMs });
      sinceMs = undefined;
    }
  }
  return windows;
}

/** firedrill's own windows of one probe, including late answers. */
export function firedrillWindows(log: RunLog, probe: string, originMs: number): readonly ReportedWindow[] {
  const series = log.series.get(probe);
  if (series === undefined) throw new Error(`no probe ${probe} in the log`);
  return reportedWindows(badWindows(log, series), originMs);
}

/** Windows of the analysis on the clock of `monoMs`. */
export function reportedWindows(windows: readonly BadWindow[], originMs: number): readonly ReportedWindow[] {
  return windows.map((window) => {
    const { ms, minMs, maxMs } = durationOf(window);
    const start = { loMs: window.startLoMs + originMs, hiMs: window.startHiMs + originMs };
    const end = { loMs: window.endLoMs + originMs, hiMs: window.endHiMs + originMs };
    return { fromMs: start.loMs, toMs: end.hiMs, ms, bounds: { start, end, minMs, maxMs } };
  });
}
