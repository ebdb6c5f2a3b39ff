import { describe, expect, test } from 'vitest';
import type { Condition } from '../core/condition.ts';
import { runMs } from '../core/time.ts';
import { fromPlain } from '../core/testing/plain.ts';
import {
  holdsAt,
  intervalsIn,
  intervalsOf,
  ownershipOf,
  type Range,
  truthOfAll,
  truthOfCondition,
} from './intervals.ts';
import { type Answer, LogBuilder, planWith, probeOf, seeded } from './testing/log-builder.ts';

const primary: Condition = { probe: 'pg-role', is: ['primary'] };
const two: Condition = { ...primary, count: { min: 2 } };
const nodes = ['node-1', 'node-2'] as const;
const plan = planWith({
  probes: [
    ...nodes.map((n) => probeOf(`pg-role@${n}`, { intervalMs: 500, timeoutMs: 400 })),
    ...nodes.map((n) => probeOf(`router@${n}`, { intervalMs: 500, timeoutMs: 400 })),
    probeOf('vip', { intervalMs: 500, timeoutMs: 400 }),
  ],
  roles: { 'db-primary': primary },
});

const says =
  (value: string) =>
  (sendMs: number): Answer => ({ status: 'ok', value, finishMs: sendMs + 10 });
const roles =
  (...changes: readonly (readonly [number, string])[]) =>
  (sendMs: number): Answer => {
    const value = changes.findLast(([from]) => from <= sendMs)?.[1] ?? 'standby';
    return value === 'lost'
      ? { status: 'unknown', finishMs: sendMs + 10, message: 'channel broken' }
      : { status: 'ok', value, finishMs: sendMs + 10 };
  };

function built(one: (s: number) => Answer, other: (s: number) => Answer) {
  return new LogBuilder(plan)
    .probing('pg-role@node-1', 0, 20_000, 500, one)
    .probing('pg-role@node-2', 250, 20_000, 500, other)
    .read();
}

const range = fromPlain<Range>({ fromMs: 1000, toMs: 19_000 });

describe('ownership', () => {
  test('has a gap without owner, with bounds around each change', () => {
    const log = built(roles([0, 'primary'], [5000, 'gone']), roles([0, 'standby'], [9000, 'primary']));
    expect(ownershipOf(log, primary, range)).toEqual([
      { fromMs: 1000, toMs: 4500, owners: ['node-1'], maybe: [] },
      { fromMs: 4500, toMs: 5010, owners: [], maybe: ['node-1'] },
      { fromMs: 5010, toMs: 8750, owners: [], maybe: [] },
      { fromMs: 8750, toMs: 9260, owners: [], maybe: ['node-2'] },
      { fromMs: 9260, toMs: 19_000, owners: ['node-2'], maybe: [] },
    ]);
  });

  test('has dual owners while both hosts are owners', () => {
    const log = built(roles([0, 'primary'], [8000, 'standby']), roles([0, 'standby'], [5000, 'primary']));
    const dual = intervalsOf(log, two, range);
    expect(dual).toEqual([
      {
        startLoMs: 4750,
        startHiMs: 5260,
        endLoMs: 7500,
        endHiMs: 8010,
        minMs: 2240,
        maxMs: 3260,
        certain: true,
      },
    ]);
  });

  test('is unknown while samples are stale', () => {
    // Unknown from 5 s on: after 3 intervals and a timeout the last sample is stale.
    const log = built(roles([0, 'primary'], [5000, 'lost'], [15_000, 'primary']), says('standby'));
    expect(ownershipOf(log, primary, range)).toEqual([
      { fromMs: 1000, toMs: 4500, owners: ['node-1'], maybe: [] },
      { fromMs: 4500, toMs: 15_010, owners: [], maybe: ['node-1'] },
      { fromMs: 15_010, toMs: 19_000, owners: ['node-1'], maybe: [] },
    ]);
    expect(holdsAt(log, primary, runMs(10_000))).toBe('no'); // "everywhere": node-2 says no
    expect(holdsAt(log, { ...primary, count: { min: 1 } }, runMs(10_000))).toBe('maybe');
  });
});

