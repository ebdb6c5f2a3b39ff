import { describe, expect, test } from 'vitest';
import type { Check, OwnershipState } from '../core/plan.ts';
import type { CheckResult } from '../core/summary.ts';
import { summarize } from './summarize.ts';
import { type FailoverVariant, truth, vipFailover } from './testing/vip-failover.ts';

const base = { kind: 'ownership', name: 'c', of: 'vip', side: 'claimed' } as const;
const gapMs = truth.takenMs - truth.effectMs;

function run(check: Check, variant: FailoverVariant = {}) {
  const summary = summarize(vipFailover({ ...variant, checks: [check] }).read());
  const [result] = summary.checks;
  if (result === undefined) throw new Error('no check was judged');
  return { result, reasons: summary.reasons };
}

const judged = (check: Check, variant?: FailoverVariant): CheckResult => run(check, variant).result;

describe('the time without an owner', () => {
  const state: OwnershipState = 'none';

  test.each<[{ minMs?: number; maxMs?: number }, string, string]>([
    [{ maxMs: 5000 }, 'pass', 'at most 5 s'],
    [{ minMs: 3000 }, 'pass', 'at least 3 s'],
    [{ minMs: 3000, maxMs: 5000 }, 'pass', '3 s to 5 s'],
    [{ maxMs: 3000 }, 'fail', 'at most 3 s'],
    [{ minMs: 4000 }, 'fail', 'at least 4 s'],
    [{ maxMs: gapMs }, 'inconclusive', 'at most 3.65 s'],
    [{ minMs: gapMs }, 'inconclusive', 'at least 3.65 s'],
  ])('is judged by its bounds: %j is a %s', (limits, status, limit) => {
    const result = judged({ ...base, state, ...limits });
    expect(result).toMatchObject({ status, limit });
    expect(result.measured!.minMs).toBeLessThanOrEqual(gapMs);
    expect(result.measured!.maxMs).toBeGreaterThanOrEqual(gapMs);
  });

  test('gives a reason', () => {
    expect(run({ ...base, state, maxMs: 3000 }).reasons[0]).toMatch(
      /^c: the time for which vip was claimed by no host was 3\.\d\d s \(.*\), above the limit of 3 s$/,
    );
  });

  test('is the sum of multiple windows', () => {
    const claimed: FailoverVariant['claimed'] = [
      [0, 'node-1'],
      [truth.effectMs],
      [truth.takenMs, 'node-2'],
      [45_000],
      [50_000, 'node-1'],
    ];
    const { measured } = judged({ ...base, state, maxMs: 10_000 }, { claimed });
    expect(measured!.minMs).toBeLessThanOrEqual(gapMs + 5000);
    expect(measured!.maxMs).toBeGreaterThanOrEqual(gapMs + 5000);
    expect(measured!.minMs).toBeGreaterThan(gapMs + 4000);
  });

  test('does not count the time before the fault', () => {
    const claimed: FailoverVariant['claimed'] = [[0, 'node-1'], [7000], [9000, 'node-1']];
    expect(judged({ ...base, state, maxMs: 0 }, { claimed })).toMatchObject({
      status: 'pass',
      observed: expect.stringMatching(/^at none of \d+ samples, at most 2\d\d ms apart$/),
    });
  });
});

describe('the time with multiple owners', () => {
  const state: OwnershipState = 'multiple';
  const claimed: FailoverVariant['claimed'] = [
    [0, 'node-1'],
    [13_700, 'node-1', 'node-2'],
    [30_000, 'node-2'],
  ];

  test('passes if there never were two, and fails if there were', () => {
    const never = expect.stringMatching(/^at none of \d+ samples, at most 2\d\d ms apart$/);
    expect(judged({ ...base, state, maxMs: 0 })).toMatchObject({ status: 'pass', observed: never });
    expect(judged({ ...base, state, maxMs: 1000 }, { claimed })).toMatchObject({ status: 'fail' });
    expect(judged({ ...base, state, minMs: 10_000 }, { claimed })).toMatchObject({ status: 'pass' });
    expect(judged({ ...base, state, minMs: 10_000 })).toMatchObject({ status: 'fail', observed: never });
  });

  test('is inconclusive by a handover between two samples', () => {
    const quick: FailoverVariant['claimed'] = [
      [0, 'node-1'],
      [20_070, 'node-2'],
    ];
    const result = judged({ ...base, state, maxMs: 0 }, { claimed: quick });
    expect(result.status).toBe('inconclusive');
    expect(result.observed).toMatch(/^uncertain, up to [45]\d\d ms in all$/);
    // A limit above the handover and one more interval decides it.
    expect(judged({ ...base, state, maxMs: 600 }, { claimed: quick }).status).toBe('pass');
  });
});

