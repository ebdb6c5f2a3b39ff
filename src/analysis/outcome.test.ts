import { describe, expect, test } from 'vitest';
import { bounded } from './outcome.ts';

const measure = { ms: 3000, minMs: 2000, maxMs: 4000 };

describe('a limit within the bounds', () => {
  test.each([
    // Two edges between samples 1 s apart: of 1 s, half a second remains on each side.
    [
      { intervalMs: 1000, edges: 2 },
      3500,
      'if the estimate is right, a probe interval of 500 ms or less decides it',
    ],
    [
      { intervalMs: 1000, edges: 2 },
      2700,
      'if the estimate is right, a probe interval of 300 ms or less decides it',
    ],
    // One edge at 1 s: the other second of the width remains, whatever the interval.
    [{ intervalMs: 1000 }, 3700, 'if the estimate is right, a probe interval of 400 ms or less decides it'],
    // Closer to the estimate than that second: the estimate itself may move by half a second.
    [
      { intervalMs: 1000 },
      3400,
      'a shorter probe interval narrows the bounds by up to 1.00 s, which may decide it',
    ],
  ])(
    'with %j, at %i ms, is inconclusive and names the interval that decides it',
    (attempted, maxMs, words) => {
      const outcome = bounded({ what: 'downtime', measure, ...attempted }, { maxMs });
      expect(outcome.status).toBe('inconclusive');
      expect(outcome.reason).toBe(
        `downtime was 3.00 s (2.00 s to 4.00 s): the limit of ${maxMs / 1000} s lies within the bounds; ${words}`,
      );
    },
  );

  test('names no interval if the lower bound is 0: its middle is no estimate', () => {
    const uncertain = {
      what: 'downtime',
      measure: { ms: 4320, minMs: 0, maxMs: 8640 },
      intervalMs: 1000,
      edges: 8,
    };
    expect(bounded(uncertain, { maxMs: 8000 }).reason).toBe(
      'downtime was up to 8.64 s: the limit of 8 s lies within the bounds; no sample shows how long it lasted; a shorter probe interval narrows the bounds by up to 8.00 s, which may decide it',
    );
    // The interval does not affect the width.
    expect(bounded({ ...uncertain, intervalMs: 1 }, { maxMs: 8000 }).reason).toContain(
      'a shorter probe interval narrows the bounds by up to 8 ms, which is not enough to decide it',
    );
  });

  test('is compared with its own side of the estimate', () => {
    // Slow answers widen the upper side; no interval narrows it.
    const lopsided = {
      what: 'downtime',
      measure: { ms: 1000, minMs: 900, maxMs: 5000 },
      intervalMs: 100,
      edges: 2,
    };
    expect(bounded(lopsided, { maxMs: 2000 }).reason).toContain(
      'a shorter probe interval narrows the bounds by up to 200 ms, which is not enough to decide it',
    );
    expect(bounded(lopsided, { maxMs: 950 }).reason).toContain(
      'a probe interval of 50 ms or less decides it',
    );
  });

  test('is decided once it is outside', () => {
    const attempted = { what: 'downtime', measure, intervalMs: 1000 };
    expect(bounded(attempted, { maxMs: 4000 })).toMatchObject({ status: 'pass', reason: null });
    expect(bounded(attempted, { maxMs: 1999 }).status).toBe('fail');
    expect(bounded(attempted, { minMs: 2001 })).toMatchObject({
      status: 'inconclusive',
      reason: expect.stringContaining('the limit of 2.001 s lies within the bounds'),
    });
  });
});
