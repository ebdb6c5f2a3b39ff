import { describe, expect, test } from 'vitest';
import { roundMs } from '../core/clock.ts';
import type { KeepalivedModel } from '../core/plan.ts';
import { keepalivedBounds, type keepalivedSteps, masterDownIntervalMs, skewMs } from './keepalived.ts';

type Steps = readonly (typeof keepalivedSteps)[number][];

const script = { intervalMs: 5000, fall: 2, rise: 2, weight: -20, runtimeMs: 200 };
const model: KeepalivedModel = {
  kind: 'keepalived',
  version: 2,
  advertIntervalMs: 1000,
  priorities: { 'node-1': 100, 'node-2': 90 },
  preempt: ['node-1', 'node-2'],
  script,
};

function bounds(steps: Steps, lost?: string, of: KeepalivedModel = model): readonly number[] {
  const predicted = keepalivedBounds(of, steps, lost);
  if ('why' in predicted) throw new Error(predicted.why);
  return (['minMs', 'maxMs'] as const).map((end) =>
    roundMs(predicted.bounds.reduce((sum, step) => sum + step[end], 0)),
  );
}

function why(steps: Steps, lost?: string, of: KeepalivedModel = model): string | undefined {
  const predicted = keepalivedBounds(of, steps, lost);
  return 'why' in predicted ? predicted.why : undefined;
}

describe('VRRP timers', () => {
  test('the skew is a share of a second in version 2, and of the advert interval in version 3', () => {
    // (256 - 90) / 256 = 0.6484375
    expect(skewMs(model, 90)).toBe(648.438);
    expect(skewMs({ ...model, version: 3 }, 90)).toBe(648.438);
    expect(skewMs({ ...model, advertIntervalMs: 3000 }, 90)).toBe(648.438);
    expect(skewMs({ ...model, version: 3, advertIntervalMs: 100 }, 90)).toBe(64.844);
    expect(skewMs(model, 254)).toBe(7.813);
  });

  test('a master is given up after three adverts and the skew', () => {
    expect(masterDownIntervalMs(model, 90)).toBe(3648.438);
    expect(masterDownIntervalMs({ ...model, version: 3, advertIntervalMs: 100 }, 100)).toBe(360.938);
  });
});

describe('the time that keepalived takes', () => {
  test('to detect a master without adverts counts from its last advert, with the skew of the new master', () => {
    expect(bounds(['master-down'], 'node-1')).toEqual([2648.438, 3648.438]);
    expect(bounds(['master-down'], 'node-2')).toEqual([2609.375, 3609.375]);
  });

  test('covers every host while the failed one is unknown', () => {
    expect(bounds(['master-down'])).toEqual([2609.375, 3648.438]);
  });

  test('after priority 0 is the skew alone', () => {
    expect(bounds(['priority-zero'], 'node-1')).toEqual([648.438, 648.438]);
  });

  test('to accept its script’s result is `fall` or `rise` runs, the first of which begins up to an interval later', () => {
    expect(bounds(['script-fall'], 'node-1')).toEqual([5000, 10_200]);
    const quick = { ...model, script: { ...script, fall: 1, rise: 3 } };
    expect(bounds(['script-fall'], 'node-1', quick)).toEqual([0, 5200]);
    expect(bounds(['script-rise'], 'node-1', quick)).toEqual([10_000, 15_200]);
  });

  test('doubles its period when the script hangs until its timeout, the interval', () => {
    const hung = { ...model, script: { ...script, runtimeMs: 5000 } };
    expect(bounds(['script-fall'], 'node-1', hung)).toEqual([10_000, 20_000]);
    // It must end before the first successful run begins; successful runs are quick.
    expect(bounds(['script-rise'], 'node-1', hung)).toEqual([5000, 20_000]);
    // A shorter timeout fits into the period.
    const timed = { ...model, script: { ...script, runtimeMs: 4000 } };
    expect(bounds(['script-fall'], 'node-1', timed)).toEqual([5000, 14_000]);
  });

  test('for steps in sequence is their sum', () => {
    expect(bounds(['script-fall', 'master-down'], 'node-1')).toEqual([7648.438, 13_848.438]);
    expect(bounds(['script-rise', 'preemption'], 'node-1')).toEqual([7609.375, 13_809.375]);
    expect(bounds([], 'node-1')).toEqual([0, 0]);
  });

  test('uses the effective priority: a positive weight is added while the script succeeds', () => {
    const positive = { ...model, script: { ...script, weight: 50 } };
    // node-2 has 90 + 50 = 140: (256 - 140) / 256 s.
    expect(
      bounds(['priority-zero'], 'node-2', { ...positive, priorities: { 'node-1': 90, 'node-2': 100 } }),
    ).toEqual([453.125, 453.125]);
    // Never above 254.
    expect(
      bounds(['priority-zero'], 'node-1', { ...positive, priorities: { 'node-1': 230, 'node-2': 220 } }),
    ).toEqual([7.813, 7.813]);
    // 90 without the weight against 140 with it.
    expect(bounds(['script-fall', 'master-down'], 'node-1', positive)[1]).toBe(10_200 + 3000 + 453.125);
  });
});

describe('steps that are impossible', () => {
  test('a weight that leaves the master above, or equal to, the other', () => {
    const weak = { ...model, script: { ...script, weight: -10 } };
    expect(why(['script-fall', 'master-down'], 'node-1', weak)).toBe(
      'weight -10 leaves node-1 at priority 90, which is not below node-2 at 90: no host takes over',
    );
    // A master without adverts is taken over.
    expect(bounds(['master-down'], 'node-1', weak)).toEqual([2648.438, 3648.438]);
  });

  test('a backup with nopreempt does not take over from a running master', () => {
    const none = { ...model, preempt: ['node-1'] };
    expect(why(['script-fall', 'master-down'], 'node-1', none)).toBe(
      'node-2 does not preempt: it accepts adverts of node-1 at any priority',
    );
    expect(bounds(['master-down'], 'node-1', none)).toEqual([2648.438, 3648.438]);
    expect(why(['script-rise', 'preemption'], 'node-1', { ...model, preempt: [] })).toBe(
      'preemption: node-1 has the highest priority, but does not preempt',
    );
  });

  test('weight 0 sends priority 0, any other weight does not', () => {
    const fault = { ...model, script: { ...script, weight: 0 } };
    expect(why(['script-fall', 'master-down'], 'node-1', fault)).toBe(
      'the script has weight 0, so its failure takes node-1 to FAULT, where keepalived sends priority 0: use step priority-zero instead of master-down',
    );
    expect(bounds(['script-fall', 'priority-zero'], 'node-1', fault)).toEqual([5648.438, 10_848.438]);
    expect(why(['script-fall', 'priority-zero'], 'node-1')).toBe(
      'a script of weight -20 only lowers the priority, and keepalived sends no priority 0: use step master-down instead of priority-zero',
    );
  });

  test('a missing script, and a host that is not in the model', () => {
    const { script: _, ...bare } = model;
    expect(why(['script-rise'], undefined, bare)).toBe('script-rise: the model has no script');
    expect(why(['master-down'], 'vantage')).toBe('host vantage has no priority in the model');
  });
});
