import { expect, test } from 'vitest';
import type { FaultId, HostName, ProbeId, ProbeName, RoleName } from './ids.ts';

// `npm run types` checks this test: each expected error must be one.
test('the compiler keeps the names of different things apart', () => {
  const [host, role, probe]: [HostName, RoleName, ProbeName] = ['node-1', 'db-primary', 'pg-role'];
  const [instance, fault]: [ProbeId, FaultId] = ['pg-role@node-1', 'fault-1'];
  const hosts = new Map<HostName, number>([[host, 1]]);
  const instances = new Map<ProbeId, number>([[instance, 2]]);
  expect(hosts.get(host)).toBe(1);
  expect(hosts.get('node-1')).toBe(1);
  // @ts-expect-error: a role is no host
  expect(hosts.get(role)).toBeUndefined();
  // @ts-expect-error: a fault is no host
  expect(hosts.get(fault)).toBeUndefined();
  // @ts-expect-error: a probe is not one of its instances
  expect(instances.get(probe)).toBeUndefined();
});
