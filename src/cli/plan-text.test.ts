import { describe, expect, test } from 'vitest';
import { makePlans, openScenario } from '../scenario/planner.ts';
import { parseSource } from '../scenario/source.ts';
import type { TargetInput } from '../scenario/target-planner.ts';
import { plansText } from './plan-text.ts';

const input = (name: string, text: string): TargetInput => ({
  source: parseSource(name, text),
  sha256: '',
  resolveFile: (file) => file,
});

const target = input(
  'target.yaml',
  `name: pair
environment: test
hosts:
  in-container: { transport: docker, container: db-1 }
  machine: { transport: ssh, host: db-2 }
probes:
  - { id: web, kind: http, url: 'http://192.0.2.1/' }
  - { id: role, kind: exec, on: [in-container, machine], argv: [role] }
roles: { primary: { probe: role, is: primary } }
steady: { require: [{ probe: web }] }
`,
);

/** The plan of a drill with this one fault. */
function planOf(fault: string): string {
  const scenario = input(
    's.yaml',
    `{ name: s, title: s, faults: [${fault}], recovery: { probe: web, within: 10s }, checks: [{ kind: rto, max: 10s }] }`,
  );
  return plansText(makePlans(openScenario(scenario), () => target));
}

describe('a fault that may end the container that its host is', () => {
  const said = 'container     if it exits with postgres, its restart policy decides';

  test.each([
    ['{ kind: process.kill, on: in-container, process: postgres }', true],
    ['{ kind: process.kill, on: { role: primary }, process: postgres }', true],
    ['{ kind: process.kill, on: machine, process: postgres }', false],
    ['{ kind: process.kill, on: in-container, process: postgres, container: inner }', false],
    ['{ kind: service.stop, on: in-container, units: [x.service] }', false],
  ])('%s: %s', (fault, isSaid) => {
    expect(planOf(fault).includes(said)).toBe(isSaid);
  });
});
