import { describe, expect, it } from 'vitest';
import { startSchedule, type Schedule } from './schedule.ts';
import { steppedTime, type SteppedTime } from './testing/stepped-time.ts';

interface Shot {
  readonly slot: number;
  readonly dueMs: number;
  readonly sendMs: number;
}

function run(options: { intervalMs: number; timeoutMs: number; phase?: number }): {
  time: SteppedTime;
  shots: Shot[];
  drops: { slot: number; dueMs: number }[];
  finish: (() => void)[];
  schedule: Schedule;
} {
  const time = steppedTime();
  const shots: Shot[] = [];
  const drops: { slot: number; dueMs: number }[] = [];
  const finish: (() => void)[] = [];
  const schedule = startSchedule({
    nowMs: time.nowMs,
    timers: time.timers,
    phase: 0,
    ...options,
    send: async (slot, dueMs) => {
      shots.push({ slot, dueMs, sendMs: time.nowMs() });
      await new Promise<void>((resolve) => void finish.push(resolve));
    },
    drop: (slot, dueMs) => void drops.push({ slot, dueMs }),
  });
  return { time, shots, drops, finish, schedule };
}

describe('startSchedule', () => {
  it('keeps to the grid without drift when the interval is no whole number of milliseconds', async () => {
    const { time, shots, finish } = run({ intervalMs: 33.4, timeoutMs: 100 });
    for (let i = 0; i < 1000; i++) {
      await time.advance(33.4);
      for (const f of finish.splice(0)) f();
    }
    expect(shots.map((s) => s.slot)).toEqual([...shots.keys()]);
    expect(shots[999]!.dueMs).toBeCloseTo(999 * 33.4, 6);
    for (const shot of shots) {
      expect(shot.sendMs - shot.dueMs).toBeGreaterThanOrEqual(0);
      expect(shot.sendMs - shot.dueMs).toBeLessThanOrEqual(1.0001);
    }
  });

  it('starts a fraction of the interval late when given a phase', async () => {
    const { time, shots } = run({ intervalMs: 1000, timeoutMs: 900, phase: 0.25 });
    await time.advance(1300);
    expect(shots.map((s) => s.dueMs)).toEqual([250, 1250]);
  });

  it('sends on time while earlier looks hang', async () => {
    const { time, shots, drops } = run({ intervalMs: 100, timeoutMs: 900 });
    await time.advance(850);
    expect(shots.map((s) => s.sendMs - s.dueMs)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(drops).toEqual([]);
  });

  it('sends late slots with their real send time after a stall', async () => {
    const { time, shots, drops } = run({ intervalMs: 100, timeoutMs: 900 });
    await time.advance(150);
    time.stall(400);
    await time.advance(60);
    expect(shots.slice(2)).toEqual([
      { slot: 2, dueMs: 200, sendMs: 550 },
      { slot: 3, dueMs: 300, sendMs: 550 },
      { slot: 4, dueMs: 400, sendMs: 550 },
      { slot: 5, dueMs: 500, sendMs: 550 },
      { slot: 6, dueMs: 600, sendMs: 600 },
    ]);
    expect(drops).toEqual([]);
  });

  it('reports slots above the in-flight cap and goes on when one finishes', async () => {
    const { time, shots, drops, finish } = run({ intervalMs: 100, timeoutMs: 200 });
    await time.advance(450); // cap: 200 / 100 + 1 = 3
    expect(shots.map((s) => s.slot)).toEqual([0, 1, 2]);
    expect(drops).toEqual([
      { slot: 3, dueMs: 300 },
      { slot: 4, dueMs: 400 },
    ]);
    finish[0]!();
    await new Promise(setImmediate);
    await time.advance(100);
    expect(shots.map((s) => s.slot)).toEqual([0, 1, 2, 5]);
  });

  it('starts a new grid when the interval gets shorter, without putting off the next slot', async () => {
    const { time, shots, schedule, finish } = run({ intervalMs: 1000, timeoutMs: 900, phase: 0.5 });
    await time.advance(1495); // slot 0 was due at 500, slot 1 is due at 1500
    schedule.setIntervalMs(50);
    for (let i = 0; i < 4; i++) {
      await time.advance(50);
      for (const f of finish.splice(0)) f();
    }
    expect(shots.map((s) => [s.slot, s.dueMs])).toEqual([
      [0, 500],
      [1, 1500],
      [2, 1550],
      [3, 1600],
      [4, 1650],
    ]);
  });

  it('leaves the looks of a burst out of the cap of the interval after it', async () => {
    const { time, shots, drops, schedule } = run({ intervalMs: 50, timeoutMs: 900 });
    await time.advance(600); // a dozen hang
    schedule.setIntervalMs(1000);
    await time.advance(1005);
    expect(drops).toEqual([]);
    expect(shots.slice(-2).map((s) => s.dueMs)).toEqual([600, 1600]);
    const slots = shots.map((s) => s.slot);
    expect(slots).toEqual([...slots.keys()]);
  });

  it('sends nothing after stop', async () => {
    const { time, shots, schedule } = run({ intervalMs: 100, timeoutMs: 900 });
    await time.advance(150);
    schedule.stop();
    schedule.setIntervalMs(10);
    await time.advance(1000);
    expect(shots).toHaveLength(2);
  });
});
