import { durationText } from '../core/format-duration.ts';
import type { Measure } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';

/** A difference with its sign: `+2.10 s`, `−437 ms`, `0 ms`. */
export function signedText(ms: DurationMs): string {
  const words = durationText(Math.abs(ms));
  return words === '0 ms' ? words : `${ms < 0 ? '−' : '+'}${words}`;
}

/**
 * An estimate: `36.21 s`. If the lower bound is 0, the middle of the bounds is no estimate: `up to
 * 8.64 s`.
 */
export function estimateText(m: Measure): string {
  return m.minMs === 0 && m.ms > 0 ? `up to ${durationText(m.maxMs)}` : durationText(m.ms);
}

/** An estimate with its bounds: `36.21 s (36.18 s to 36.24 s)`, or `up to 8.64 s` if the lower bound is 0. */
export function measureText(m: Measure): string {
  if (m.minMs === 0 && m.ms > 0) return estimateText(m);
  return `${durationText(m.ms)} (${durationText(m.minMs)} to ${durationText(m.maxMs)})`;
}

/** `a`, `a and b`, `a, b, and c`. */
export function listText(words: readonly string[]): string {
  if (words.length < 3) return words.join(' and ');
  return `${words.slice(0, -1).join(', ')}, and ${words.at(-1) ?? ''}`;
}
