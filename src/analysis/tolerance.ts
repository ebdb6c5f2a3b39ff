import { parseDuration } from '../core/duration.ts';
import { limitText } from '../core/format-duration.ts';
import type { DurationMs } from '../core/time.ts';

/**
 * How much longer than the baseline a figure may be: a share of the baseline's median or a time,
 * whichever is greater.
 */
export interface Tolerance {
  readonly share: number;
  readonly ms: DurationMs;
  /**
   * It also applies to all drills together. Set for an explicit tolerance only; by default, all drills
   * together may not be slower at all.
   */
  readonly together?: true;
}

/** Default: 10 %, at least 1 s. A smaller regression is rarely a reason to roll a release back. */
export const defaultTolerance: Tolerance = { share: 0.1, ms: 1000 };

/** Reads `10%` or `2s`; undefined for anything else. */
export function parseTolerance(text: string): Tolerance | undefined {
  const percent = /^(\d{1,4}(?:\.\d{1,3})?)%$/.exec(text)?.[1];
  if (percent !== undefined) return { share: Number(percent) / 100, ms: 0, together: true };
  const ms = parseDuration(text);
  return ms === undefined ? undefined : { share: 0, ms, together: true };
}

/** `10 %`, `2 s`, `10 %, at least 1 s` */
export function toleranceText({ share, ms }: Tolerance): string {
  const percent = `${Number((share * 100).toFixed(3))} %`;
  if (share === 0) return limitText(ms);
  return ms === 0 ? percent : `${percent}, at least ${limitText(ms)}`;
}

/** The tolerance, ms, for a figure with this median in the baseline. */
export function allowedMs({ share, ms }: Tolerance, medianMs: DurationMs): DurationMs {
  return Math.max(Number.isFinite(medianMs) ? share * medianMs : 0, ms);
}
