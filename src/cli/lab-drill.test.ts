import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { type Lab, loadLab } from '../lab/manifest.ts';
import { drillFindings } from './lab-drill.ts';

const root = resolve(import.meta.dirname, '../..');
const certlocker = await loadLab(resolve(root, 'compose-lab'), 'certlocker');
const named = (drill: string | undefined): Lab => {
  const { drill: _, ...manifest } = certlocker.manifest;
  return { ...certlocker, manifest: drill === undefined ? manifest : { ...manifest, drill } };
};

test('the lab reports the duration of its drill and the load of its probes', () => {
  const [time, load, ...more] = drillFindings(certlocker);
  expect(time).toMatchObject({ name: 'time of postgres-crash', status: 'ok' });
  expect(time?.observed).toMatch(/^about .+ s, in the slow case .+ s, predicted by the target's models/);
  expect(load).toMatchObject({ name: 'load of postgres-crash', status: 'ok' });
  expect(load?.observed).toContain('new connections');
  expect(more).toEqual([]);
});

test('it is the drill of `npm run drill`', () => {
  const setup = readFileSync(resolve(root, 'scripts/with-setup.mjs'), 'utf8');
  expect(setup).toContain(`'${certlocker.manifest.drill?.replace('../../', '')}'`);
});

test('it reports no duration with changed settings, and nothing without a drill', () => {
  const names = (lab: Lab, settingsChanged: boolean) =>
    drillFindings(lab, { settingsChanged }).map(({ name }) => name);
  expect(names(certlocker, true)).toEqual(['load of postgres-crash']);
  expect(names(named(undefined), false)).toEqual([]);
});

test('it warns of a scenario that cannot be read, and does not fail', () => {
  expect(drillFindings(named('../../scenarios/none.yaml'))).toMatchObject([
    {
      name: 'drill',
      status: 'warn',
      observed: expect.stringMatching(
        /^the time and the load of a drill are unknown: .*none\.yaml/,
      ) as unknown,
    },
  ]);
});

test.each(['wazuh-lb', 'keepalived-docker'])('%s names a drill that can be read', async (stack) => {
  const findings = drillFindings(await loadLab(resolve(root, 'compose-lab'), stack));
  expect(findings.map(({ status }) => status)).not.toContain('warn');
  expect(findings).not.toEqual([]);
});
