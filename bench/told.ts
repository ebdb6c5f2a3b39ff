import type { RunLog } from '../src/analysis/read-log.ts';
import { badWindows, durationOf } from '../src/analysis/windows.ts';
import type { ToldWindow } from './judge.ts';

/** One look of a tool, at a moment of `monoMs` that the tool itself gives (or at which its line came). */
export interface Look {
  readonly atMs: number;
  readonly ok: boolean;
}

/** The reading that tools without one of their own get: from the first failed look to the first good one after it. */
export function windowsOfLooks(looks: readonly Look[]): readonly ToldWindow[] {
  const windows: ToldWindow[] = [];
  let sinceMs: number | undefined;
  for (const { atMs, ok } of looks) {
    if (!ok) sinceMs ??= atMs;
    else if (sinceMs !== undefined) {
      windows.push({ fromMs: sinceMs, toMs: atMs, ms: atMs - sinceMs });
      sinceMs = undefined;
    }
  }
  return windows;
}

/** firedrill's own windows of one probe, late answers among them. */
export function firedrillWindows(log: RunLog, probe: string, originMs: number): readonly ToldWindow[] {
  const series = log.series.get(probe);
  if (series === undefined) throw new Error(`no probe ${probe} in the log`);
  return badWindows(log, series).map((window) => {
    const { ms, minMs, maxMs } = durationOf(window);
    const start = { loMs: window.startLoMs + originMs, hiMs: window.startHiMs + originMs };
    const end = { loMs: window.endLoMs + originMs, hiMs: window.endHiMs + originMs };
    return { fromMs: start.loMs, toMs: end.hiMs, ms, bounds: { start, end, minMs, maxMs } };
  });
}
