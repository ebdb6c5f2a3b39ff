import { describe, expect, test } from 'vitest';
import type { RunLog } from '../../../src/analysis/run-log.ts';
import { LogBuilder, planWith, probeOf } from '../../../src/analysis/testing/log-builder.ts';
import { fromPlain } from '../../../src/core/testing/plain.ts';
import type { Outage } from './outages.ts';
import { windowTruth } from './window-truth.ts';

const recovery = { probe: 'health', withinMs: 60_000, stableForMs: 3000 };

type Span = readonly [fromMs: number, toMs: number];

/** The service refuses connections in these spans of the run clock. The interval is 100 ms until 20 s, then 1 s. */
function drill(...down: readonly Span[]): RunLog {
  return drillWith(down, () => 10);
}

/** `tookMs`: duration of the answer to a request at `askedMs`, after the first down span. */
function drillWith(down: readonly Span[], tookMs: (askedMs: number) => number): RunLog {
  const probes = [probeOf('health', { burstIntervalMs: 100 })];
  const isDown = (ms: number): boolean => down.some(([fromMs, toMs]) => ms >= fromMs && ms < toMs);
  return new LogBuilder(planWith({ probes, recovery }))
    .at(0, { type: 'rate.changed', burst: true })
    .at(20_000, { type: 'rate.changed', burst: false })
    .probing(
      'health',
      0,
      40_000,
      (ms) => (ms < 20_000 ? 100 : 1000),
      (ms) =>
        isDown(ms)
          ? { status: 'fail', cause: 'refused', finishMs: ms + 1 }
          : { status: 'ok', finishMs: ms + (ms > (down[0]?.[1] ?? 0) ? tookMs(ms) : 10) },
    )
    .fault(9900)
    .at(15_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(40_000, { type: 'run.ended' })
    .read();
}

/** An outage from packets, with times given on the run clock. */
function outage(log: RunLog, fromMs: number, toMs: number, answerTookMs = 5): Outage {
  const [{ wallMs, t }] = log.anchors;
  const wall = (ms: number): number => wallMs + ms - t;
  return {
    fromMs: wall(fromMs),
    downByMs: wall(fromMs + 40),
    toMs: wall(toMs),
    answerTookMs,
    firstBadMs: wall(fromMs + 40),
    lastBadMs: wall(toMs - 40),
  };
}

describe('windows compared with packets', () => {
  // Samples at 10.0 s (good), 10.1 s (refused) to 12.2 s (refused), and 12.3 s (good).
  const log = drill([10_030, 12_240]);

  test('agree if edges are within an interval and within the bounds', () => {
    const { faults, windows, rto } = windowTruth(log, [outage(log, 10_020, 12_280)]);
    expect(faults).toEqual([]);
    expect(windows).toMatchObject([
      {
        start: {
          byPacketsMs: 10_020,
          loMs: 10_000,
          hiMs: 10_101,
          intervalMs: 100,
          isNear: true,
          isWithin: true,
        },
        end: {
          byPacketsMs: 12_280,
          loMs: 12_200,
          hiMs: 12_310,
          intervalMs: 100,
          sharpnessMs: 100,
          isNear: true,
          isWithin: true,
        },
        recovery: true,
      },
    ]);
    // The effect lies between 9.9 and 10.05 s.
    expect(rto).toMatchObject({ byPacketsMs: 12_280 - 9975, byFiredrillMs: 12_255 - 9975 });
  });

  test('use the most exact anchor, because wall times are cut to whole milliseconds', () => {
    const [{ wallMs, t }] = log.anchors;
    const later = fromPlain<RunLog['anchors'][0]>({ t: t + 5000.1, wallMs: wallMs + 5001 });
    const earlier = fromPlain<RunLog['anchors'][0]>({ t: t + 6000.4, wallMs: wallMs + 6000 });
    const { windows } = windowTruth({ ...log, anchors: [...log.anchors, later, earlier] }, [
      outage(log, 10_020, 12_280),
    ]);
    expect(windows[0]?.start.byPacketsMs).toBeCloseTo(10_019.1, 3);
    expect(windows[0]?.end.byPacketsMs).toBeCloseTo(12_279.1, 3);
  });

  test('disagree about a start outside the bounds, even if it is near', () => {
    expect(windowTruth(log, [outage(log, 9990, 12_280)]).faults).toEqual([
      'window from 10.100 s: start at 10.050 s, by packets at 9.990 s: not within 10.000 s to 10.101 s',
    ]);
  });

  test('disagree about an end outside the bounds, as does the RTO', () => {
    expect(windowTruth(log, [outage(log, 10_020, 12_320)]).faults).toEqual([
      'window from 10.100 s: end at 12.255 s, by packets at 12.320 s: not within 12.200 s to 12.310 s',
      'RTO 2.280 s, by packets 2.345 s: not within 2.150 s to 2.410 s',
    ]);
  });

  test('disagree with packets that are shifted in time', () => {
    for (const byMs of [-200, 200]) {
      const { faults } = windowTruth(log, [outage(log, 10_020 + byMs, 12_280 + byMs)]);
      // Both edges and the RTO are too far apart, and outside the bounds.
      expect(faults).toHaveLength(6);
    }
  });

  test("may differ at an end by its answer's duration, except for a late answer", () => {
    // The first good sample is sent at 12.3 s, and answered 140 ms later.
    const slow = drillWith([[10_030, 12_240]], () => 140);
    expect(windowTruth(slow, [outage(slow, 10_020, 12_440, 5)]).faults).toEqual([
      'window from 10.100 s: end at 12.320 s, by packets at 12.440 s: more than 100 ms apart, in bounds of 12.200 s to 12.440 s',
      'RTO 2.345 s, by packets 2.465 s: more than 100 ms apart',
    ]);
    expect(windowTruth(slow, [outage(slow, 10_020, 12_440, 140)]).faults).toEqual([]);
    const { windows } = windowTruth(slow, [outage(slow, 10_020, 12_440, 900)]);
    expect(windows.map(({ end }) => end.sharpnessMs)).toEqual([150]);
  });

  test('may begin anywhere between the last answer and the first sign of down, if answers were held', () => {
    // The answers to requests at 10.1 and 10.2 s arrive at 10.9 s, so they do not show the start.
    const held = new LogBuilder(planWith({ probes: [probeOf('health', { burstIntervalMs: 100 })], recovery }))
      .at(0, { type: 'rate.changed', burst: true })
      .probing(
        'health',
        0,
        20_000,
        () => 100,
        (ms) => {
          if (ms <= 10_000 || ms > 12_250) return { status: 'ok', finishMs: ms + 10 };
          if (ms < 10_250) return { status: 'ok', finishMs: 10_900 };
          return { status: 'fail', cause: 'timeout', finishMs: ms + 900 };
        },
      )
      .fault(9900)
      .at(15_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
      .at(20_000, { type: 'run.ended' })
      .read();
    const of = (downByMs: number) => {
      const by = downByMs - 10_010;
      const seen = outage(held, 10_010, 12_310);
      return windowTruth(held, [{ ...seen, downByMs: seen.fromMs + by }]);
    };
    expect(of(10_300).windows[0]?.start).toMatchObject({ byPacketsMs: 10_010, loMs: 10_000, isWithin: true });
    expect(of(10_300).faults).toEqual([]);
    // Packets that show down earlier know the start more precisely than the window.
    expect(of(10_100).faults).toEqual([
      'window from 10.300 s: start at 10.160 s, by packets at 10.010 s: more than 100 ms apart, in bounds of 10.000 s to 10.320 s',
    ]);
  });

  test('need one outage each, and each outage needs a window', () => {
    expect(windowTruth(log, []).faults).toEqual(['window from 10.100 s: no outage by packets']);
    const more = [outage(log, 10_020, 12_280), outage(log, 14_000, 14_400)];
    expect(windowTruth(log, more).faults).toEqual(['no window: an outage by packets from 14.000 s']);
  });

  test('may miss an outage between two samples', () => {
    const short = [outage(log, 10_020, 12_280), outage(log, 14_010, 14_180)];
    expect(windowTruth(log, short).faults).toEqual([]);
  });

  test("end with the probe's answer, even if another connection fails later", () => {
    // Answers to requests from 12.2 s on are held until 12.43 s.
    const held = drillWith([[10_030, 12_150]], (ms) => Math.max(10, 12_430 - ms));
    const [of] = windowTruth(held, [outage(held, 10_020, 12_430), outage(held, 12_401, 12_480)]).windows;
    expect(of?.end).toMatchObject({ loMs: 12_400, hiMs: 12_430, byPacketsMs: 12_430, isWithin: true });
    // An attempt that failed while the probe waited for its answer belongs to the same outage.
    const parallel = [outage(held, 10_020, 12_430), outage(held, 12_385, 12_480)];
    expect(windowTruth(held, parallel).windows[0]?.end).toMatchObject({
      byPacketsMs: 12_480,
      isWithin: false,
    });
  });

  test('may cover two outages, unless the service was up for longer than an interval in between', () => {
    const of = (upFromMs: number, upToMs: number) =>
      windowTruth(log, [outage(log, 10_020, upFromMs), outage(log, upToMs, 12_280)]).faults;
    expect(of(11_000, 11_090)).toEqual([]);
    expect(of(11_000, 11_120)).toEqual(['window from 10.100 s: up again by packets from 11.000 s']);
  });

  test('are compared with the probe interval at their time', () => {
    const later = drill([10_030, 12_240], [30_100, 32_500]);
    const { faults, windows } = windowTruth(later, [
      outage(later, 10_020, 12_280),
      outage(later, 30_090, 32_700),
    ]);
    expect(faults).toEqual([]);
    expect(windows.map(({ start }) => start.intervalMs)).toEqual([100, 1000]);
  });
});

test('a drill without windows agrees with packets without outages', () => {
  expect(windowTruth(drill(), [])).toEqual({ probe: 'health', windows: [], rto: null, faults: [] });
});
