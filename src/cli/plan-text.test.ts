import { expect, test } from 'vitest';
import { makePlans, openScenario } from '../scenario/planner.ts';
import { parseSource } from '../scenario/source.ts';
import { plansText } from './plan-text.ts';

const input = (name: string, text: string) => ({
  source: parseSource(name, text),
  sha256: '',
  resolveFile: (file: string) => file,
});

const target = input(
  'target.yaml',
  `name: pair
environment: test
hosts: { node-1: { transport: ssh, host: node-1 } }
probes: [{ id: web, kind: http, url: 'http://node-1/' }]
steady: { require: [{ probe: web }] }
`,
);

/** What the plan says of what undoes a fault if firedrill is gone. */
function revertOf(fault: string): string[] {
  const scenario = input(
    's.yaml',
    `name: s
title: s
faults: [${fault}]
recovery: { probe: web, within: 10s }
checks: [{ kind: rto, max: 10s }]
`,
  );
  const lines = plansText(makePlans(openScenario(scenario), () => target)).split('\n');
  const at = lines.findIndex((line) => line.includes('auto-revert'));
  return at < 0 ? [] : lines.slice(at, at + 2).map((line) => line.trim().replaceAll(/ {2,}/g, ' '));
}

test('promises a timer only where the host has systemd', () => {
  expect(revertOf('{ kind: service.stop, on: node-1, units: [x.service], lease: 1m }')).toEqual([
    'auto-revert a systemd timer on its host undoes it when firedrill is silent for 60.0 s',
    'on a host without systemd nothing does until `firedrill heal`; `firedrill doctor` says which hosts have it',
  ]);
});

test('promises none for a command without `undo`, and says that nothing undoes it', () => {
  expect(revertOf('{ kind: command, on: node-1, run: [jolt] }')[0]).toBe(
    'auto-revert none: it has no `undo`, so neither its host nor the heal undoes it',
  );
  expect(revertOf('{ kind: command, on: node-1, run: [jolt], undo: [calm] }')[0]).toMatch(
    /^auto-revert a systemd timer/,
  );
});

test('says nothing of kinds that mend themselves', () => {
  expect(revertOf('{ kind: process.kill, on: node-1, process: nginx }')).toEqual([]);
});
