import { describe, expect, test } from 'vitest';
import type { Plan } from '../core/plan.ts';
import { makePlans, openScenario } from './planner.ts';
import { inputOf } from './testing/corpus.ts';
import { problemsOf } from './testing/problems-of.ts';

/** A target with a probe for each way to use one, and one that nothing uses. */
const target = `name: pair
environment: test
hosts:
  alpha: { transport: docker, container: alpha-vm }
  beta: { transport: docker, container: beta-vm }
probes:
${[
  'health',
  'extra',
  'whole',
  'bystander',
  'other-downtime',
  'happened',
  'ended',
  'kept-out',
  'beside',
  'until',
]
  .map((id) => `  - { id: ${id}, kind: tcp, address: '198.18.9.10:80' }\n`)
  .join('')}${['claim', 'answer', 'alive', 'router']
  .map((id) => `  - { id: ${id}, kind: exec, on: [alpha, beta], argv: [${id}] }\n`)
  .join('')}${['log', 'hook', 'steps', 'returns']
  .map((id) => `  - { id: ${id}, kind: journal, on: alpha, marks: [{ name: m, match: m }] }\n`)
  .join('')}roles:
  owner: { probe: claim, is: 'yes' }
  routing: { probe: router, is: active }
ownership:
  vip: { answered: { probe: answer, is: 'yes' } }
healthy: { probe: alive }
steady: { require: [{ probe: health }] }
returnStages:
  - { name: back, until: { probe: returns, mark: m } }
`;

const scenario = `name: s
title: s
faults: [{ kind: service.stop, on: { role: owner }, units: [x.service] }]
steady: { require: [{ probe: extra }] }
recovery: { probe: health, within: 1m }
redundancy: { require: [{ probe: whole }] }
checks:
  - { kind: rto, max: 30s }
  - { kind: downtime, probe: other-downtime, max: 5s }
  - { kind: happens, name: it happens, condition: { probe: happened } }
  - { kind: finally, name: it ends well, condition: { probe: ended } }
  - { kind: never, name: it stays out, condition: { probe: kept-out, and: [{ probe: beside }] } }
  - { kind: delivered, changes: { probe: log, marks: [m] }, deliveries: { probe: hook, marks: [m] }, within: 5s }
stages:
  - { name: waits, until: { condition: { probe: until } } }
  - { name: steps, until: { probe: steps, mark: m } }
`;

function planOf({
  text = scenario,
  targetText = target,
  allProbes = false,
}: { text?: string; targetText?: string; allProbes?: boolean } = {}): Plan {
  const [plan] = makePlans(openScenario(inputOf('s.yaml', text)), () => inputOf('t.yaml', targetText), {
    allProbes,
  });
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

const usesIn = (plan: Plan) => Object.fromEntries(plan.probes.map(({ name, usedBy }) => [name, usedBy]));

describe('the probes of a drill', () => {
  test('are those that the drill reads, each with its uses', () => {
    const plan = planOf();
    expect(usesIn(plan)).toEqual({
      health: ['recovery', 'steady state'],
      extra: ['steady state'],
      whole: ['redundancy'],
      claim: ['role owner'],
      router: ['role routing'],
      answer: ['ownership vip'],
      alive: ['healthy'],
      'other-downtime': [`check ${plan.checks[1]?.name}`],
      happened: ['check it happens'],
      ended: ['check it ends well'],
      'kept-out': ['check it stays out'],
      beside: ['check it stays out'],
      log: [`check ${plan.checks[5]?.name}`],
      hook: [`check ${plan.checks[5]?.name}`],
      until: ['stage waits'],
      steps: ['stage steps'],
      returns: ['return stage back'],
    });
    expect(plan.probesLeftOut).toEqual(['bystander']);
  });

  test('have all instances of a probe, in the order of the target', () => {
    const ids = planOf().probes.map(({ id }) => id);
    expect(ids.filter((id) => id.startsWith('claim'))).toEqual(['claim@alpha', 'claim@beta']);
    expect(ids[0]).toBe('health');
  });

  test('include one that the target marks `always`', () => {
    const plan = planOf({
      targetText: target.replace('id: bystander,', 'id: bystander, always: true,'),
    });
    expect(usesIn(plan)['bystander']).toEqual(['`always` in the target']);
    expect(plan).not.toHaveProperty('probesLeftOut');
  });

  test('are all of them with --all-probes', () => {
    const plan = planOf({ allProbes: true });
    expect(usesIn(plan)['bystander']).toEqual(['--all-probes']);
    expect(usesIn(plan)['extra']).toEqual(['steady state']);
    expect(plan).not.toHaveProperty('probesLeftOut');
  });

  test('include the probe of a downtime check, which names an instance', () => {
    const text = scenario.replace('probe: other-downtime', 'probe: claim@beta');
    expect(usesIn(planOf({ text }))['claim']).toHaveLength(2);
    expect(planOf({ text }).probesLeftOut).toEqual(['bystander', 'other-downtime']);
  });

  test('are checked against all probes: a suggestion for a typo may be an unused probe', () => {
    const text = scenario.replace('probe: extra', 'probe: bystandr');
    expect(problemsOf(() => planOf({ text }))).toEqual([
      's.yaml:4:30: the target has no probe "bystandr"; did you mean "bystander"?',
    ]);
  });
});
