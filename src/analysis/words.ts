import type { Measure } from '../core/summary.ts';

function trimmed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.?0+$/, '');
}

/** A limit as people write it: `500 ms`, `1.5 s`, `2 min`, `5 min 30 s`. */
export function limitWords(ms: number): string {
  if (ms < 1000) return `${trimmed(ms, 3)} ms`;
  if (ms < 60_000) return `${trimmed(ms / 1000, 3)} s`;
  const minutes = Math.floor(ms / 60_000);
  const rest = ms - minutes * 60_000;
  return rest === 0 ? `${minutes} min` : `${minutes} min ${trimmed(rest / 1000, 3)} s`;
}

/** A measured duration, as fine as it is useful: `437 ms`, `36.21 s`, `2 min 05.3 s`. */
export function durationWords(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 119_995) return `${(ms / 1000).toFixed(2)} s`;
  const tenths = Math.round(ms / 100);
  const minutes = Math.floor(tenths / 600);
  return `${minutes} min ${((tenths - minutes * 600) / 10).toFixed(1).padStart(4, '0')} s`;
}

/** A difference with its sign: `+2.10 s`, `−437 ms`, `0 ms`. */
export function signedWords(ms: number): string {
  const words = durationWords(Math.abs(ms));
  return words === '0 ms' ? words : `${ms < 0 ? '−' : '+'}${words}`;
}

/** An estimate: `36.21 s`. Where the lower bound is 0, the middle of the bounds estimates nothing: `up to 8.64 s`. */
export function estimateWords(m: Measure): string {
  return m.minMs === 0 && m.ms > 0 ? `up to ${durationWords(m.maxMs)}` : durationWords(m.ms);
}

/** An estimate with its bounds: `36.21 s (36.18 s to 36.24 s)`, or `up to 8.64 s` where the lower bound is 0. */
export function measureWords(m: Measure): string {
  if (m.minMs === 0 && m.ms > 0) return estimateWords(m);
  return `${durationWords(m.ms)} (${durationWords(m.minMs)} to ${durationWords(m.maxMs)})`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listWords(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