describe('conditions', () => {
  test('a handover between two samples may or may not have overlapped', () => {
    const log = built(roles([0, 'primary'], [8000, 'standby']), roles([0, 'standby'], [8000, 'primary']));
    const [dual, ...more] = intervalsOf(log, two, range);
    expect(more).toEqual([]);
    expect(dual).toMatchObject({ certain: false, minMs: 0, startLoMs: 7750, endHiMs: 8010 });
  });

  test('one sample of a single instance proves that it held', () => {
    const log = new LogBuilder(plan)
      .probing('vip', 0, 10_000, 500, (s) => says(s === 5000 ? 'flapping' : 'held')(s))
      .read();
    expect(
      intervalsOf(log, { probe: 'vip', is: ['flapping'] }, fromPlain({ fromMs: 1000, toMs: 9000 })),
    ).toEqual([expect.objectContaining({ certain: true, minMs: 0, startLoMs: 4500, endHiMs: 5510 })]);
  });

  test('with a role, only hosts that have it at that moment count', () => {
    const builder = new LogBuilder(plan)
      .probing('pg-role@node-1', 0, 20_000, 500, roles([0, 'primary'], [5000, 'standby']))
      .probing('pg-role@node-2', 250, 20_000, 500, roles([0, 'standby'], [9000, 'primary']))
      .probing('router@node-1', 0, 20_000, 500, says('8'))
      .probing('router@node-2', 250, 20_000, 500, roles([0, '0'], [12_000, '8']));
    const spans = truthOfCondition(builder.read(), { probe: 'router', is: ['8'], role: 'db-primary' }, range);
    expect(spans.map((s) => [s.fromMs, s.truth])).toEqual([
      [1000, 'yes'],
      [4500, 'maybe'],
      [5010, 'no'],
      [11_750, 'maybe'],
      [12_260, 'yes'],
    ]);
  });

  test('all of multiple conditions hold only where each does', () => {
    const log = built(roles([0, 'primary'], [5000, 'standby']), roles([0, 'standby'], [9000, 'primary']));
    const one: Condition = { ...primary, count: { min: 1, max: 1 } };
    const other: Condition = { probe: 'pg-role', host: 'node-2', is: ['standby'] };
    const spans = truthOfAll(log, [one, other], range);
    // The handover at 9 s is one change, but it has other bounds for each condition.
    expect(intervalsIn(spans, 'yes').filter((i) => i.certain)).toEqual([
      expect.objectContaining({ startLoMs: 1000, endLoMs: 4500, endHiMs: 5010 }),
    ]);
    expect(truthOfAll(log, [], range)).toEqual([{ ...range, truth: 'yes' }]);
  });

  test('bounds hold the truth of random changes', () => {
    const random = seeded(42);
    let checked = 0;
    for (let round = 0; round < 60; round++) {
      const fromMs = 3000 + random() * 4000;
      const toMs = fromMs + 1200 + random() * 5000;
      const log = new LogBuilder(plan)
        .probing('vip', random() * 500, 20_000, 500, (sendMs) => {
          const at = sendMs + random() * 80;
          const value = at >= fromMs && at < toMs ? 'here' : 'there';
          return { status: random() < 0.05 ? 'unknown' : 'ok', value, finishMs: sendMs + 80 };
        })
        .read();
      for (const i of intervalsOf(log, { probe: 'vip', is: ['here'] }, range)) {
        expect(i.startLoMs).toBeLessThanOrEqual(fromMs);
        expect(i.startHiMs).toBeGreaterThanOrEqual(fromMs);
        expect(i.endLoMs).toBeLessThanOrEqual(toMs);
        expect(i.endHiMs).toBeGreaterThanOrEqual(toMs);
        expect(i.minMs).toBeLessThanOrEqual(toMs - fromMs);
        expect(i.maxMs).toBeGreaterThanOrEqual(toMs - fromMs);
        checked++;
      }
    }
    expect(checked).toBe(60);
  });
});
