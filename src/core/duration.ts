import { z } from 'zod';
import type { DurationMs } from './time.ts';

const unitMs: Readonly<Record<string, DurationMs>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

/** Parses `250ms`, `5s`, `1.5m`, `2h` to milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = pattern.exec(text);
  const factor = match?.[2] === undefined ? undefined : unitMs[match[2]];
  return match?.[1] === undefined || factor === undefined ? undefined : Number(match[1]) * factor;
}

/** Longest duration in a file: no drill waits longer. */
const maxFileMs = 7 * 24 * 3_600_000;

const expectation = 'expected a duration with a unit, such as 500ms, 5s, 2m, or 1h';

/** A duration in a scenario or target file: text with a unit in, milliseconds out. */
export const duration = z
  .string({ error: expectation })
  .regex(pattern, { error: expectation })
  .transform((text) => parseDuration(text) ?? 0)
  .refine((ms) => ms <= maxFileMs, { error: 'longer than a week (168h)' })
  .meta({ description: 'A duration with a unit, such as 500ms, 5s, 2m, or 1h.' });
