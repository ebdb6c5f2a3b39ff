import { describe, expect, test } from 'vitest';
import type { Check } from '../core/plan.ts';
import type { CheckResult } from '../core/summary.ts';
import { summarize } from './summarize.ts';
import { LogBuilder, planWith, probeOf } from './testing/log-builder.ts';

/** Values of a host, each from a moment on. */
type Tells = readonly (readonly [fromMs: number, value: string])[];

/** A is sampled at .3 s of each second and B at .6 s; the recovery gate is met at 29.9 s, the log ends at 40 s. */
function judged(check: Check, a: Tells, b: Tells): CheckResult | undefined {
  const answer = (tells: Tells) => (ms: number) => {
    const value = tells.findLast(([fromMs]) => fromMs <= ms)?.[1] ?? 'replica';
    return { status: 'ok', finishMs: ms + 5, value } as const;
  };
  const log = new LogBuilder(
    planWith({
      probes: [probeOf('health'), probeOf('pg@a'), probeOf('pg@b')],
      roles: { db: { probe: 'pg', is: ['primary'] } },
      checks: [check],
    }),
  )
    .probing('health', 0, 40_000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 5 }))
    .probing('pg@a', 300, 40_000, 1000, answer(a))
    .probing('pg@b', 600, 40_000, 1000, answer(b))
    .at(9000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .fault(10_000, { host: 'a', healedMs: 31_000 })
    .at(29_900, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(40_000, { type: 'run.ended' });
  return summarize(log.read()).checks[0];
}

const primary = [[0, 'primary']] as const;
const left = (ms: number): Tells => [...primary, [ms, 'replica']];
const taken = (ms: number): Tells => [[ms, 'primary']];

describe('role-moved, by samples of different moments', () => {
  const moved: Check = { kind: 'role-moved', name: 'moved', role: 'db' };

  test('does not count a handover between two samples as two holders, or as none', () => {
    expect(judged(moved, left(29_400), taken(29_500))).toMatchObject({
      status: 'inconclusive',
      observed: 'held by a and b',
    });
    expect(judged(moved, left(28_000), taken(29_700))).toMatchObject({
      status: 'inconclusive',
      observed: 'held by no host',
    });
  });

  test('fails if the samples around the moment show it', () => {
    expect(judged(moved, primary, taken(20_000))?.observed).toBe('held by a and b');
    expect(judged(moved, primary, taken(20_000))?.status).toBe('fail');
    expect(judged(moved, left(28_000), taken(39_000))?.status).toBe('fail');
    expect(judged(moved, primary, [])?.status).toBe('fail');
    expect(judged(moved, left(20_000), taken(20_000))?.status).toBe('pass');
  });
});

describe('finally, by samples of different moments', () => {
  const one: Check = {
    kind: 'finally',
    name: 'one',
    condition: { probe: 'pg', is: ['primary'], count: { min: 1, max: 1 } },
  };

  test('does not count a handover at the end as two holders', () => {
    expect(judged(one, left(39_400), taken(39_500))).toMatchObject({
      status: 'inconclusive',
      observed: 'pg@a primary, pg@b primary',
    });
  });

  test('fails if two consecutive samples show it', () => {
    expect(judged(one, primary, taken(37_000))?.status).toBe('fail');
    expect(judged(one, left(37_000), [])?.status).toBe('fail');
    const all: Check = { ...one, condition: { probe: 'pg', is: ['primary'] } };
    // One sample of one host is enough if all hosts must match.
    expect(judged(all, left(39_000), taken(20_000))?.status).toBe('fail');
  });
});

describe('a condition that held at the last sample', () => {
  /** Sampled every 5 s, at .3 s for A and at 1.3 s for B, until 40 s; there is no owner from 20 s on. */
  const measuredBy = (check: Check) => {
    const answer = (value: string) => (ms: number) =>
      ({ status: 'ok', finishMs: ms + 5, value: ms < 20_000 ? value : 'replica' }) as const;
    const slow = { intervalMs: 5000 };
    const log = new LogBuilder(
      planWith({
        probes: [probeOf('health'), probeOf('pg@a', slow), probeOf('pg@b', slow)],
        ownership: { db: { says: { probe: 'pg', is: ['primary'] } } },
        checks: [check],
      }),
    )
      .probing('health', 0, 40_000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 5 }))
      .probing('pg@a', 300, 40_000, 5000, answer('primary'))
      .probing('pg@b', 1300, 40_000, 5000, answer('replica'))
      .at(9000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
      .fault(10_000, { host: 'a', healedMs: 31_000 })
      .at(40_000, { type: 'run.ended' });
    return summarize(log.read()).checks[0]?.measured;
  };

  test('is not counted as certain after it', () => {
    // Sampled on A from 20.3 s to 35.3 s; the log ends at 39 s.
    const noOwner: Check = {
      kind: 'ownership',
      name: 'none',
      of: 'db',
      side: 'says',
      state: 'none',
      maxMs: 60_000,
    };
    expect(measuredBy(noOwner)?.minMs).toBe(35_300 - 20_305);
    expect(measuredBy(noOwner)?.maxMs).toBeGreaterThanOrEqual(39_005 - 15_300);
    const none = { probe: 'pg', is: ['primary'], count: { min: 0, max: 0 } };
    expect(measuredBy({ kind: 'happens', name: 'none', condition: none, minMs: 1000 })?.minMs).toBe(
      35_300 - 20_305,
    );
  });
});
