import { describe, expect, test } from 'vitest';
import { LogBuilder, planWith, probeOf, seeded } from './testing/log-builder.ts';
import { type Outage, type OutageKind, simulatedTarget } from './testing/simulated-target.ts';
import { type BadWindow, badWindows, durationOf, toSummaryWindow } from './windows.ts';
import type { RunLog } from './read-log.ts';

const health = probeOf('health');

function windowsOf(log: RunLog): readonly BadWindow[] {
  return badWindows(log, log.series.get('health')!);
}

function log(): LogBuilder {
  return new LogBuilder(planWith({ probes: [health] }));
}

const ok = (finishMs: number) => ({ status: 'ok', finishMs }) as const;
const refused = (finishMs: number) => ({ status: 'fail', cause: 'refused', finishMs }) as const;
const timeout = (finishMs: number) => ({ status: 'fail', cause: 'timeout', finishMs }) as const;
const unknown = (finishMs: number) => ({ status: 'unknown', finishMs, message: 'EMFILE' }) as const;

describe('bounds of a window', () => {
  test('reach from the last good send to the first failure, and from the last bad send to the first answer', () => {
    const built = log()
      .sample('health', 0, 0, ok(10))
      .sample('health', 1, 1000, refused(1010))
      .sample('health', 2, 2000, refused(2010))
      .sample('health', 3, 3000, ok(3010))
      .read();
    const [window, ...more] = windowsOf(built);
    expect(more).toEqual([]);
    expect(window).toEqual({
      state: 'down',
      startLoMs: 0,
      startHiMs: 1010,
      endLoMs: 2000,
      endHiMs: 3010,
      firstBadMs: 1000,
      lastBadMs: 2000,
      open: false,
      causes: { refused: 2 },
    });
    expect(durationOf(window!)).toEqual({ ms: 2000, minMs: 990, maxMs: 3010 });
    expect(toSummaryWindow(built, window!)).toEqual({
      state: 'down',
      startAt: '2026-03-01T10:00:00.505Z',
      endAt: '2026-03-01T10:00:02.505Z',
      ms: 2000,
      minMs: 990,
      maxMs: 3010,
      causes: { refused: 2 },
    });
  });

  test('of a time-out come from its send plus normal latency, not from its end', () => {
    const [window] = windowsOf(
      log()
        .sample('health', 0, 0, ok(10))
        .sample('health', 1, 1000, timeout(1900))
        .sample('health', 2, 2000, ok(2010))
        .read(),
    );
    expect(window).toMatchObject({ startLoMs: 0, startHiMs: 1020, endLoMs: 1000, endHiMs: 2010 });
  });

  test('of a connection that hung and was dropped come from its send plus normal latency, too', () => {
    const reset = (finishMs: number, stallMs = 0) =>
      ({ status: 'fail', cause: 'reset', finishMs, stallMs }) as const;
    const windowOf = (answer: ReturnType<typeof reset>) =>
      windowsOf(
        log()
          .sample('health', 0, 0, ok(10))
          .sample('health', 1, 1000, answer)
          .sample('health', 2, 2000, ok(2010))
          .read(),
      )[0];
    expect(windowOf(reset(1700))).toMatchObject({ startLoMs: 0, startHiMs: 1020, endLoMs: 1000 });
    // A reset that comes soon, or that the prober itself saw late, may be all that happened.
    expect(windowOf(reset(1140))).toMatchObject({ startHiMs: 1140 });
    expect(windowOf(reset(1700, 600))).toMatchObject({ startHiMs: 1700 });
  });

  test('go by send order when answers come in another order', () => {
    // The time-out sent at 1000 ends after the good answers sent later.
    const [window, ...more] = windowsOf(
      log()
        .sample('health', 0, 900, ok(905))
        .sample('health', 1, 1000, timeout(1900))
        .sample('health', 2, 1100, ok(1600))
        .sample('health', 3, 1200, ok(1205))
        .read(),
    );
    expect(more.filter((w) => w.state === 'down')).toEqual([]);
    expect(window).toMatchObject({ endLoMs: 1000, endHiMs: 1205 });
  });

  test('only widen where the observer broke', () => {
    const [window, ...more] = windowsOf(
      log()
        .sample('health', 0, 0, ok(10))
        .sample('health', 1, 1000, unknown(1001))
        .sample('health', 2, 2000, refused(2010))
        .sample('health', 3, 3000, unknown(3001))
        .sample('health', 4, 4000, refused(4010))
        .sample('health', 5, 5000, { status: 'dropped', finishMs: 5000 })
        .sample('health', 6, 6000, unknown(6001))
        .sample('health', 7, 7000, ok(7010))
        .read(),
    );
    expect(more).toEqual([]);
    expect(window).toMatchObject({ startLoMs: 0, startHiMs: 2010, endLoMs: 4000, endHiMs: 7010 });
  });

  test('unknown samples alone are no window', () => {
    expect(
      windowsOf(log().sample('health', 0, 0, unknown(1)).sample('health', 1, 1000, unknown(1001)).read()),
    ).toEqual([]);
  });

  test('a window without an end stays open, one without a beginning counts from the start of the run', () => {
    const built = log().sample('health', 0, 500, refused(510)).at(2000, { type: 'run.ended' }).read();
    const [window] = windowsOf(built);
    expect(window).toMatchObject({ startLoMs: 0, startHiMs: 510, endLoMs: 500, endHiMs: 2000, open: true });
    expect(toSummaryWindow(built, window!).endAt).toBeNull();
  });
});

