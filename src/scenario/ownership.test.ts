import { describe, expect, test } from 'vitest';
import type { Plan } from '../core/plan.ts';
import { makePlans, openScenario } from './planner.ts';
import { planTarget } from './target-planner.ts';
import { inputOf, readTestdata } from './testing/corpus.ts';

const targetText = readTestdata('vip-target.yaml');
const scenarioText = readTestdata('vip-scenario.yaml');

const planOf = (scenario: string, target = targetText): Plan => {
  const [plan] = makePlans(openScenario(inputOf('s.yaml', scenario)), () => inputOf('t.yaml', target));
  if (plan === undefined) throw new Error('no plan');
  return plan;
};

/** Replaces a part of the text, which must contain it. */
function changed(text: string, from: string, to: string): string {
  expect(text).toContain(from);
  return text.replace(from, () => to);
}

describe('ownership and models of a target', () => {
  const plan = planOf(scenarioText);

  test('are in the plan, with every default and in milliseconds', () => {
    expect(plan.ownership).toEqual({
      vip: { claimed: { probe: 'claim', is: ['yes'] }, answered: { probe: 'answer', is: ['yes'] } },
    });
    expect(plan.models).toEqual({
      vrrp: {
        kind: 'keepalived',
        version: 2,
        advertIntervalMs: 1000,
        priorities: { alpha: 100, beta: 90 },
        preempt: ['alpha', 'beta'],
        script: { intervalMs: 5000, fall: 2, rise: 1, weight: -20, runtimeMs: 200 },
      },
    });
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  test('name their checks by their limits', () => {
    expect(plan.checks).toEqual([
      {
        kind: 'ownership',
        name: 'vip claimed by nobody for at most 5 s',
        of: 'vip',
        side: 'claimed',
        state: 'none',
        maxMs: 5000,
      },
      {
        kind: 'ownership',
        name: 'vip claimed differs from answered for at least 1 s, at most 5 s',
        of: 'vip',
        side: 'claimed',
        differsFrom: 'answered',
        minMs: 1000,
        maxMs: 5000,
      },
      {
        kind: 'delivered',
        name: 'each change of log announced once by hook, within 10 s',
        changes: { probe: 'log', marks: ['state'] },
        deliveries: { probe: 'hook', marks: ['delivery'] },
        withinMs: 10_000,
      },
    ]);
  });

  test('a stage keeps its prediction', () => {
    expect(plan.stages).toEqual([
      {
        name: 'all of it',
        until: { kind: 'recovered' },
        predicted: { model: 'vrrp', steps: ['script-fall', 'master-down'] },
      },
    ]);
  });

  test('a host that does not preempt is left out', () => {
    const set = (preempt: string) =>
      planOf(
        scenarioText,
        changed(targetText, 'advertInterval: 1s', `advertInterval: 1s\n    preempt: ${preempt}`),
      ).models['vrrp'];
    expect(set('[beta]')).toMatchObject({ preempt: ['beta'] });
    expect(set('true')).toMatchObject({ preempt: ['alpha', 'beta'] });
  });

  test('are empty without any in the target', () => {
    const bare = targetText.slice(0, targetText.indexOf('ownership:'));
    const made = planTarget(inputOf('t.yaml', `${bare}steady: { require: [{ probe: health }] }\n`));
    expect(made).toMatchObject({ ownership: {}, models: {} });
  });
});

describe('keepalived in a model', () => {
  test('may have faster adverts in version 3', () => {
    const text = changed(targetText, 'advertInterval: 1s', 'advertInterval: 500ms\n    version: 3');
    expect(planTarget(inputOf('t.yaml', text)).models['vrrp']).toMatchObject({
      version: 3,
      advertIntervalMs: 500,
    });
  });
});

describe('a scenario', () => {
  test('may have a fault on any host where the stages are the target’s own', () => {
    const text = changed(scenarioText, '{ role: owner }', 'vantage');
    expect(planOf(text.slice(0, text.indexOf('stages:'))).stages).toHaveLength(2);
  });
});
