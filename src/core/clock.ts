/**
 * The only source of time. A run has one clock whose offsets are milliseconds
 * since the run started, on the machine's monotonic clock; wall time enters
 * only through anchors, so that a stepped wall clock changes no duration.
 */
export interface Clock {
  /** Milliseconds since the run started, monotonic, microsecond resolution. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch, for anchors and file names only. */
  wallMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Rounds an offset to whole microseconds: what the event log stores. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