describe('late good answers', () => {
  const quick = (builder: LogBuilder, from: number, count: number, everyMs = 100) => {
    for (let i = 0; i < count; i++)
      builder.sample('health', i, from + i * everyMs, ok(from + i * everyMs + 10));
    return builder;
  };

  test('of one stall are a window of their own, told from an outage', () => {
    const builder = quick(log(), 0, 20);
    for (const s of [2000, 2100, 2200, 2300]) builder.sample('health', s / 100, s, ok(2600));
    const windows = windowsOf(quick(builder, 2700, 20).read());
    expect(windows).toHaveLength(1);
    expect(windows[0]).toMatchObject({
      state: 'slow',
      startLoMs: 1900,
      startHiMs: 2020,
      endLoMs: 2300,
      endHiMs: 2600,
      causes: { slow: 4 },
    });
  });

  test('end with the last one that the same stall held up, be it for a moment only', () => {
    const builder = quick(log(), 0, 20);
    for (const s of [2000, 2100, 2200, 2300]) builder.sample('health', s / 100, s, ok(2400));
    // Asked before the first answer: held up as well. Asked after it: slow of itself, and too little to be told.
    builder.sample('health', 24, 2390, ok(2440)).sample('health', 25, 2450, ok(2500));
    const windows = windowsOf(quick(builder, 2600, 60).read());
    expect(windows).toMatchObject([{ state: 'slow', endLoMs: 2390, endHiMs: 2400, causes: { slow: 5 } }]);
  });

  test('that were sent before the first sign of life belong to the outage before them', () => {
    const builder = quick(log(), 0, 20);
    builder.sample('health', 20, 2000, timeout(2900)).sample('health', 21, 2100, timeout(3000));
    for (const s of [2200, 2300, 2400, 2500, 2600, 2700]) builder.sample('health', s / 100, s, ok(3050));
    // Held up by the same hang, though for a moment only.
    builder.sample('health', 29, 2990, ok(3050));
    const windows = windowsOf(quick(builder, 3100, 80).read());
    expect(windows).toHaveLength(1);
    expect(windows[0]).toMatchObject({
      state: 'down',
      endLoMs: 2990,
      endHiMs: 3050,
      causes: { slow: 7, timeout: 2 },
    });
  });

  test.each([
    ['before the steady state held', 1000, 2800],
    // A healthy target did so: nothing says that the answers were held up.
    ['while it held', 4000, 2200],
    ['while a fault was being armed', 8150, 2800],
  ])('are measured by the steady state alone: a slow answer %s', (_, slowMs, endLoMs) => {
    const kill = { id: 'fault-1', kind: 'process.kill', on: { host: 'node-1' }, atMs: 0, params: {} };
    const plan = planWith({ probes: [health], faults: [kill] });
    const builder = new LogBuilder(plan).at(8000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] });
    quick(builder.at(8050, { type: 'phase.started', phase: 'fault' }), 0, 90);
    builder.sample('health', 1000, slowMs + 1, ok(slowMs + 800)).fault(9050);
    const at = 10_000;
    builder
      .sample('health', 20, at + 2000, timeout(at + 2900))
      .sample('health', 21, at + 2200, timeout(at + 3100));
    for (const s of [2400, 2600, 2800]) builder.sample('health', s / 100, at + s, ok(at + 3060));
    const windows = windowsOf(quick(builder, at + 3100, 80).read());
    expect(windows.filter(({ state }) => state === 'down')).toMatchObject([{ endLoMs: at + endLoMs }]);
  });

  test('are not the target’s where the prober itself was stalled for so long', () => {
    const late = (stallMs: number) => {
      const builder = quick(log(), 0, 20).sample('health', 20, 2000, { ...ok(2600), stallMs });
      return windowsOf(quick(builder, 2700, 20).read());
    };
    expect(late(550)).toEqual([]);
    expect(late(300)).toMatchObject([{ state: 'slow' }]);
  });

  test('are not told of probes that run on a host', () => {
    const probe = probeOf('pg-role@node-1');
    const builder = new LogBuilder(planWith({ probes: [probe] }));
    for (let i = 0; i < 20; i++) builder.sample(probe.id, i, i * 1000, ok(i * 1000 + (i === 10 ? 800 : 10)));
    const built = builder.read();
    expect(badWindows(built, built.series.get(probe.id)!)).toEqual([]);
  });
});

