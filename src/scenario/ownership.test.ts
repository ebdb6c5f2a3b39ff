import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../core/plan.ts';
import { makePlans, openScenario } from './planner.ts';
import { parseSource } from './source.ts';
import { planTarget, type TargetInput } from './target-planner.ts';
import { problemsOf } from './testing/problems-of.ts';

const read = (name: string): string => readFileSync(join(import.meta.dirname, 'testdata', name), 'utf8');
const targetText = read('vip-target.yaml');
const scenarioText = read('vip-scenario.yaml');

function input(name: string, text: string): TargetInput {
  return { source: parseSource(name, text), sha256: 'sha', resolveFile: (path) => path };
}

const planOf = (scenario: string, target = targetText): Plan => {
  const [plan] = makePlans(openScenario(input('s.yaml', scenario)), () => input('t.yaml', target));
  if (plan === undefined) throw new Error('no plan');
  return plan;
};

/** The text with one part replaced, which must be there. */
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

  test('name their checks by what they want', () => {
    expect(plan.checks).toEqual([
      {
        kind: 'ownership',
        name: 'vip claimed by nobody for at most 5.0 s',
        of: 'vip',
        side: 'claimed',
        state: 'nobody',
        maxMs: 5000,
      },
      {
        kind: 'ownership',
        name: 'vip claimed differs from answered for at least 1.0 s, at most 5.0 s',
        of: 'vip',
        side: 'claimed',
        differsFrom: 'answered',
        minMs: 1000,
        maxMs: 5000,
      },
      {
        kind: 'announced',
        name: 'each change of log announced once by hook, within 10.0 s',
        changes: { probe: 'log', marks: ['state'] },
        deliveries: { probe: 'hook', marks: ['delivery'] },
        withinMs: 10_000,
      },
    ]);
  });

  test('a stage keeps what is predicted of it', () => {
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

  test('are nothing where a target names none', () => {
    const bare = targetText.slice(0, targetText.indexOf('ownership:'));
    const made = planTarget(input('t.yaml', `${bare}steady: { require: [{ probe: health }] }\n`));
    expect(made).toMatchObject({ ownership: {}, models: {} });
  });
});

describe('a malformed target', () => {
  test.each([
    [
      'a side with a probe that is not there',
      'claimed: { probe: claim,',
      'claimed: { probe: clam,',
      '17:23: the target has no probe "clam"; did you mean "claim"?',
    ],
    [
      'a side with a probe that belongs to no host',
      "claimed: { probe: claim, is: 'yes' }",
      'claimed: { probe: health }',
      '17:23: "vip" as claimed needs a probe with `on:`, so that its value belongs to a host',
    ],
    [
      'a side with a host that is not there',
      "claimed: { probe: claim, is: 'yes' }",
      'claimed: { probe: claim, host: betta }',
      '17:36: probe "claim" has no instance on "betta"; did you mean "beta"?',
    ],
    [
      'a side with a count',
      "claimed: { probe: claim, is: 'yes' }",
      'claimed: { probe: claim, count: 1 }',
      '17:30: field "count" does not belong here',
    ],
    [
      'a thing without sides',
      "vip:\n    claimed: { probe: claim, is: 'yes' }\n    answered: { probe: answer, is: 'yes' }",
      'vip: {}',
      '16:8: vip: needs at least one side',
    ],
    [
      'an unknown kind of model',
      'kind: keepalived',
      'kind: keepalive',
      '21:11: unknown kind "keepalive"; did you mean "keepalived"?',
    ],
    [
      'a host that is not there',
      '{ alpha: 100, beta: 90 }',
      '{ alpha: 100, betta: 90 }',
      '23:38: no host "betta"; did you mean "beta"?',
    ],
    [
      'one host alone',
      '{ alpha: 100, beta: 90 }',
      '{ alpha: 100 }',
      '23:17: priorities: needs two hosts at least',
    ],
    [
      'the address owner’s priority',
      'beta: 90 }',
      'beta: 255 }',
      '23:37: beta: expected a priority from 1 to 254 (255 is the address owner’s, which never fails over)',
    ],
    [
      'a host that preempts without a priority',
      'advertInterval: 1s',
      'advertInterval: 1s\n    preempt: [vantage]',
      '23:15: host "vantage" has no priority in model "vrrp"; known: alpha, beta',
    ],
    [
      'adverts that version 2 cannot send',
      'advertInterval: 1s',
      'advertInterval: 500ms',
      '22:21: advertInterval: VRRP version 2 counts in whole seconds, and keepalived rounds to them',
    ],
    [
      'no interval of adverts',
      'advertInterval: 1s',
      'advertInterval: 0s',
      '22:21: advertInterval: must be more than 0',
    ],
    ['no interval of the script', 'interval: 5s', 'interval: 0s', '24:25: interval: must be more than 0'],
    [
      'a prediction by a model that is not there',
      'model: vrrp, steps: [script-fall]',
      'model: vrpp, steps: [script-fall]',
      '31:25: the target has no model "vrpp"; did you mean "vrrp"?',
    ],
    [
      'a step that is not known',
      'steps: [script-fall]',
      'steps: [script-fail]',
      '31:39: steps: expected script-fall or script-rise or master-down or priority-zero or preemption or fall or rise or refused or silent, found "script-fail"',
    ],
    [
      'steps that do not come about',
      'steps: [script-fall]',
      'steps: [script-fall, priority-zero]',
      '31:38: model "vrrp": a script of weight -20 only lowers the priority, without a goodbye: master-down follows, not priority-zero',
    ],
  ])('has %s', (_what, from, to, message) => {
    const text = changed(targetText, from, to);
    expect(problemsOf(() => planTarget(input('t.yaml', text)))).toEqual([`t.yaml:${message}`]);
  });

  test('may have faster adverts in version 3', () => {
    const text = changed(targetText, 'advertInterval: 1s', 'advertInterval: 500ms\n    version: 3');
    expect(planTarget(input('t.yaml', text)).models['vrrp']).toMatchObject({
      version: 3,
      advertIntervalMs: 500,
    });
  });
});

