import type { DurationMs } from './time.ts';

function trimmed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.?0+$/, '');
}

/** A configured duration, exact to a microsecond: `500 ms`, `1.5 s`, `90 s`, `2 min`, `5 min 30 s`. */
export function limitText(ms: DurationMs): string {
  if (ms < 1000) return `${trimmed(ms, 3)} ms`;
  if (ms < 120_000) return `${trimmed(ms / 1000, 3)} s`;
  const minutes = Math.floor(ms / 60_000);
  const rest = ms - minutes * 60_000;
  return rest === 0 ? `${minutes} min` : `${minutes} min ${trimmed(rest / 1000, 3)} s`;
}

/** A measured duration, rounded: `437 ms`, `36.21 s`, `2 min 05.3 s`. */
export function durationText(ms: DurationMs): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 119_995) return `${(ms / 1000).toFixed(2)} s`;
  const tenths = Math.round(ms / 100);
  const minutes = Math.floor(tenths / 600);
  return `${minutes} min ${((tenths - minutes * 600) / 10).toFixed(1).padStart(4, '0')} s`;
}

/** A running duration, for a live view: `14.2 s`, `2 min 05 s`. Its width changes as rarely as possible. */
export function runningText(ms: DurationMs): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 119.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** An offset from a moment (run start, fault effect), signed: `+36.214 s`, `-3.262 s`. */
export function offsetText(ms: DurationMs, digits = 3): string {
  return `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1000).toFixed(digits)} s`;
}
