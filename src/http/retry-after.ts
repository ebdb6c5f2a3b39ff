import type { DurationMs, WallMs } from '../core/time.ts';

/**
 * The wait that an answer's `Retry-After` requests, ms: seconds, or a date. A date is read by the server's
 * clock (`Date` header), else by `wallMs`. Undefined without a valid header. RFC 9110, 10.2.3.
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string>>,
  wallMs: WallMs,
): DurationMs | undefined {
  const asked = headers['retry-after'];
  if (asked === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(asked)) return Number(asked) * 1000;
  const nowMs = Date.parse(headers['date'] ?? '');
  const untilMs = Date.parse(asked);
  return Number.isNaN(untilMs) ? undefined : Math.max(0, untilMs - (Number.isNaN(nowMs) ? wallMs : nowMs));
}