describe('a malformed scenario', () => {
  test.each([
    [
      'an unknown thing',
      'of: vip, side: claimed, state',
      'of: vp, side: claimed, state',
      '7:28: the target has no ownership "vp"; did you mean "vip"?',
    ],
    [
      'an unknown side',
      'side: claimed, state',
      'side: clamed, state',
      '7:39: "vip" has no side "clamed"; did you mean "claimed"?',
    ],
    [
      'another side that is unknown',
      'differsFrom: answered',
      'differsFrom: answerd',
      '8:61: "vip" has no side "answerd"; did you mean "answered"?',
    ],
    [
      'a side against itself',
      'differsFrom: answered',
      'differsFrom: claimed',
      '8:61: differsFrom: a side does not differ from itself',
    ],
    [
      'neither a state nor another side',
      'state: nobody, ',
      '',
      '7:5: ownership: needs either `state` or `differsFrom`',
    ],
    [
      'a name that every object has',
      'side: claimed, state',
      'side: constructor, state',
      '7:39: "vip" has no side "constructor"; known: claimed, answered',
    ],
    [
      'both of them',
      'state: nobody, ',
      'state: nobody, differsFrom: answered, ',
      '7:5: ownership: needs either `state` or `differsFrom`',
    ],
    [
      'an unknown state',
      'state: nobody',
      'state: nobdy',
      '7:55: state: expected nobody or several, found "nobdy"',
    ],
    ['no limit', 'state: nobody, max: 5s', 'state: nobody', '7:5: ownership: needs `min` or `max`'],
    [
      'limits the wrong way round',
      'min: 1s, max: 5s',
      'min: 9s, max: 5s',
      '8:76: min: lies above max (5.0 s)',
    ],
    [
      'changes of an unknown probe',
      'probe: log, marks: [state]',
      'probe: lag, marks: [state]',
      '10:23: the target has no probe "lag"; did you mean "log"?',
    ],
    [
      'an unknown mark',
      'marks: [delivery]',
      'marks: [delivry]',
      '11:40: probe "hook" has no mark "delivry"; did you mean "delivery"?',
    ],
    [
      'marks of a probe that gives none',
      'probe: log, marks: [state]',
      'probe: claim, marks: [state]',
      '10:38: probe "claim" has no mark "state"',
    ],
    [
      'an unknown model',
      'model: vrrp',
      'model: vrp',
      '14:62: the target has no model "vrp"; did you mean "vrrp"?',
    ],
    [
      'a script that is not in the model',
      'steps: [script-fall, master-down]',
      'steps: [script-fall, master-up]',
      '14:89: steps: expected script-fall or script-rise or master-down or priority-zero or preemption or fall or rise or refused or silent, found "master-up"',
    ],
    [
      'a fault on a host without a priority',
      '{ role: owner }',
      'vantage',
      '14:53: model "vrrp" has no priority for "vantage", where the fault happens',
    ],
  ])('has %s', (_what, from, to, message) => {
    const text = changed(scenarioText, from, to);
    expect(problemsOf(() => planOf(text))).toEqual([`s.yaml:${message}`]);
  });

  test('may have a fault on any host where the stages are the target’s own', () => {
    const text = changed(scenarioText, '{ role: owner }', 'vantage');
    expect(planOf(text.slice(0, text.indexOf('stages:'))).stages).toHaveLength(2);
  });
});
