import { copyFileSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { display } from './display-path.ts';
import { loadAllPlans } from './inputs.ts';
import { filesNamed, loadPlansAndSuites } from './suite.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

const testdata = join(import.meta.dirname, '..', 'scenario', 'testdata');
let folder: string;
beforeEach(() => {
  folder = realpathSync(temporaryFolder());
  mkdirSync(join(folder, 'rows'));
  for (const name of ['target.yaml', 'valid.yaml', 'composed.yaml'])
    copyFileSync(join(testdata, name), at(name));
  writeFileSync(
    at('rows/variations.yaml'),
    `name: variations
title: Variations
target: ../target.yaml
rows:
  - { row: 1, failure: one, recoveredBy: x, reported: x, scenario: ../valid.yaml }
  - { row: 2, failure: two, recoveredBy: x, reported: x, scenario: ../valid.yaml }
  - { row: 3, failure: three, recoveredBy: x, reported: x, scenario: ../composed.yaml }
`,
  );
});

const at = (name: string): string => join(folder, name);
const target = (): string => at('target.yaml');
const names = (args: readonly string[], variables = {}): string[] =>
  loadPlansAndSuites(filesNamed(args), { target: target(), variables }).map((plan) => plan.scenario.name);

test('the kind of a file follows from its fields, not from its name', () => {
  expect(filesNamed([folder])).toEqual([
    { path: at('composed.yaml'), kind: 'scenario' },
    { path: at('rows/variations.yaml'), kind: 'suite' },
    { path: at('target.yaml'), kind: 'target' },
    { path: at('valid.yaml'), kind: 'scenario' },
  ]);
});

test('a suite is planned row by row, each drill once', () => {
  const one = names([at('valid.yaml')]);
  const composed = names([at('composed.yaml')]);
  expect(one).toHaveLength(1);
  expect(names([at('rows/variations.yaml')])).toEqual([...one, ...composed]);
  expect(names([at('valid.yaml'), at('rows')])).toEqual([...one, ...one, ...composed]);
});

test('a variable must exist in at least one file', () => {
  const suite = at('rows/variations.yaml');
  expect(names([at('valid.yaml'), suite], { wait: '1s' }).length).toBeGreaterThan(1);
  expect(() => names([at('valid.yaml'), suite], { waits: '1s' })).toThrow('--var waits');
});

test('a suite or a target is refused as a scenario, but may be in the same folder', () => {
  expect(loadAllPlans([folder], { target: target() }).length).toBeGreaterThan(1);
  expect(() => loadAllPlans([at('rows/variations.yaml')], {})).toThrow('this is a suite, not a scenario');
  expect(() => loadAllPlans([target()], {})).toThrow('this is a target, not a scenario');
  expect(() => loadAllPlans([at('rows')], {})).toThrow('no scenario in this folder');
});

test('a path is relative below the working folder, else absolute', () => {
  expect(display('a/../b/c.yaml')).toBe('b/c.yaml');
  expect(display('..x/c.yaml')).toBe('..x/c.yaml');
  for (const path of ['../c.yaml', '../../x', '..', '.', '/x'])
    expect(display(path)).toMatch(/^\/(?!.*\.\.)/);
});
