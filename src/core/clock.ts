import type { DurationMs, RunMs, WallMs } from './time.ts';

/**
 * The only source of time. A run has one clock. Its offsets are milliseconds since the run's start on the
 * machine's monotonic clock. Wall time enters only through anchors, so a step of the wall clock changes no
 * duration.
 */
export interface Clock {
  /** Milliseconds since the run's start, monotonic, microsecond resolution. */
  nowMs(): RunMs;
  /** Milliseconds since the Unix epoch, for anchors and file names only. */
  wallMs(): WallMs;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts. */
  sleep(ms: DurationMs, signal: AbortSignal): Promise<void>;
}

/** Rounds an offset to whole microseconds, the resolution of the event log. */
export function roundMs<T extends number>(ms: T): T {
  return (Math.round(ms * 1000) / 1000) as T;
}