describe('against simulated truth', () => {
  const kinds: readonly OutageKind[] = ['refused', 'http-5xx', 'hang', 'drop', 'stall'];
  const maxLatencyMs = 20;
  const timeoutMs = 900;

  /** A quarter of an hour with an outage every few seconds. */
  function simulate(seed: number, intervalMs: number, lossShare: number) {
    const random = seeded(seed);
    const outages: Outage[] = [];
    const warmUpMs = Math.max(5000, 20 * intervalMs);
    let nowMs = warmUpMs;
    while (outages.length < 60) {
      const fromMs = nowMs + timeoutMs + 3 * intervalMs + random() * 1000;
      const toMs = fromMs + 20 + random() * 4 * Math.max(intervalMs, 500);
      outages.push({ fromMs, toMs, kind: kinds[Math.floor(random() * kinds.length)]! });
      nowMs = toMs;
    }
    const answer = simulatedTarget(outages, { random, maxLatencyMs, timeoutMs });
    const builder = new LogBuilder(planWith({ probes: [probeOf('health', { intervalMs, timeoutMs })] }));
    // The baseline ends where a fault is said to be issued: before the first outage.
    builder.fault(warmUpMs);
    builder.probing('health', random() * intervalMs, nowMs + 3000, intervalMs, (sendMs) => {
      const lost = random() < lossShare;
      const real = answer(sendMs);
      return lost ? { status: random() < 0.5 ? 'dropped' : 'unknown', finishMs: sendMs + 1 } : real;
    });
    return { outages, windows: windowsOf(builder.read()) };
  }

  const holds = (w: BadWindow, o: Outage) =>
    w.startLoMs <= o.fromMs && o.fromMs <= w.startHiMs && w.endLoMs <= o.toMs && o.toMs <= w.endHiMs;

  test.each([50, 250, 1000])('bounds hold the truth in every window at %i ms', (intervalMs) => {
    let seen = 0;
    for (let seed = 1; seed <= 6; seed++) {
      const { outages, windows } = simulate(seed * 7919 + intervalMs, intervalMs, 0.03);
      for (const window of windows) {
        const truth = outages.filter((o) => o.fromMs <= window.endHiMs && o.toMs >= window.startLoMs);
        expect(
          truth.some((o) => holds(window, o)),
          `seed ${seed}: ${JSON.stringify(window)} ${JSON.stringify(truth)}`,
        ).toBe(true);
        seen++;
      }
    }
    expect(seen).toBeGreaterThanOrEqual(200);
  });

  test.each([50, 250, 1000])('width is about two intervals at %i ms, the error within one', (intervalMs) => {
    let found = 0;
    let widths = 0;
    for (let seed = 1; seed <= 4; seed++) {
      const { outages, windows } = simulate(seed * 104_729 + intervalMs, intervalMs, 0);
      for (const outage of outages) {
        const lengthMs = outage.toMs - outage.fromMs;
        const stall = outage.kind === 'stall';
        const window = windows.find((w) => holds(w, outage));
        // Longer than an interval and what a request may take, it cannot slip through.
        const mustSee = lengthMs >= intervalMs + 2 * maxLatencyMs + (stall ? 150 : 0);
        expect(window !== undefined || !mustSee, `seed ${seed}: ${JSON.stringify(outage)}`).toBe(true);
        if (window === undefined) continue;
        const { ms, minMs, maxMs } = durationOf(window);
        // Errors and answers that are held up for less than this are not told from prompt ones.
        const slackMs = 3 * maxLatencyMs + (['http-5xx', 'drop', 'stall'].includes(outage.kind) ? 150 : 0);
        const widthMs = window.endHiMs - window.startLoMs - (window.endLoMs - window.startHiMs);
        expect(maxMs - minMs).toBeLessThanOrEqual(widthMs + 0.01);
        expect(widthMs).toBeLessThanOrEqual(2 * intervalMs + slackMs);
        expect(Math.abs(ms - lengthMs)).toBeLessThanOrEqual(intervalMs + slackMs / 2 + 0.01);
        if (outage.kind === 'refused') {
          found++;
          widths += widthMs;
        }
      }
    }
    expect(found).toBeGreaterThan(20);
    expect(widths / found).toBeGreaterThan(1.8 * intervalMs);
    expect(widths / found).toBeLessThan(2.2 * intervalMs + 2 * maxLatencyMs);
  });
});
