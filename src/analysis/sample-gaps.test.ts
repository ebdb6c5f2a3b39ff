import { describe, expect, test } from 'vitest';
import type { Check, Plan } from '../core/plan.ts';
import type { CheckResult } from '../core/summary.ts';
import { fromPlain } from '../core/testing/plain.ts';
import type { Range } from './intervals.ts';
import { longestUnobservedMs, samplingOf } from './sample-gaps.ts';
import { summarize } from './summarize.ts';
import { type Answer, LogBuilder, planWith, probeOf } from './testing/log-builder.ts';

const name = 'c';
const good = (ms: number, value?: string): Answer => ({
  status: 'ok',
  finishMs: ms + 5,
  ...(value === undefined ? {} : { value }),
});

/** A fault at 5.2 s, healed at 15.2 s; samples at 0 s, 1 s, … are answered after 5 ms. Outages are between two samples. */
function quiet(checks: readonly Check[], parts: Partial<Plan> = {}, intervalMs = 1000): LogBuilder {
  const plan = planWith({
    probes: [
      probeOf('health', { intervalMs }),
      probeOf('role@a', { intervalMs }),
      probeOf('role@b', { intervalMs }),
    ],
    ownership: { vip: { claimed: { probe: 'role', is: ['yes'] }, wire: { probe: 'role', is: ['yes'] } } },
    checks,
    ...parts,
  });
  return new LogBuilder(plan)
    .probing('health', 0, 25_000, intervalMs, (ms) => good(ms))
    .probing('role@a', 300, 25_000, intervalMs, (ms) => good(ms, 'yes'))
    .probing('role@b', 600, 25_000, intervalMs, (ms) => good(ms, 'no'))
    .fault(5200, { healedMs: 15_200 })
    .at(25_000, { type: 'run.ended' });
}

function judged(check: Check, intervalMs?: number): CheckResult & { readonly reasons: readonly string[] } {
  const { checks, reasons } = summarize(quiet([check], {}, intervalMs).read());
  const [result] = checks;
  if (result === undefined) throw new Error('no check was judged');
  return { ...result, reasons };
}

describe('an outage that fits between two samples', () => {
  test('is in the upper bound of the downtime: a limit below it is inconclusive', () => {
    const { status, measured, reasons } = judged({ kind: 'downtime', name, maxMs: 500 });
    expect(status).toBe('inconclusive');
    expect(measured).toEqual({ ms: 0, minMs: 0, maxMs: 1005 });
    expect(reasons).toContain(
      'c: downtime was 0 ms (0 ms to 1.00 s): up to 1.00 s of that fits between two samples, and the limit is at most 500 ms; a probe interval of 495 ms or less decides it',
    );
    expect(judged({ kind: 'downtime', name, maxMs: 500 }, 450).status).toBe('pass');
    expect(judged({ kind: 'downtime', name, maxMs: 1500 }).status).toBe('pass');
  });

  test('is in the upper bound of the heal’s outage', () => {
    expect(judged({ kind: 'heal-outage', name, maxMs: 500 })).toMatchObject({
      status: 'inconclusive',
      measured: { ms: 0, minMs: 0, maxMs: 1005 },
    });
    expect(judged({ kind: 'heal-outage', name, maxMs: 1500 }).status).toBe('pass');
  });

  test('is in the figures of the summary, too', () => {
    const { downtime, heal } = summarize(quiet([]).read());
    expect(downtime).toEqual({ ms: 0, minMs: 0, maxMs: 1005, windows: 0 });
    expect(heal?.outage).toEqual({ ms: 0, minMs: 0, maxMs: 1005, windows: 0 });
  });

  test('is added to the observed windows, and does not change their estimate', () => {
    const log = new LogBuilder(planWith({ probes: [probeOf('health')] }))
      .probing('health', 0, 25_000, 1000, (ms) =>
        ms > 5500 && ms < 8500 ? { status: 'fail', finishMs: ms + 5, cause: 'refused' } : good(ms),
      )
      .fault(5200)
      .at(25_000, { type: 'run.ended' })
      .read();
    // Down between [5.2 s, 6.005 s] and [8 s, 9.005 s], and for up to 1.005 s more.
    expect(summarize(log).downtime).toMatchObject({ minMs: 1995, maxMs: 3805 + 1005, ms: 2900 });
  });

  test('with a limit of 0 only samples count: the outcome has their number and distance', () => {
    expect(judged({ kind: 'downtime', name, maxMs: 0 })).toMatchObject({
      status: 'pass',
      observed: 'at none of 19 samples, at most 1.00 s apart',
      measured: { ms: 0, minMs: 0, maxMs: 1005 },
    });
  });
});

