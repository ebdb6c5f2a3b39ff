import { describe, expect, it } from 'vitest';
import { wallMs } from '../../core/time.ts';
import { parseUtcOffset, timeIn, type TimeFormat } from './log-time.ts';

const nowMs = wallMs(Date.UTC(2026, 10, 30, 12));
const place = { offsetMinutes: 120, nowMs };
const at = Date.UTC(2026, 10, 30, 3, 4, 5);

describe('timeIn', () => {
  it.each<[TimeFormat, string, number]>([
    ['iso', '2026-11-30T03:04:05.678Z LOG:  promoted', at + 678],
    ['iso', '2026-11-30 03:04:05.678 UTC [17] LOG:  promoted', at + 678],
    ['iso', '[2026-11-30 05:04:05,678] state changed', at + 678],
    ['iso', '2026-11-30T03:04:05.123456789+00:00 x', at + 123.456789],
    ['iso', '2026-11-29T22:04:05.678-05 x', at + 678],
    ['iso', '2026-11-30 08:34:05.678+0530 x', at + 678],
    ['epoch', '1796007845.250 master', at + 250],
    ['epoch-ms', '{"ts":1796007845678,"m":"x"}', at + 678],
    ['syslog', 'Nov 30 05:04:05.678 node-1 app: x', at + 678],
    ['clf', '1:M 30 Nov 2026 05:04:05.678 * MASTER MODE enabled', at + 678],
  ])('reads %s exactly: %s', (format, line, wallMs) => {
    const time = timeIn(line, format, place);
    expect(time?.wallMs).toBeCloseTo(wallMs, 3);
    expect(time?.bounds).toBeUndefined();
  });

  it.each<[TimeFormat, string]>([
    ['iso', '2026/11/30 05:04:05 [error] 7#7: x'],
    ['epoch', '[1796007845] CURRENT HOST STATE'],
    ['syslog', 'Nov 30 05:04:05 node-1 Keepalived_vrrp[7]: x'],
    ['clf', '10.0.0.1 - - [30/Nov/2026:03:04:05 +0000] "GET / HTTP/1.1" 200'],
  ])('gives a timestamp in whole seconds bounds of 1 s: %s %s', (format, line) => {
    expect(timeIn(line, format, place)).toEqual({
      wallMs: at + 500,
      bounds: { minMs: at, maxMs: at + 1000 },
    });
  });

  it('uses the nearest year if the timestamp has none', () => {
    const newYear = { offsetMinutes: 0, nowMs: wallMs(Date.UTC(2027, 0, 1, 0, 0, 10)) };
    expect(timeIn('Dec 31 23:59:59.000 x', 'syslog', newYear)?.wallMs).toBe(
      Date.UTC(2026, 11, 31, 23, 59, 59),
    );
    expect(timeIn('Jan  1 00:00:01.000 x', 'syslog', newYear)?.wallMs).toBe(Date.UTC(2027, 0, 1, 0, 0, 1));
  });

  it.each<[TimeFormat, string]>([
    ['iso', 'no time'],
    ['iso', 'Nov 30 05:04:05 x'],
    ['epoch', '12.5'],
    ['epoch', '1796007845678'],
    ['syslog', '2026-11-30 03:04:05'],
  ])('finds no timestamp: %s %s', (format, line) => {
    expect(timeIn(line, format, place)).toBeUndefined();
  });
});

describe('parseUtcOffset', () => {
  it.each([
    ['+0200', 120],
    ['-03:30', -210],
    ['+02', 120],
    ['Z', undefined],
    ['CET', undefined],
  ])('%s', (text, minutes) => {
    expect(parseUtcOffset(text)).toBe(minutes);
  });
});
