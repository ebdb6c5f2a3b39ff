import { describe, expect, test } from 'vitest';
import { watchClock } from './clock-watch.ts';

/** Clocks that the test moves: run clock, wall clock, time since the machine's start. */
function clocks() {
  const at = { nowMs: 1000, wallMs: 1_700_000_000_000, uptimeMs: 50_000 };
  const clock = { nowMs: () => at.nowMs, wallMs: () => at.wallMs };
  return {
    clock,
    look: watchClock(clock, () => at.uptimeMs),
    pass: (ms: number, { wallMs = ms, asleepMs = 0 } = {}) => {
      at.nowMs += ms;
      at.wallMs += wallMs + asleepMs;
      at.uptimeMs += ms + asleepMs;
    },
  };
}

describe('watchClock', () => {
  test('says by how much the wall clock was set, once', () => {
    const { look, pass } = clocks();
    pass(20);
    expect(look()).toBeUndefined();
    pass(20, { wallMs: 3_600_020 });
    expect(look()).toEqual({ atMs: 1040, byMs: 3_600_000, cause: 'step' });
    pass(20);
    expect(look()).toBeUndefined();
    pass(20, { wallMs: -230 });
    expect(look()).toEqual({ atMs: 1080, byMs: -250, cause: 'step' });
  });

  test('takes a clock that is slewed for what it is', () => {
    const { look, pass } = clocks();
    let told = 0;
    for (let tick = 0; tick < 1000; tick++) {
      pass(20, { wallMs: 21 });
      if (look() !== undefined) told++;
    }
    expect(told).toBe(0);
    pass(20, { wallMs: 121 });
    expect(look()).toMatchObject({ byMs: 101 });
  });

  test('tells sleep of the machine from a step', () => {
    const { look, pass } = clocks();
    pass(20, { asleepMs: 60_000 });
    expect(look()).toEqual({ atMs: 1020, byMs: 60_000, cause: 'suspend' });
    // Asleep and set: what the clock says is not the sleep.
    pass(20, { wallMs: 5020, asleepMs: 60_000 });
    expect(look()).toMatchObject({ byMs: 65_000, cause: 'step' });
  });

  test('says nothing of readings between which it was held up', () => {
    const at = { nowMs: 0, heldUpMs: 0 };
    const clock = {
      nowMs: () => at.nowMs,
      wallMs: () => {
        const wallMs = 5000 + at.nowMs;
        at.nowMs += at.heldUpMs;
        return wallMs;
      },
    };
    const look = watchClock(clock, () => at.nowMs);
    at.heldUpMs = 400;
    expect(look()).toBeUndefined();
    at.heldUpMs = 0;
    expect(look()).toBeUndefined();
  });
});
