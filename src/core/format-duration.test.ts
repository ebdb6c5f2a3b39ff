import { describe, expect, test } from 'vitest';
import { planCheck } from '../scenario/check-schema.ts';
import { durationText, limitText, offsetText, runningText } from './format-duration.ts';

describe('durations in messages', () => {
  test.each([
    [0, '0 ms'],
    [0.25, '0.25 ms'],
    [500, '500 ms'],
    [1500, '1.5 s'],
    [90_000, '90 s'],
    [120_000, '2 min'],
    [330_500, '5 min 30.5 s'],
  ])('a limit of %d ms is %s', (ms, words) => {
    expect(limitText(ms)).toBe(words);
  });

  test.each([
    [0, '0 ms'],
    [437.2, '437 ms'],
    [999.6, '1.00 s'],
    [36_214, '36.21 s'],
    [90_000, '90.00 s'],
    [119_994, '119.99 s'],
    [119_996, '2 min 00.0 s'],
    [125_340, '2 min 05.3 s'],
  ])('a measured %d ms is %s', (ms, words) => {
    expect(durationText(ms)).toBe(words);
  });

  test('a running time from two minutes on is rounded down to full seconds', () => {
    expect([-5, 14_240, 119_940, 119_960, 125_990].map(runningText)).toEqual([
      '0.0 s',
      '14.2 s',
      '119.9 s',
      '1 min 59 s',
      '2 min 05 s',
    ]);
  });

  test('an offset has a sign', () => {
    expect([offsetText(36_214.4), offsetText(-762, 2), offsetText(0)]).toEqual([
      '+36.214 s',
      '-0.76 s',
      '+0.000 s',
    ]);
  });
});

test("a check's name has its limit in the same words as its result", () => {
  for (const max of [500, 6000, 90_000, 120_000, 240_000])
    expect(planCheck({ kind: 'rto', max }).name).toBe(`RTO at most ${limitText(max)}`);
});
