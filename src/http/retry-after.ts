/**
 * How long an answer with `Retry-After` asks to wait, in ms: seconds, or a date, which is read by the server's own clock where
 * it tells its time (`Date`), else by `wallMs`. Undefined without one, or with one that says neither. RFC 9110, 10.2.3.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, wallMs: number): number | undefined {
  const asked = headers['retry-after'];
  if (asked === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(asked)) return Number(asked) * 1000;
  const nowMs = Date.parse(headers['date'] ?? '');
  const untilMs = Date.parse(asked);
  return Number.isNaN(untilMs) ? undefined : Math.max(0, untilMs - (Number.isNaN(nowMs) ? wallMs : nowMs));
}
