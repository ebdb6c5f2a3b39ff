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
  drops: { slot: number; dueMs: number; reason: string }[];
  finish: (() => void)[];
  schedule: Schedule;
} {
  const time = steppedTime();
  const shots: Shot[] = [];
  const drops: { slot: number; dueMs: number; reason: string }[] = [];
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
    drop: (slot, dueMs, reason) => void drops.push({ slot, dueMs, reason }),
  });
  return { time, shots, drops, finish, schedule };
}

describe('startSchedule', () => {
  it('keeps to the grid without drift if the interval is not a whole number of milliseconds', async () => {
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

  it('sends on time while earlier samples hang', async () => {
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
    await time.advance(550); // cap: 200 / 100 + 2 = 4
    expect(shots.map((s) => s.slot)).toEqual([0, 1, 2, 3]);
    expect(drops).toEqual([
      { slot: 4, dueMs: 400, reason: 'in-flight' },
      { slot: 5, dueMs: 500, reason: 'in-flight' },
    ]);
    finish[0]!();
    await new Promise(setImmediate);
    await time.advance(100);
    expect(shots.map((s) => s.slot)).toEqual([0, 1, 2, 3, 6]);
  });

  it('starts a new grid when the interval gets shorter, without delaying the next slot', async () => {
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

  it('does not count a burst’s samples for the cap of the next interval', async () => {
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

/** Course of one sample: it ends after `overMs`, and is answered after `answerMs` unless the target hangs. */
interface Attempt {
  readonly answerMs?: number;
  readonly overMs: number;
}

/** A schedule on a scripted target, with its sends, its drops, and the maximum in flight. */
function probeTarget(
  target: (sendMs: number, slot: number) => Attempt,
  { intervalMs = 50, timeoutMs = 900 }: { readonly intervalMs?: number; readonly timeoutMs?: number } = {},
) {
  const time = steppedTime();
  const sends: number[] = [];
  const drops: { atMs: number; reason: string }[] = [];
  let inFlight = 0;
  let most = 0;
  const schedule = startSchedule({
    nowMs: time.nowMs,
    timers: time.timers,
    phase: 0,
    intervalMs,
    timeoutMs,
    send: (slot, _dueMs, answered) => {
      const { answerMs, overMs } = target(time.nowMs(), slot);
      sends.push(time.nowMs());
      most = Math.max(most, ++inFlight);
      if (answerMs !== undefined) time.timers.setTimeout(() => answered(answerMs), answerMs);
      return new Promise((resolve) => {
        time.timers.setTimeout(() => {
          inFlight--;
          resolve();
        }, overMs);
      });
    },
    drop: (_slot, _dueMs, reason) => void drops.push({ atMs: time.nowMs(), reason }),
  });
  /** Sent in [fromMs, toMs). */
  const sentIn = (fromMs: number, toMs: number): number =>
    sends.filter((ms) => ms >= fromMs && ms < toMs).length;
  return { time, schedule, drops, sentIn, most: () => most };
}

/** Answers after that time. */
const after = (answerMs: number): Attempt => ({ answerMs, overMs: answerMs });
/** Ends at a timeout of 900 ms. */
const hung: Attempt = { overMs: 901 };

describe('a schedule limits itself', () => {
  it('sends every slot to a target that hangs, with no more in flight than the timeout needs', async () => {
    const { time, drops, most, sentIn } = probeTarget(() => hung);
    await time.advance(10_000);
    expect(most()).toBe(19);
    expect(sentIn(1000, 2000)).toBe(20);
    expect(drops).toEqual([]);
  });

  it('counts an abandoned sample as in flight until it has really ended', async () => {
    const { time, drops, most, sentIn } = probeTarget(() => ({ overMs: 5000 }));
    await time.advance(10_000);
    expect(most()).toBe(900 / 50 + 2);
    expect(sentIn(0, 5000)).toBe(20);
    expect(drops.every(({ reason }) => reason === 'in-flight')).toBe(true);
    expect(drops).toHaveLength(201 - sentIn(0, 10_001));
  });

  it.each([
    { answerMs: 10, aSecond: 20 },
    { answerMs: 60, aSecond: 20 },
    { answerMs: 200, aSecond: 7 },
    { answerMs: 600, aSecond: 2 },
  ])('samples a target $aSecond times per second if it takes $answerMs ms to answer', async (row) => {
    const { answerMs, aSecond } = row;
    const { time, drops, most, sentIn } = probeTarget(() => after(answerMs));
    await time.advance(10_000);
    // The pace applies after the first answers.
    expect(most()).toBeLessThanOrEqual(Math.ceil(answerMs / 50) + 1);
    expect(Math.round(sentIn(4000, 10_000) / 6)).toBe(aSecond);
    expect(drops.every(({ reason }) => reason === 'pace')).toBe(true);
  });

  it('never sends more to a target that gets slower', async () => {
    const { time, sentIn } = probeTarget((sendMs) => after(Math.min(800, 10 + sendMs / 20)));
    await time.advance(20_000);
    const bySecond = Array.from({ length: 20 }, (_, s) => sentIn(s * 1000, (s + 1) * 1000));
    for (const [s, count] of bySecond.entries())
      expect(count).toBeLessThanOrEqual((bySecond[s - 1] ?? 21) + 1);
    expect(bySecond.at(-1)).toBeLessThanOrEqual(2);
  });

  it('returns to its rate once the target answers quickly again', async () => {
    const { time, sentIn } = probeTarget((sendMs) => after(sendMs < 5000 ? 400 : 5));
    await time.advance(10_000);
    expect(sentIn(4000, 5000)).toBeLessThanOrEqual(3);
    expect(sentIn(8000, 9000)).toBe(20);
  });

  it('samples at the full rate during an outage, whether the target hangs or refuses', async () => {
    for (const outage of [hung, after(1)]) {
      const { time, sentIn, drops } = probeTarget((sendMs) => (sendMs < 3000 ? after(20) : outage));
      await time.advance(10_000);
      expect(sentIn(3000, 10_000)).toBe(140);
      expect(drops).toEqual([]);
    }
  });

  it('keeps the pace of slow answers when the target hangs, so that an outage adds no load', async () => {
    const { time, sentIn } = probeTarget((sendMs) => (sendMs < 4000 ? after(400) : hung));
    await time.advance(10_000);
    expect(sentIn(3000, 4000)).toBeLessThanOrEqual(3);
    expect(sentIn(5000, 10_000)).toBeLessThanOrEqual(15);
    expect(sentIn(5000, 10_000)).toBeGreaterThanOrEqual(12);
  });

  it('keeps its rate if every other sample hangs', async () => {
    const { time, most, sentIn, drops } = probeTarget((_, slot) => (slot % 2 === 0 ? after(10) : hung));
    await time.advance(10_000);
    expect(sentIn(5000, 6000)).toBe(20);
    expect(most()).toBeLessThanOrEqual(11);
    expect(drops).toEqual([]);
  });

  it('limits all samples in flight across changes of the interval', async () => {
    const { time, schedule, most } = probeTarget(() => ({ overMs: 60_000 }), { intervalMs: 1000 });
    for (let round = 0; round < 10; round++) {
      schedule.setIntervalMs(50);
      await time.advance(2000);
      schedule.setIntervalMs(1000);
      await time.advance(2000);
    }
    expect(most()).toBe(20);
  });
});
