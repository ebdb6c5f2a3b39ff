import { expect, test } from 'vitest';
import { planWith } from '../analysis/testing/log-builder.ts';
import type { Plan } from '../core/plan.ts';
import { drillTime, hostAtRisk } from './drill-time.ts';

/** A recovery that takes 10 s by a setting. */
const plan: Plan = planWith({
  models: { restart: { kind: 'fixed', timeMs: 10_000 } },
  steady: { require: [], forMs: 5000, withinMs: 60_000 },
  redundancy: { require: [], forMs: 3000, withinMs: 60_000 },
  recovery: { probe: 'health', withinMs: 60_000, stableForMs: 5000 },
  stages: [{ name: 'restarts', until: { kind: 'recovered' }, predicted: { model: 'restart' } }],
});

test('a drill takes its waits plus the predicted RTO', () => {
  // 5 s steady, 2 s with the burst on, 10 s RTO, 5 s stable, 3 s redundancy.
  expect(drillTime(plan)).toEqual({ medianMs: 25_000, slowMs: 25_000 });
});

test('a drill takes until redundancy if that is last, and until its last fault', () => {
  const late: Plan = {
    ...plan,
    models: { ...plan.models, rebuild: { kind: 'fixed', timeMs: 30_000 } },
    redundancy: { ...plan.redundancy, predicted: { model: 'rebuild', from: 'start' } },
    faults: [
      { id: 'fault-1', kind: 'service.stop', on: { host: 'a' }, atMs: 0, params: {} },
      { id: 'fault-2', kind: 'service.stop', on: { host: 'b' }, atMs: 4000, params: {} },
    ],
  };
  expect(drillTime(late)).toEqual({ medianMs: 44_000, slowMs: 44_000 });
  expect(hostAtRisk(late)).toBe('a');
});

test('without a predicted RTO the drill time is undefined', () => {
  expect(drillTime({ ...plan, stages: [] })).toBeUndefined();
});
