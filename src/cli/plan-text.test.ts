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

describe('a fault on a fixed host', () => {
  test('has the name of the host in its commands', () => {
    expect(planOf("{ kind: container.kill, on: machine, container: 'shop-${host}' }")).toContain(
      'inject        docker kill shop-machine',
    );
  });

  test('keeps the placeholder where a role decides on the host', () => {
    expect(planOf("{ kind: container.kill, on: { role: primary }, container: '${host}' }")).toContain(
      'inject        docker kill ${host}',
    );
  });
});

describe('a fault that may end its host, a container', () => {
  const said = 'container     if the container exits with postgres, its restart policy applies';

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

describe('the auto-revert of a fault', () => {
  /** The lines of the plan about the auto-revert. */
  function revertOf(fault: string): string[] {
    const lines = planOf(fault).split('\n');
    const at = lines.findIndex((line) => line.includes('auto-revert'));
    return at < 0 ? [] : lines.slice(at, at + 2).map((line) => line.trim().replaceAll(/ {2,}/g, ' '));
  }

  test('is a timer only on hosts with systemd', () => {
    expect(revertOf('{ kind: service.stop, on: machine, units: [x.service], lease: 1m }')).toEqual([
      'auto-revert a systemd timer on the host undoes it 60 s after firedrill last renewed the lease',
      'a host without systemd has no timer, so network faults are refused there; `firedrill doctor` lists such hosts',
    ]);
  });

  test('is none for a command without `undo`', () => {
    expect(revertOf('{ kind: command, on: machine, run: [jolt] }')[0]).toBe(
      'auto-revert none: it has no `undo`, so neither its host nor the heal undoes it',
    );
    expect(revertOf('{ kind: command, on: machine, run: [jolt], undo: [calm] }')[0]).toMatch(
      /^auto-revert a systemd timer/,
    );
  });

  test('is not mentioned for kinds that recover by themselves', () => {
    expect(revertOf('{ kind: process.kill, on: machine, process: nginx }')).toEqual([]);
  });
});
