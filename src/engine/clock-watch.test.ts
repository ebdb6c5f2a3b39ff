import { describe, expect, test } from 'vitest';
import { runMs, wallMs } from '../core/time.ts';
import { watchClock } from './clock-watch.ts';

/** Simulated clocks: run clock, wall clock, uptime. */
function clocks() {
  const at = { nowMs: 1000, wallMs: 1_700_000_000_000, uptimeMs: 50_000 };
  const clock = { nowMs: () => runMs(at.nowMs), wallMs: () => wallMs(at.wallMs) };
  return {
    clock,
    attempt: watchClock(clock, () => at.uptimeMs),
    pass: (ms: number, { wallMs = ms, asleepMs = 0 } = {}) => {
      at.nowMs += ms;
      at.wallMs += wallMs + asleepMs;
      at.uptimeMs += ms + asleepMs;
    },
  };
}

describe('watchClock', () => {
  test('reports a step of the wall clock once', () => {
    const { attempt, pass } = clocks();
    pass(20);
    expect(attempt()).toBeUndefined();
    pass(20, { wallMs: 3_600_020 });
    expect(attempt()).toEqual({ atMs: 1040, byMs: 3_600_000, cause: 'step' });
    pass(20);
    expect(attempt()).toBeUndefined();
    pass(20, { wallMs: -230 });
    expect(attempt()).toEqual({ atMs: 1080, byMs: -250, cause: 'step' });
  });

  test('reports no step for a slewed clock', () => {
    const { attempt, pass } = clocks();
    let reported = 0;
    for (let tick = 0; tick < 1000; tick++) {
      pass(20, { wallMs: 21 });
      if (attempt() !== undefined) reported++;
    }
    expect(reported).toBe(0);
    pass(20, { wallMs: 121 });
    expect(attempt()).toMatchObject({ byMs: 101 });
  });

  test('distinguishes a suspend from a step', () => {
    const { attempt, pass } = clocks();
    pass(20, { asleepMs: 60_000 });
    expect(attempt()).toEqual({ atMs: 1020, byMs: 60_000, cause: 'suspend' });
    // Suspended and set: the difference is not that of the suspend alone.
    pass(20, { wallMs: 5020, asleepMs: 60_000 });
    expect(attempt()).toMatchObject({ byMs: 65_000, cause: 'step' });
  });

  test('ignores readings with a delay between them', () => {
    const at = { nowMs: 0, heldUpMs: 0 };
    const clock = {
      nowMs: () => runMs(at.nowMs),
      wallMs: () => {
        const readMs = wallMs(5000 + at.nowMs);
        at.nowMs += at.heldUpMs;
        return readMs;
      },
    };
    const attempt = watchClock(clock, () => at.nowMs);
    at.heldUpMs = 400;
    expect(attempt()).toBeUndefined();
    at.heldUpMs = 0;
    expect(attempt()).toBeUndefined();
  });
});