describe('a host without samples', () => {
  const blind = [[truth.effectMs, 45_000]] as const;

  test('makes both states inconclusive, and is named', () => {
    const { result, reasons } = run({ ...base, state: 'none', maxMs: 2000 }, { blind });
    expect(result.status).toBe('inconclusive');
    expect(reasons[0]).toMatch(/the limit is at most 2 s, and node-1 was unknown for 35\.\d\d s$/);
    expect(judged({ ...base, state: 'multiple', maxMs: 1000 }, { blind }).status).toBe('inconclusive');
  });

  test('is not an owner while its power is off', () => {
    const off = { blind, kind: 'power.cut' };
    expect(judged({ ...base, state: 'none', maxMs: 2000 }, off).status).toBe('fail');
    expect(judged({ ...base, state: 'multiple', maxMs: 0 }, off).status).toBe('pass');
  });

  test('does not matter to a side that samples it from elsewhere', () => {
    expect(judged({ ...base, side: 'answered', state: 'none', maxMs: 2000 }, { blind }).status).toBe('fail');
  });
});

describe('owners that differ between two sides', () => {
  const check = { ...base, differsFrom: 'answered' } as const;
  const stale: FailoverVariant['answered'] = [
    [0, 'node-1'],
    [23_700, 'node-2'],
  ];

  test('count for the time in which they certainly did, including stale answers', () => {
    const differMs = 23_700 - truth.effectMs;
    const { result, reasons } = run({ ...check, maxMs: 2000 }, { answered: stale });
    expect(result.status).toBe('fail');
    expect(result.measured!.minMs).toBeLessThanOrEqual(differMs);
    expect(result.measured!.maxMs).toBeGreaterThanOrEqual(differMs);
    expect(reasons[0]).toContain(
      'the time for which the owners of vip as claimed differed from the owners as answered was 13.',
    );
    expect(judged({ ...check, minMs: 13_000 }, { answered: stale }).status).toBe('pass');
  });

  test('are the same for sides that move together, except between samples', () => {
    expect(judged({ ...check, maxMs: 1000 }).status).toBe('pass');
    expect(judged({ ...check, maxMs: 0 }).status).toBe('inconclusive');
  });

  test('are unknown while a host that may be the owner has no samples', () => {
    const blind = [[truth.effectMs, 45_000]] as const;
    // Node-1 answers all the time, so it may claim the address, too.
    const stays: FailoverVariant['claimed'] = [[0, 'node-1']];
    const hidden = judged({ ...check, maxMs: 2000 }, { claimed: stays, answered: stays, blind });
    expect(hidden.status).toBe('inconclusive');
    // Node-2 certainly claims it and certainly does not answer, so the sides differ.
    expect(judged({ ...check, maxMs: 2000 }, { answered: stale, blind }).status).toBe('fail');
  });
});

describe('an ownership check', () => {
  test('is a lower bound if the run was cut short', () => {
    const cut = { cutAtMs: 13_000 };
    expect(judged({ ...base, state: 'none', maxMs: 1000 }, cut).status).toBe('fail');
    const open = judged({ ...base, state: 'none', maxMs: 10_000 }, cut);
    expect(open).toMatchObject({
      status: 'inconclusive',
      observed: expect.stringContaining('or more, the run was cut short'),
    });
    expect(open).not.toHaveProperty('measured');
    expect(judged({ ...base, state: 'multiple', maxMs: 0 }, cut).status).toBe('inconclusive');
  });

  test('is inconclusive without a fault, an ownership, or a side', () => {
    expect(judged({ ...base, state: 'none', maxMs: 1 }, { cutAtMs: 9000 })).toMatchObject({
      status: 'inconclusive',
      observed: 'not measured: no fault took effect',
    });
    for (const wrong of [{ of: 'vp' }, { side: 'clamed' }])
      expect(judged({ ...base, state: 'none', maxMs: 1, ...wrong })).toMatchObject({
        status: 'inconclusive',
        observed: 'not in the plan',
      });
    expect(judged({ ...base, differsFrom: 'told', maxMs: 1 }).observed).toBe('not in the plan');
  });
});
