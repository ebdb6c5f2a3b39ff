import { describe, expect, test } from 'vitest';
import { wallMs } from '../core/time.ts';
import { scriptedHost } from '../faults/testing/scripted-host.ts';
import { judgeClock, measureClock } from './host-clock.ts';

const { signal } = new AbortController();

/** This machine's clock: its readings in order, ms. */
function wall(readings: readonly number[]) {
  const left = [...readings];
  return { wallMs: () => wallMs(left.shift() ?? Number.NaN) };
}

const asks = (...dates: string[]) => scriptedHost(() => ({ stdout: `${dates.shift() ?? ''}\n` }));

describe('the offset of a host’s clock', () => {
  test('lies between question and answer, in all rounds', async () => {
    // Ahead by 500 ms; the second round trip is the quickest.
    const host = asks(
      '1000.510000000',
      '1000.602000000',
      '1000.710000000',
      '1000.810000000',
      '1000.910000000',
    );
    const clocks = wall([
      1_000_000, 1_000_040, 1_000_100, 1_000_104, 1_000_200, 1_000_240, 1_000_300, 1_000_340, 1_000_400,
      1_000_440,
    ]);
    expect(await measureClock(host, clocks, signal)).toEqual({ minMs: 498, maxMs: 502 });
    expect(host.commands).toEqual(Array.from({ length: 5 }, () => 'date +%s.%N'));
  });

  test.each(['1000.N', '1000.%N', '1000'])('is known to a second if date prints %j', async (said) => {
    const clocks = wall(Array.from({ length: 10 }, () => 1_000_500));
    expect(await measureClock(asks(said, said, said, said, said), clocks, signal)).toEqual({
      minMs: -500,
      maxMs: 500,
    });
  });

  test('is unknown without `date`', async () => {
    expect(await measureClock(asks('sh: date: not found'), wall([0, 1]), signal)).toBeUndefined();
  });
});

describe('a clock', () => {
  test.each([
    [{ minMs: -2, maxMs: 3 }, 'ok'],
    [{ minMs: 90, maxMs: 110 }, 'ok'],
    [{ minMs: 101, maxMs: 110 }, 'warn'],
    [{ minMs: -150, maxMs: -120 }, 'warn'],
    [{ minMs: -500, maxMs: 500 }, 'ok'],
    [undefined, 'info'],
  ])('%j is %s', (offset, status) => {
    expect(judgeClock('node-1', offset).status).toBe(status);
  });

  test('that is off is reported with bounds and effect', () => {
    const { observed, hint } = judgeClock('node-1', { minMs: 1998, maxMs: 2002 });
    expect(observed).toBe("+2000 ms (+1998 to +2002 ms) from this machine's");
    expect(hint).toContain('too late');
  });
});
