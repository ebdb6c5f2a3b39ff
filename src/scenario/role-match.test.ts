import { describe, expect, test } from 'vitest';
import { makePlans, openScenario } from './planner.ts';
import { inputOf } from './testing/corpus.ts';
import { problemsOf } from './testing/problems-of.ts';

/** The problems of a scenario with these faults, roles, and conditions of the steady state. */
function problems(roles: string, require: string, faults: string, steady = ''): string[] {
  const target = inputOf(
    't.yaml',
    `name: pair
environment: test
hosts: { a: { transport: local, address: 192.0.2.1 }, b: { transport: local, address: 192.0.2.2 }, c: { transport: local } }
probes:
  - { id: web, kind: tcp, address: '192.0.2.9:80' }
  - { id: node, kind: exec, on: [a, b], argv: [x], onFailure: { refused: down } }
  - { id: db, kind: exec, on: [a, b, c], argv: [x] }
  - { id: mode, kind: exec, on: [a, b], argv: [x] }
roles: { r: ${roles} }
steady: { require: [${require}] }
`,
  );
  const scenario = inputOf(
    's.yaml',
    `name: s
title: s
faults: [${faults}]
recovery: { probe: web, within: 10s }
${steady}
checks: [{ kind: rto, max: 10s }]
`,
  );
  return problemsOf(() => makePlans(openScenario(scenario), () => target));
}

const stop = '{ kind: service.stop, on: { role: r }, units: [x.service] }';

describe('a role that the first fault needs', () => {
  test.each([
    ['{ probe: node }', '{ probe: node }', 'multiple hosts (a, b)'],
    ['{ probe: node, is: [up, on] }', '{ probe: node, is: up }', 'multiple hosts (a, b)'],
    ['{ probe: node, is: up }', '{ probe: node, is: up, count: 2 }', 'multiple hosts (a, b)'],
    ['{ probe: db, is: up }', '{ probe: db, is: up, count: { min: 2 } }', 'at least 2 hosts'],
    [
      '{ probe: db, is: [primary, standby] }',
      '{ probe: db, is: primary, count: 1 }, { probe: db, is: standby, count: 1 }',
      'at least 2 hosts',
    ],
    [
      '{ probe: node, is: up, and: [{ probe: mode, is: active }] }',
      '{ probe: node, is: up }, { probe: mode, is: active }',
      'multiple hosts (a, b)',
    ],
    ['{ probe: node, and: [{ probe: web }] }', '{ probe: node }, { probe: web }', 'multiple hosts (a, b)'],
    ['{ probe: db, is: primary }', '{ probe: db, is: standby }', 'no host'],
  ])('%s with a steady state of %s is refused', (role, require, matches) => {
    expect(problems(role, require, stop)).toEqual([
      `s.yaml:3:36: role "r" matches ${matches} in the steady state, but a fault needs exactly one; give the role a condition that only one host meets`,
    ]);
  });

  test.each([
    ['{ probe: db, is: primary }', '{ probe: db, is: primary, count: 1 }'],
    [
      '{ probe: db, is: primary }',
      '{ probe: db, is: primary, count: 1 }, { probe: db, is: standby, count: 2 }',
    ],
    ['{ probe: db, is: primary }', '{ probe: db, is: [primary, standby] }'],
    ['{ probe: db, is: primary }', '{ probe: db }'],
    ['{ probe: node, host: a }', '{ probe: node }'],
    [
      '{ probe: node, and: [{ probe: mode, is: active }] }',
      '{ probe: node }, { probe: mode, is: active, count: 1 }',
    ],
    // `down` is a failed sample, so it does not imply a good one.
    ['{ probe: node }', '{ probe: node, is: [up, down] }'],
    ['{ probe: node }', '{ probe: web }'],
  ])('%s with a steady state of %s may be resolved', (role, require) => {
    expect(problems(role, require, stop)).toEqual([]);
  });

  test('is checked against the scenario’s own conditions, and is found in addresses, too', () => {
    const extra = 'steady: { require: [{ probe: node }] }';
    expect(problems('{ probe: node }', '{ probe: web }', stop, extra)).toHaveLength(1);
    const peer = "{ kind: network.partition, on: c, peers: ['${address.r}'] }";
    expect(problems('{ probe: node }', '{ probe: node }', peer)).toHaveLength(1);
  });

  test('is not checked for a later fault, because the first one may have left one host', () => {
    const first = '{ kind: service.stop, on: a, units: [x.service], id: one, for: 5s }';
    const role = '{ probe: node }';
    expect(problems(role, role, `${first}, ${stop.replace('{ kind', '{ at: 1s, kind')}`)).toEqual([]);
    expect(problems(role, role, `${first}, ${stop.replace('{ kind', '{ after: one, kind')}`)).toEqual([]);
    expect(problems(role, role, `${stop}, ${first.replace('{ kind', '{ at: 1s, kind')}`)).toHaveLength(1);
  });
});
