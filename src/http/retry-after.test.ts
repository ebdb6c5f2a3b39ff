import { expect, test } from 'vitest';
import { wallMs } from '../core/time.ts';
import { retryAfterMs } from './retry-after.ts';

const noonMs = wallMs(Date.UTC(2026, 0, 1, 12));
const later = 'Thu, 01 Jan 2026 12:00:30 GMT';

test.each([
  ['seconds', { 'retry-after': '12' }, 12_000],
  ['a date, by the local clock', { 'retry-after': later }, 30_000],
  [
    'a date, by the clock of the server',
    { 'retry-after': later, date: 'Thu, 01 Jan 2026 12:00:10 GMT' },
    20_000,
  ],
  ['a date that is over', { 'retry-after': 'Thu, 01 Jan 2026 11:59:00 GMT' }, 0],
  ['neither', { 'retry-after': 'soon' }, undefined],
  ['nothing', {}, undefined],
])('Retry-After: %s', (_, headers, expected) => {
  expect(retryAfterMs(headers, noonMs)).toBe(expected);
});
