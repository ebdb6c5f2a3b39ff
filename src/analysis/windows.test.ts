import { describe, expect, test } from 'vitest';
import { LogBuilder, planWith, probeOf, seeded } from './testing/log-builder.ts';
import { type Outage, type OutageKind, simulatedTarget } from './testing/simulated-target.ts';
import { type BadWindow, badWindows, durationOf, endOf, toSummaryWindow } from './windows.ts';
import type { RunLog } from './run-log.ts';

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
  test('are the last good sending and the first failure, and the last bad sending and the first answer', () => {
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

  test('of a timeout are its sending plus the normal latency, not its end', () => {
    const [window] = windowsOf(
      log()
        .sample('health', 0, 0, ok(10))
        .sample('health', 1, 1000, timeout(1900))
        .sample('health', 2, 2000, ok(2010))
        .read(),
    );
    expect(window).toMatchObject({ startLoMs: 0, startHiMs: 1020, endLoMs: 1000, endHiMs: 2010 });
  });

  test('of reset connections extend to the first reset: they may have been slow, and failed when the target went down', () => {
    const reset = (finishMs: number) => ({ status: 'fail', cause: 'reset', finishMs }) as const;
    const windowOf = (...resets: readonly (readonly [sendMs: number, finishMs: number])[]) => {
      const builder = log().sample('health', 0, 0, ok(10));
      for (const [sendMs, finishMs] of resets) builder.sample('health', sendMs, sendMs, reset(finishMs));
      return windowsOf(builder.sample('health', 2000, 2000, ok(2010)).read())[0];
    };
    expect(windowOf([1000, 1700], [1200, 1701])).toMatchObject({ startHiMs: 1700, endLoMs: 1200 });
    expect(windowOf([1000, 1700])).toMatchObject({ startLoMs: 0, startHiMs: 1700, endLoMs: 1000 });
    expect(windowOf([1000, 1140])).toMatchObject({ startHiMs: 1140 });
  });

  test('are in send order if the answers are in another order', () => {
    // The timeout that was sent at 1000 ms ends after the answers to later samples.
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

  test('are not moved by a slow answer that may have acted on the other side of an edge', () => {
    const [start, ...others] = windowsOf(
      log()
        .sample('health', 0, 0, ok(5))
        .sample('health', 1, 200, ok(205))
        // Its packets were lost and resent, so it may have been answered after the refusals.
        .sample('health', 2, 400, ok(1405))
        .sample('health', 3, 600, refused(602))
        .sample('health', 4, 800, refused(802))
        .sample('health', 5, 1000, ok(1005))
        .read(),
    ).filter((w) => w.state === 'down');
    expect(others).toEqual([]);
    expect(start).toMatchObject({ startLoMs: 200, startHiMs: 602, endLoMs: 800, endHiMs: 1005 });
    // An answer before the failure's sending is certainly before it.
    const [after] = windowsOf(
      log()
        .sample('health', 0, 0, ok(5))
        .sample('health', 1, 200, ok(590))
        .sample('health', 2, 600, refused(602))
        .sample('health', 3, 800, ok(805))
        .read(),
    ).filter((w) => w.state === 'down');
    expect(after).toMatchObject({ startLoMs: 200, startHiMs: 602 });
  });

  test('of a late error that good answers overtook extend to the answers around it', () => {
    const [window, ...more] = windowsOf(
      log()
        .sample('health', 0, 0, ok(5))
        .sample('health', 1, 200, { status: 'fail', cause: 'http-5xx', finishMs: 650 })
        .sample('health', 2, 400, ok(405))
        .sample('health', 3, 600, ok(605))
        .sample('health', 4, 800, ok(805))
        .read(),
    );
    expect(more).toEqual([]);
    expect(window).toMatchObject({ startLoMs: 0, startHiMs: 650, endLoMs: 200, endHiMs: 805 });
  });

  test('only widen over unknown samples', () => {
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

  test('unknown samples alone make no window', () => {
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

  test('of one stall are a window of their own, distinct from an outage', () => {
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

  test('end with the last one that the same stall delayed, even for a moment only', () => {
    const builder = quick(log(), 0, 20);
    for (const s of [2000, 2100, 2200, 2300]) builder.sample('health', s / 100, s, ok(2400));
    // Sent before the first answer: delayed, too. Sent after it: slow by itself, but below the limit.
    builder.sample('health', 24, 2390, ok(2440)).sample('health', 25, 2450, ok(2500));
    const windows = windowsOf(quick(builder, 2600, 60).read());
    expect(windows).toMatchObject([{ state: 'slow', endLoMs: 2390, endHiMs: 2400, causes: { slow: 5 } }]);
  });

  test('that were sent before the first proof of up belong to the outage before them', () => {
    const builder = quick(log(), 0, 20);
    builder.sample('health', 20, 2000, timeout(2900)).sample('health', 21, 2100, timeout(3000));
    for (const s of [2200, 2300, 2400, 2500, 2600, 2700]) builder.sample('health', s / 100, s, ok(3050));
    // Delayed by the same hang, but for a moment only.
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

  test('alone are no evidence that an outage lasted', () => {
    // A cold start: up since shortly after the last refusal.
    const builder = quick(log(), 0, 3, 1000).sample('health', 3, 3000, refused(3003));
    builder.sample('health', 4, 4000, refused(4003)).sample('health', 5, 5000, ok(5200));
    expect(windowsOf(quick(builder, 6000, 5, 1000).read())).toMatchObject([
      { state: 'down', endLoMs: 4000, endHiMs: 5200, causes: { refused: 2, slow: 1 } },
    ]);
  });

  test('that arrived as far apart as they were sent were not delayed by one hang', () => {
    // Packets were lost while the target was down, and resent 1 s later.
    const builder = quick(log(), 0, 20).sample('health', 20, 2000, refused(2003));
    for (const s of [2100, 2200, 2300]) builder.sample('health', s / 100, s, ok(s + 1005));
    expect(windowsOf(quick(builder, 2400, 20).read())).toMatchObject([
      { state: 'down', startLoMs: 1900, startHiMs: 2003, endLoMs: 2000, endHiMs: 2410 },
    ]);
  });

  test('at the same moment by packets that were resent after 1, 3, and 7 s were not delayed by a hang', () => {
    const builder = quick(log(), 0, 3, 1000).sample('health', 3, 3000, refused(3003));
    for (const s of [4000, 8000, 10_000]) builder.sample('health', s / 1000, s, ok(11_004));
    expect(windowsOf(quick(builder, 11_100, 20).read()).filter((w) => w.state === 'down')).toMatchObject([
      { endLoMs: 3000, endHiMs: 11_004 },
    ]);
  });

  test('at the same moment by chance, from a service that stays slow, were not delayed by a hang', () => {
    const builder = quick(log(), 0, 20).sample('health', 20, 2000, refused(2003));
    builder.sample('health', 21, 2200, ok(2710)).sample('health', 22, 2400, ok(2712));
    builder.sample('health', 23, 2600, ok(2711)).sample('health', 24, 2800, ok(3200));
    expect(windowsOf(quick(builder, 3300, 20).read()).filter((w) => w.state === 'down')).toMatchObject([
      { endLoMs: 2000, endHiMs: 2710 },
    ]);
  });

  test('at the same moment were not delayed from before an answer in between', () => {
    const builder = quick(log(), 0, 20).sample('health', 20, 2000, refused(2003));
    builder.sample('health', 21, 2100, ok(2600)).sample('health', 22, 2200, ok(2210));
    builder.sample('health', 23, 2300, ok(2600));
    expect(windowsOf(quick(builder, 2700, 20).read()).filter((w) => w.state === 'down')).toMatchObject([
      { endLoMs: 2000, endHiMs: 2210 },
    ]);
  });

  test.each([
    ['before the steady state held', 1000, 2800],
    // A healthy target was as slow, so the answers were not delayed.
    ['while it held', 4000, 2200],
    ['while a fault was being armed', 8150, 2800],
  ])('are late by the latency of the steady state: a slow answer %s', (_, slowMs, endLoMs) => {
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

  test('are not slow if the prober itself stalled for that long', () => {
    const late = (stallMs: number) => {
      const builder = quick(log(), 0, 20).sample('health', 20, 2000, { ...ok(2600), stallMs });
      return windowsOf(quick(builder, 2700, 20).read());
    };
    expect(late(550)).toEqual([]);
    expect(late(300)).toMatchObject([{ state: 'slow' }]);
  });

  test('are late in a run without a fault, even if stalls delay many of its answers', () => {
    // A stall of 263 ms every second delays 2 or 3 of 10 samples.
    const builder = log();
    let stalls = 0;
    for (let s = 0; s < 20_000; s += 100) {
      const endMs = 1037 * Math.floor(s / 1037) + 263;
      const held = s >= 1037 && s < endMs;
      if (held && s - (endMs - 263) < 100) stalls++;
      builder.sample('health', s / 100, s, ok((held ? endMs : s) + 8));
    }
    const windows = windowsOf(builder.read());
    expect(windows).toHaveLength(stalls);
    for (const w of windows) {
      const { minMs, maxMs } = durationOf(w);
      expect(w.state).toBe('slow');
      expect(minMs).toBeLessThanOrEqual(263);
      expect(maxMs).toBeGreaterThanOrEqual(263);
      expect(maxMs - minMs).toBeLessThanOrEqual(2 * (100 + 2 * 20));
    }
  });

  test('are not slow for probes that run on a host', () => {
    const probe = probeOf('pg-role@node-1');
    const builder = new LogBuilder(planWith({ probes: [probe] }));
    for (let i = 0; i < 20; i++) builder.sample(probe.id, i, i * 1000, ok(i * 1000 + (i === 10 ? 800 : 10)));
    const built = builder.read();
    expect(badWindows(built, built.series.get(probe.id)!)).toEqual([]);
  });
});

describe('the estimate of an end', () => {
  /** Healthy samples, two timeouts, and two late answers to the next samples. */
  const afterOutage = (first: number, second: number, next = 2910) => {
    const builder = log();
    for (let s = 0; s < 2000; s += 200) builder.sample('health', s / 200, s, ok(s + 5));
    builder.sample('health', 10, 2000, timeout(2300)).sample('health', 11, 2200, timeout(2500));
    builder.sample('health', 12, 2400, ok(first)).sample('health', 13, 2600, ok(second));
    return windowsOf(builder.sample('health', 14, 2800, ok(next)).read()).filter((w) => w.state === 'down');
  };

  test('is the moment at which at least two late answers were released together; the bounds stay those of the samples', () => {
    const [window, ...more] = afterOutage(2636, 2637, 2805);
    expect(more).toEqual([]);
    expect(window).toMatchObject({
      startLoMs: 1800,
      startHiMs: 2010,
      endLoMs: 2200,
      endHiMs: 2636,
      endMs: 2636,
    });
    expect(endOf(window!)).toEqual({ loMs: 2200, hiMs: 2636, ms: 2636 });
    expect(durationOf(window!)).toEqual({ ms: 731, minMs: 190, maxMs: 836 });
  });

  test.each([
    ['arrived as far apart as they were sent', 2550, 2750, 2805],
    ['are of a service that stays slow', 2636, 2637, 3000],
    ['arrived after a prompt one', 2636, 2604, 2805],
    ['are one alone', 2550, 2604, 2805],
  ])('is the middle of its bounds if late answers %s', (_, first, second, next) => {
    const [window] = afterOutage(first, second, next);
    const { endLoMs, endHiMs, endMs } = window!;
    expect(endMs).toBeUndefined();
    expect(endOf(window!)).toEqual({ loMs: endLoMs, hiMs: endHiMs, ms: (endLoMs + endHiMs) / 2 });
  });

  test('is the middle of its bounds if lost packets were resent at the same moment', () => {
    const builder = log();
    for (let s = 0; s < 3000; s += 1000) builder.sample('health', s / 1000, s, ok(s + 5));
    builder.sample('health', 3, 3000, refused(3003));
    for (const s of [4000, 6000]) builder.sample('health', s / 1000, s, ok(7004));
    for (let s = 7100; s < 9000; s += 100) builder.sample('health', s / 100, s, ok(s + 5));
    const [window] = windowsOf(builder.read()).filter((w) => w.state === 'down');
    expect(window).toMatchObject({ endLoMs: 3000, endHiMs: 7004 });
    expect(window?.endMs).toBeUndefined();
  });

  test('is the release, too, of answers to samples that were sent before the last failure', () => {
    const [window] = windowsOf(hungThenDropped().read());
    expect(window).toMatchObject({ endMs: 2769 });
  });
});

/** Requests hang from 2000 ms, packets are lost from 2740 ms, and the service is up at 2767 ms. */
function hungThenDropped(): LogBuilder {
  const builder = log();
  for (let s = 0; s < 2000; s += 100) builder.sample('health', s / 100, s, ok(s + 5));
  for (const s of [2000, 2100]) builder.sample('health', s / 100, s, timeout(s + 400));
  for (const s of [2400, 2500, 2650]) builder.sample('health', s / 50, s, ok(2769));
  builder.sample('health', 55, 2750, timeout(3150));
  for (let s = 3200; s < 5000; s += 100) builder.sample('health', s / 50, s, ok(s + 5));
  return builder;
}

describe('answers between failures', () => {
  test('that a hang delayed do not divide an outage, however short the delay, and are part of it', () => {
    expect(windowsOf(hungThenDropped().read())).toMatchObject([
      {
        state: 'down',
        startLoMs: 1900,
        startHiMs: 2010,
        endLoMs: 2650,
        endHiMs: 3205,
        causes: { slow: 3, timeout: 3 },
      },
    ]);
  });

  test('that may be before or after the next failure leave both cases open', () => {
    const builder = log();
    for (let s = 0; s < 2000; s += 50) builder.sample('health', s / 50, s, ok(s + 5));
    // Refused, and up at some moment from 2050 to 2120 ms.
    builder.sample('health', 40, 2000, refused(2001)).sample('health', 41, 2050, ok(2120));
    builder.sample('health', 42, 2100, refused(2101)).sample('health', 43, 2150, ok(2155));
    const windows = windowsOf(builder.read());
    expect(windows).toMatchObject([{ startLoMs: 1950, startHiMs: 2001, endLoMs: 2000, endHiMs: 2155 }]);
    expect(durationOf(windows[0]!)).toMatchObject({ minMs: 0, maxMs: 205 });
  });

  test('divide only failures that are certainly after them', () => {
    const builder = log();
    for (let s = 0; s < 2000; s += 100) builder.sample('health', s / 100, s, ok(s + 5));
    builder.sample('health', 20, 2000, refused(2001)).sample('health', 21, 2100, ok(2290));
    builder.sample('health', 22, 2200, refused(2201)).sample('health', 23, 2300, refused(2301));
    builder.sample('health', 24, 2400, ok(2405));
    expect(windowsOf(builder.read()).filter((w) => w.state === 'down')).toMatchObject([
      { startLoMs: 1900, startHiMs: 2001, endLoMs: 2000, endHiMs: 2405, causes: { refused: 2, slow: 1 } },
      { startLoMs: 2100, startHiMs: 2301, endLoMs: 2300, endHiMs: 2405, causes: { refused: 1 } },
    ]);
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
    // The baseline ends with `fault.issued`, before the first outage.
    builder.fault(warmUpMs);
    builder.probing('health', random() * intervalMs, nowMs + 3000, intervalMs, (sendMs) => {
      const lost = random() < lossShare;
      const real = answer(sendMs);
      return lost ? { status: random() < 0.5 ? 'dropped' : 'unknown', finishMs: sendMs + 1 } : real;
    });
    return { outages, windows: windowsOf(builder.read()) };
  }

  /** How much wider than two intervals a window may be, ms. */
  function slackOf(kind: OutageKind, intervalMs: number): number {
    // A late error alone may have acted at any moment until its arrival, at both edges.
    if (kind === 'http-5xx') return 2 * (300 + maxLatencyMs) + intervalMs;
    // A connection may have been slow for its whole timeout before it was reset.
    if (kind === 'drop') return timeoutMs + intervalMs;
    // An answer that is delayed for less than this counts as prompt. Answers that are released together prove a hang. If each
    // arrives before the next sample is sent, a single one may have been slow by itself.
    if (kind === 'stall') return intervalMs < 100 ? 150 : timeoutMs;
    return 0;
  }

  const holds = (w: BadWindow, o: Outage) =>
    w.startLoMs <= o.fromMs && o.fromMs <= w.startHiMs && w.endLoMs <= o.toMs && o.toMs <= w.endHiMs;

  test.each([50, 250, 1000])('bounds contain the truth in every window at %i ms', (intervalMs) => {
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
        // An outage longer than an interval plus a request's longest time is always observed.
        const mustSee = lengthMs >= intervalMs + 2 * maxLatencyMs + (stall ? 150 : 0);
        expect(window !== undefined || !mustSee, `seed ${seed}: ${JSON.stringify(outage)}`).toBe(true);
        if (window === undefined) continue;
        const { ms, minMs, maxMs } = durationOf(window);
        const slackMs = 3 * maxLatencyMs + slackOf(outage.kind, intervalMs);
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
