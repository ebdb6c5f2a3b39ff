import { describe, expect, it } from 'vitest';
import type { TrueOutage } from './fault-server/messages.ts';
import { errorFigures, judge, type ReportedWindow } from './judge.ts';

const outage = (fromMs: number, toMs: number, uncertainMs = 0): TrueOutage => ({
  track: 0,
  kind: 'refused',
  start: { loMs: fromMs, hiMs: fromMs + uncertainMs },
  end: { loMs: toMs, hiMs: toMs + uncertainMs },
});

/** A window with bounds of this width around both edges. */
const bounded = (fromMs: number, toMs: number, widthMs: number): ReportedWindow => ({
  fromMs,
  toMs: toMs + widthMs,
  ms: toMs - fromMs,
  bounds: {
    start: { loMs: fromMs, hiMs: fromMs + widthMs },
    end: { loMs: toMs, hiMs: toMs + widthMs },
    minMs: toMs - fromMs - widthMs,
    maxMs: toMs - fromMs + widthMs,
  },
});

const only = (truth: TrueOutage, ...reported: readonly ReportedWindow[]) =>
  judge({ outages: [truth], stalls: [] }, reported, 0).outages[0];

describe('judge', () => {
  it('returns the error of a window, with its sign', () => {
    expect(only(outage(1000, 4437), { fromMs: 1500, toMs: 4500, ms: 3000 })).toEqual({
      kind: 'refused',
      trueMs: 3437,
      windows: 1,
      reportedMs: 3000,
      errorMs: -437,
      held: null,
      halfWidthMs: null,
    });
  });

  it('counts a missed outage as an error of its whole length', () => {
    expect(only(outage(1000, 1731))).toMatchObject({ windows: 0, reportedMs: 0, errorMs: -731 });
  });

  it('counts windows without an outage', () => {
    const reported = [
      { fromMs: 1500, toMs: 2500, ms: 1000 },
      { fromMs: 9000, toMs: 9100, ms: 100 },
    ];
    expect(judge({ outages: [outage(1000, 2000)], stalls: [] }, reported, 0).strays).toBe(1);
  });

  it('assigns a window to an outage that it misses by at most the slack', () => {
    const late = { fromMs: 2100, toMs: 3000, ms: 900 };
    expect(judge({ outages: [outage(1000, 2000)], stalls: [] }, [late], 50).strays).toBe(1);
    expect(judge({ outages: [outage(1000, 2000)], stalls: [] }, [late], 150).strays).toBe(0);
    const early = { fromMs: 100, toMs: 900, ms: 800 };
    expect(judge({ outages: [outage(1000, 2000)], stalls: [] }, [early], 50).strays).toBe(1);
    expect(judge({ outages: [outage(1000, 2000)], stalls: [] }, [early], 150).strays).toBe(0);
  });

  it('adds up multiple windows of an outage', () => {
    const reported = [bounded(990, 1400, 20), bounded(1500, 1990, 20)];
    expect(only(outage(1000, 2000), ...reported)).toMatchObject({ windows: 2, reportedMs: 900, held: false });
  });

  it('checks the bounds of the start, the end, and the length', () => {
    expect(only(outage(1010, 2010), bounded(1000, 2000, 20))).toMatchObject({ held: true, halfWidthMs: 20 });
    expect(only(outage(1021, 2010), bounded(1000, 2000, 20))).toMatchObject({ held: false });
    expect(only(outage(1010, 2021), bounded(1000, 2000, 20))).toMatchObject({ held: false });
    const exact = bounded(1000, 2000, 20);
    for (const wrong of [{ maxMs: 995 }, { minMs: 1005 }]) {
      const bounds = { ...exact.bounds!, ...wrong };
      expect(only(outage(1010, 2010), { ...exact, bounds })).toMatchObject({ held: false });
    }
  });

  it('ignores outages and windows in which the server itself was stalled', () => {
    const stalls = [{ loMs: 1990, hiMs: 2030 }];
    const reported = [bounded(1000, 2000, 20)];
    const judged = judge({ outages: [outage(1000, 2000), outage(5000, 6000)], stalls }, reported, 0);
    expect(judged).toMatchObject({ outages: [{ trueMs: 1000, windows: 0 }], strays: 0 });
    // A stall in the middle of an outage does not change the outage.
    const within = [{ loMs: 1400, hiMs: 1500 }];
    expect(judge({ outages: [outage(1000, 2000)], stalls: within }, reported, 0).outages).toHaveLength(1);
    const alone = { fromMs: 1950, toMs: 2000, ms: 50 };
    expect(judge({ outages: [], stalls }, [alone], 0).strays).toBe(0);
    expect(judge({ outages: [], stalls: [] }, [alone], 0).strays).toBe(1);
  });

  it('allows for the uncertainty of the true edges', () => {
    expect(only(outage(995, 2010, 6), bounded(1000, 2000, 20))).toMatchObject({ held: true, trueMs: 1015 });
    expect(only(outage(990, 2010, 6), bounded(1000, 2000, 20))).toMatchObject({ held: false });
  });
});

describe('errorFigures', () => {
  it('returns the range of errors, the number found, and the ratio', () => {
    const outages = [
      only(outage(0, 1000), bounded(100, 1000, 10))!,
      only(outage(0, 3000), bounded(5, 3305, 10))!,
      only(outage(0, 200))!,
    ];
    expect(errorFigures(outages)).toEqual({
      outages: 3,
      found: 2,
      lowestMs: -200,
      medianMs: -100,
      highestMs: 300,
      worstMs: 300,
      ratio: 1,
      bounded: 2,
      held: 0,
      medianHalfWidthMs: 10,
    });
  });

  it('is undefined without outages', () => {
    expect(errorFigures([])).toBeUndefined();
  });
});
