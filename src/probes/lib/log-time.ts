import { later, wallMs, type WallMs } from '../../core/time.ts';
import type { LogTime } from './log-marks.ts';

/** Formats of timestamps in log lines. */
export const timeFormats = ['iso', 'epoch', 'epoch-ms', 'syslog', 'clf'] as const;
export type TimeFormat = (typeof timeFormats)[number];

/** Information that a timestamp may lack. */
export interface TimePlace {
  /** Minutes east of UTC, for timestamps without a zone. */
  readonly offsetMinutes: number;
  /** Approximate current time, in ms since the Unix epoch, for timestamps without a year. */
  readonly nowMs: WallMs;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const month = `(?<month>${months.join('|')})`;
const clock = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:[.,](?<fraction>\d+))?`;
const zone = String.raw`(?<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)`;

const patterns: Readonly<Record<TimeFormat, RegExp>> = {
  // Also `2026/11/30 03:04:05` (nginx) and `2026-11-30 03:04:05,678 UTC`.
  iso: new RegExp(String.raw`(?<year>\d{4})[-/](?<monthNumber>\d\d)[-/](?<day>\d\d)[T ]${clock} ?${zone}?`),
  epoch: /(?<![\d.])(?<seconds>\d{9,11})(?:\.(?<fraction>\d+))?(?!\d)/,
  'epoch-ms': /(?<!\d)(?<milliseconds>\d{12,14})(?!\d)/,
  syslog: new RegExp(String.raw`\b${month} +(?<day>\d{1,2}) ${clock}`),
  // Common Log Format, and `30 Nov 2026 03:04:05.678` (Redis).
  clf: new RegExp(String.raw`(?<day>\d\d)[/ ]${month}[/ ](?<year>\d{4})[: ]${clock}(?: ?${zone})?`),
};

/**
 * A timestamp with a finer resolution than this counts as exact, ms. Timestamps are truncated, not rounded.
 */
const exactMs = 10;

/** The time of a line from its first timestamp. Undefined for a line without one. */
export function timeIn(line: string, format: TimeFormat, place: TimePlace): LogTime | undefined {
  const groups = patterns[format].exec(line)?.groups;
  if (groups === undefined) return undefined;
  if (groups['milliseconds'] !== undefined) return { wallMs: wallMs(Number(groups['milliseconds'])) };
  const wholeMs =
    groups['seconds'] === undefined ? calendarMs(groups, place) : wallMs(Number(groups['seconds']) * 1000);
  if (Number.isNaN(wholeMs)) return undefined;
  const digits = groups['fraction'] ?? '';
  const startMs = later(wholeMs, Number(`0.${digits || 0}`) * 1000);
  const unitMs = 1000 / 10 ** digits.length;
  if (unitMs < exactMs) return { wallMs: startMs };
  return { wallMs: later(startMs, unitMs / 2), bounds: { minMs: startMs, maxMs: later(startMs, unitMs) } };
}

/** The whole second, in ms since the Unix epoch. */
function calendarMs(groups: Readonly<Record<string, string | undefined>>, place: TimePlace): WallMs {
  const number = (name: string): number => Number(groups[name]);
  const monthIndex =
    groups['month'] === undefined ? number('monthNumber') - 1 : months.indexOf(groups['month']);
  const inYear = (year: number): WallMs =>
    wallMs(
      Date.UTC(year, monthIndex, number('day'), number('hour'), number('minute'), number('second')) -
        offsetOf(groups['zone'], place) * 60_000,
    );
  if (groups['year'] !== undefined) return inYear(number('year'));
  // Takes the nearest time among last year, this year, and next year, because around New Year a log contains
  // two years.
  const year = new Date(place.nowMs).getUTCFullYear();
  const [nearest = wallMs(Number.NaN)] = [year - 1, year, year + 1]
    .map(inYear)
    .sort((a, b) => Math.abs(a - place.nowMs) - Math.abs(b - place.nowMs));
  return nearest;
}

/** Minutes east of UTC. */
function offsetOf(text: string | undefined, { offsetMinutes }: TimePlace): number {
  if (text === undefined) return offsetMinutes;
  return parseUtcOffset(text) ?? 0;
}

/** Minutes east of UTC of `+0200`, `-03:30`, `+02`; undefined for anything else. */
export function parseUtcOffset(text: string): number | undefined {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d)(?::?(\d\d))?$/.exec(text) ?? [];
  if (sign === undefined) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