describe('a state that fits between two samples', () => {
  const multiple = { probe: 'role', is: ['yes'], count: { min: 2, max: 2 } };

  test('makes `never` a statement about samples', () => {
    const check: Check = { kind: 'never', name, condition: multiple, toleranceMs: 0 };
    expect(judged(check)).toMatchObject({
      status: 'pass',
      observed: 'at none of 40 samples, at most 1.00 s apart',
    });
  });

  test('is not within a tolerance below the interval', () => {
    const check: Check = { kind: 'never', name, condition: multiple, toleranceMs: 500 };
    const { status, reasons } = judged(check);
    expect(status).toBe('inconclusive');
    expect(reasons).toContain(
      'c: "role is yes on exactly 2" was not observed, but may have held for up to 1.00 s between two samples; a probe interval of 495 ms or less decides it',
    );
    expect(judged({ ...check, toleranceMs: 1100 }).status).toBe('pass');
  });

  test('is in the upper bound of ownership', () => {
    const base = { kind: 'ownership', name, of: 'vip', side: 'claimed' } as const;
    for (const check of [
      { ...base, state: 'none', maxMs: 500 },
      { ...base, state: 'multiple', maxMs: 500 },
      { ...base, differsFrom: 'wire', maxMs: 500 },
    ] as const) {
      expect(judged(check)).toMatchObject({
        status: 'inconclusive',
        measured: { ms: 0, minMs: 0, maxMs: 1005 },
        observed: 'at none of 40 samples, at most 1.00 s apart',
      });
      expect(judged({ ...check, maxMs: 1500 }).status).toBe('pass');
      expect(judged({ ...check, maxMs: 0 }).status).toBe('pass');
    }
  });

  test('is next to the windows of ownership in the summary', () => {
    const [vip] = summarize(quiet([]).read()).ownership;
    expect(vip?.sides).toMatchObject([
      { side: 'claimed', none: [], multiple: [], unobservedMs: { none: 1005, multiple: 1005 } },
      { side: 'wire', unobservedMs: { none: 1005, multiple: 1005 } },
    ]);
  });

  test('may have held for as long as fits', () => {
    const check = { kind: 'happens', name, condition: multiple } as const;
    // A state of no sample may have held between two of them.
    expect(judged({ ...check, minMs: 0 })).toMatchObject({
      status: 'inconclusive',
      observed: 'not observed, but may have held for up to 1.00 s between two samples',
      reasons: [expect.stringMatching(/; set `min` to more than 1\.005 s$/)],
    });
    expect(judged({ ...check, minMs: 500 }).status).toBe('inconclusive');
    expect(judged({ ...check, minMs: 2000 }).status).toBe('fail');
  });

  test('counts only the gaps of an instance that alone can cause it', () => {
    const check: Check = { kind: 'never', name, condition: multiple, toleranceMs: 500 };
    // The owner is sampled every 4 s, the other host every 200 ms: only the other one could make it two.
    const log = new LogBuilder(
      planWith({
        probes: [
          probeOf('health'),
          probeOf('role@a', { intervalMs: 4000 }),
          probeOf('role@b', { intervalMs: 200 }),
        ],
        checks: [check],
      }),
    )
      .probing('health', 0, 25_000, 1000, (ms) => good(ms))
      .probing('role@a', 300, 25_000, 4000, (ms) => good(ms, 'yes'))
      .probing('role@b', 100, 25_000, 200, (ms) => good(ms, 'no'))
      .fault(5200)
      .at(25_000, { type: 'run.ended' });
    expect(summarize(log.read()).checks[0]).toMatchObject({
      status: 'pass',
      observed: 'at none of 104 samples, at most 4.00 s apart',
    });
  });
});

describe('the time between samples', () => {
  const probe = probeOf('health');
  const range = fromPlain<Range>({ fromMs: 2500, toMs: 9000 });
  const logOf = (answer: (ms: number) => Answer) =>
    new LogBuilder(planWith({ probes: [probe] })).probing('health', 0, 9500, 1000, answer).read();
  const series = (answer: (ms: number) => Answer) => logOf(answer).series.get('health')!;
  const unobserved = (
    answer: (ms: number) => Answer,
    counted: Parameters<typeof longestUnobservedMs>[3] = [],
  ) => longestUnobservedMs(logOf(answer), series(answer), range, counted);

  test('is cut to the range, and counts to its ends', () => {
    expect(samplingOf([series((ms) => good(ms))], fromPlain({ fromMs: 2500, toMs: 2900 }))).toEqual({
      samples: 0,
      widestMs: 400,
    });
    expect(samplingOf([series((ms) => good(ms))], range)).toEqual({ samples: 7, widestMs: 1005 });
  });

  test('extends over samples without a known result', () => {
    const lost = (ms: number): Answer => (ms === 5000 ? { status: 'unknown', finishMs: ms + 5 } : good(ms));
    expect(samplingOf([series(lost)], range)).toEqual({ samples: 6, widestMs: 2005 });
    expect(unobserved(lost)).toBe(2005);
  });

  test('ends with the first answer to any later sample', () => {
    // The sample of 4 s is answered after the one of 5 s.
    expect(unobserved((ms) => (ms === 4000 ? { status: 'ok', finishMs: 5600 } : good(ms)))).toBe(2005);
    expect(unobserved((ms) => (ms === 4000 ? { status: 'ok', finishMs: 4700 } : good(ms)))).toBe(1700);
  });

  test('inside a window that already counts adds nothing', () => {
    const down = (ms: number): Answer =>
      ms === 5000 ? { status: 'fail', finishMs: ms + 5, cause: 'refused' } : good(ms);
    expect(unobserved(down, fromPlain([{ startLoMs: 4000, endHiMs: 6005 }]))).toBe(1005);
  });
});
