import { expect, test } from 'vitest';
import { isFresh, staleAfterMs } from './freshness.ts';
import { runMs } from './time.ts';

test('a sample is fresh for three intervals and a timeout from its send time', () => {
  const probe = { intervalMs: 1000, timeoutMs: 900 };
  expect(staleAfterMs({ probe })).toBe(3900);
  expect(isFresh(probe, { sendMs: runMs(1000) }, runMs(4900))).toBe(true);
  expect(isFresh(probe, { sendMs: runMs(1000) }, runMs(4901))).toBe(false);
});
