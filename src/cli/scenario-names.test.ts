import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { DrillError } from '../core/errors.ts';
import { packageRoot } from '../installation.ts';
import { loadAllPlans } from './inputs.ts';
import { pathOfName, scenarioNames, suiteNames } from './scenario-names.ts';
import { filesNamed, loadSuite } from './suite.ts';

const before = process.cwd();
const shipped = join(packageRoot, 'scenarios');

/** Makes a file of the user's folder. */
function write(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

/** The message and the hint of a refusal. */
function refusal(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    if (error instanceof DrillError) return `${error.message}\nhint: ${error.hint ?? ''}`;
    throw error;
  }
  throw new Error('not refused');
}

beforeEach(() => process.chdir(realpathSync(temporaryFolder())));
afterEach(() => process.chdir(before));

describe('in a folder without scenarios', () => {
  test('the names are those of the package', () => {
    expect(suiteNames()).toEqual(['certlocker', 'keepalived-docker', 'wazuh-lb']);
    expect(scenarioNames()).toContain('certlocker/postgres-crash');
    expect(scenarioNames()).toContain('wazuh-lb/lessons/phase');
    expect(scenarioNames()).not.toContain('certlocker/suite');
  });

  test('a scenario, a folder of scenarios, and a suite are found by name', () => {
    expect(pathOfName('certlocker/postgres-crash')).toBe(join(shipped, 'certlocker/postgres-crash.yaml'));
    expect(pathOfName('certlocker/lessons')).toBe(join(shipped, 'certlocker/lessons'));
    expect(pathOfName('certlocker')).toBe(join(shipped, 'certlocker/suite.yaml'));
    for (const other of ['certlocker/postgres-crash.yaml', '../scenarios/certlocker', '', '.', '/', shipped])
      expect(pathOfName(other)).toBeUndefined();
  });

  test('a name works wherever a file does', () => {
    const [plan] = loadAllPlans(['certlocker/postgres-crash'], {});
    expect(plan?.scenario.path).toBe(join(shipped, 'certlocker/postgres-crash.yaml'));
    expect(loadAllPlans(['certlocker/lessons'], {}).length).toBeGreaterThan(5);
    expect(filesNamed(['certlocker/postgres-crash', 'wazuh-lb']).map(({ kind }) => kind)).toEqual([
      'scenario',
      'suite',
    ]);
    expect(loadSuite('wazuh-lb', { variables: {} }).suite.name).toBe('wazuh-lb');
  });

  test('a suite is refused as a scenario, with the command that runs it', () => {
    expect(refusal(() => loadAllPlans(['certlocker'], {}))).toBe(
      'certlocker: this is a suite, not a scenario\nhint: Run it with `firedrill table certlocker`.',
    );
  });

  test('an unknown name is refused with the closest name, else with the names that there are', () => {
    expect(refusal(() => loadAllPlans(['certlocker/postgres-crsh'], {}))).toBe(
      'certlocker/postgres-crsh: no such file or folder, and no scenario or suite of this name; did you mean "certlocker/postgres-crash"?\n' +
        'hint: Correct the path, or use a name: the path of a file below `scenarios`, without .yaml.',
    );
    expect(refusal(() => filesNamed(['scenarios/certlocker/postgres-crash.yaml']))).toContain(
      'did you mean "certlocker/postgres-crash"?',
    );
    expect(refusal(() => loadAllPlans(['wazuh-lb/something-else'], {}))).toContain(
      'no scenario or suite of this name; known: wazuh-lb/keepalived-crash, wazuh-lb/keepalived-kill, ',
    );
    expect(refusal(() => loadAllPlans(['drills/service-stop.yaml'], {}))).toContain(
      'no scenario or suite of this name; known: certlocker, keepalived-docker, wazuh-lb, and scenarios of these, such as certlocker/compose-down\n',
    );
    expect(refusal(() => loadSuite('certloker', { variables: {} }))).toContain(
      'certloker: no such suite file, and no suite of this name; did you mean "certlocker"?',
    );
  });
});

describe('in a folder with files of the user', () => {
  const text = 'name: own\n';

  test('an existing path always wins', () => {
    write('certlocker/postgres-crash', text);
    expect(filesNamed(['certlocker/postgres-crash']).map(({ path }) => path)).toEqual([
      'certlocker/postgres-crash',
    ]);
  });

  test('the folder `scenarios` comes before that of the package', () => {
    write('scenarios/certlocker/postgres-crash.yaml', text);
    write('scenarios/shop/app-crash.yml', text);
    expect(pathOfName('certlocker/postgres-crash')).toBe('scenarios/certlocker/postgres-crash.yaml');
    expect(pathOfName('certlocker/router-crash')).toBe(join(shipped, 'certlocker/router-crash.yaml'));
    expect(pathOfName('shop/app-crash')).toBe('scenarios/shop/app-crash.yml');
    expect(scenarioNames().filter((name) => name === 'certlocker/postgres-crash')).toHaveLength(1);
    expect(scenarioNames()).toContain('shop/app-crash');
  });
});
