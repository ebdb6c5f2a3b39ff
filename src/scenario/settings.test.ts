import { describe, expect, test } from 'vitest';
import { makePlans, openScenario } from './planner.ts';
import { withSettings } from './settings.ts';
import { InvalidInput, parseSource } from './source.ts';
import { planTarget, type TargetInput } from './target-planner.ts';
import { inputOf, readTestdata } from './testing/corpus.ts';

const text = readTestdata('models-target.yaml');
const input = (yaml = text): TargetInput => inputOf('t.yaml', yaml);

describe('a changed setting', () => {
  const set = (name: string, value: string) => withSettings(input(), { [name]: value });

  test('acts as in the file, and leaves everything else unchanged', () => {
    const { target, changed } = set('lb.interval', '1s');
    expect(changed).toEqual([{ name: 'lb.interval', before: '2s', after: '1s' }]);
    const before = planTarget(input()).models;
    expect(planTarget(target).models).toEqual({ ...before, lb: { ...before['lb'], intervalMs: 1000 } });
  });

  test('may be a number, a list, a setting with a default, or one of a model with dots in its name', () => {
    expect(planTarget(set('lb.fall', '5').target).models['lb']).toMatchObject({ fall: 5 });
    expect(planTarget(set('boot.quantiles', '[1s, 2s]').target).models['boot']).toMatchObject({
      times: { quantilesMs: [1000, 2000] },
    });
    expect(set('lb.runtime', '300ms').changed).toEqual([
      { name: 'lb.runtime', before: undefined, after: '300ms' },
    ]);
    expect(planTarget(set('tick.slow.interval', '1m').target).models['tick.slow']).toMatchObject({
      intervalMs: 60_000,
    });
  });

  test.each([
    ['lbb.interval', '1s', '--set lbb.interval: t.yaml has no model "lbb"; did you mean "lb"?'],
    ['lb', '1s', '--set lb: names a model but no setting; write lb.SETTING=VALUE'],
    ['lb.intervall', '1s', '--set lb.intervall=1s: unknown field "intervall"; did you mean "interval"?'],
    ['lb.fall', '0', '--set lb.fall=0: fall: must be at least 1'],
    [
      'lb.interval',
      '1',
      '--set lb.interval=1: interval: expected a duration with a unit, such as 500ms, 5s, 2m, or 1h',
    ],
    ['lb.interval', '0s', '--set lb.interval=0s: interval: must be more than 0'],
    ['lb.fall.x', '1', '--set lb.fall.x=1: fall: expected a number, found a map'],
    ['boot.quantiles', '[1s', '--set boot.quantiles=[1s: the value is not valid YAML'],
  ])('%s=%s is refused where the target cannot have it', (name, value, message) => {
    expect(() => set(name, value)).toThrow(message);
  });

  test('does not hide problems of the target itself', () => {
    const broken = text.replace('interval: 2s', 'interval: 0s');
    expect(() => withSettings(input(broken), { 'lb.interval': '1s' })).toThrow(InvalidInput);
  });
});

describe('a jitter over the slowest period', () => {
  const scenario = (jitter: string, stages: string) => `name: jittered
title: Jittered
faults:
  - { kind: container.stop, on: alpha, container: app, jitter: ${jitter} }
recovery: { probe: health, within: 1m }
checks: [{ kind: rto, max: 30s }]
${stages}
`;
  const planned = (text: string) =>
    makePlans(openScenario({ source: parseSource('s.yaml', text), sha256: 'sha' }), () => input())[0]
      ?.faults[0]?.jitterMs;
  const stage = (predicted: string) => `stages: [{ name: all, until: recovered, predicted: ${predicted} }]`;

  test('is the longest of the models in the stages, including those in sequences', () => {
    expect(planned(scenario('slowest', ''))).toBe(10_000);
    expect(planned(scenario('slowest', stage('{ model: row }')))).toBe(2000);
    expect(planned(scenario('3s', stage('{ model: row }')))).toBe(3000);
  });

  test('is refused without a period, and for another word', () => {
    expect(() => planned(scenario('slowest', stage('{ model: still }')))).toThrow(
      's.yaml:4:64: jitter: `slowest` is the longest period of the models that predict the recovery, and none of them has a period; write a duration such as 10s, or add `predicted` to a stage',
    );
    expect(() => planned(scenario('slow', ''))).toThrow(
      's.yaml:4:64: jitter: expected a duration with a unit, such as 5s, or `slowest`',
    );
  });
});
