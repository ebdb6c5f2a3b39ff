// The same contract against a real Keystone and Nova (compose-lab/openstack) in their own container. Takes 1.5 min, and some
// minutes more if the image must be built. Run with `npm run test:openstack`.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { ensureBaseImage } from '../../src/lab/base-image.ts';
import { labContext, mustRun } from '../../src/lab/lab-context.ts';
import { parseOsRelease } from '../../src/lab/os-release.ts';
import { type CloudUnderTest, until } from './cloud-under-test.ts';
import { describeContract } from './contract.ts';

const container = 'fdtest-openstack';
const image = 'firedrill-test/openstack:1';
const servers = ['vm-1', 'vm-10'] as const;
const context = labContext(new AbortController().signal, (event) => {
  if ('text' in event) process.stderr.write(`${event.step}: ${event.text}\n`);
});
const docker = (...argv: string[]) => mustRun(context, ['docker', ...argv], { timeoutMs: 900_000 });

async function startOpenStack(): Promise<CloudUnderTest> {
  const machine = {
    os: parseOsRelease(readFileSync('/etc/os-release', 'utf8')),
    root: process.getuid?.() === 0,
  };
  await ensureBaseImage(context, { tag: 'debian:trixie-slim', suite: 'trixie' }, machine);
  await docker('build', '--tag', image, join(import.meta.dirname, '../../compose-lab/openstack'));
  const password = randomBytes(18).toString('base64url');
  const secret = randomBytes(18).toString('base64url');
  await docker('rm', '--force', '--volumes', container);
  const variables = {
    CONTRACT_PASSWORD: password,
    CONTRACT_SECRET: secret,
    CONTRACT_SERVERS: servers.join(' '),
  };
  const env = Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  // The ports inside and outside are the same, because the catalog has one URL for both.
  const ports = ['--publish', '127.0.0.1:15000:15000', '--publish', '127.0.0.1:18774:18774'];
  await docker(
    'run',
    '--detach',
    '--name',
    container,
    '--cpus',
    '1',
    '--memory',
    '4g',
    ...ports,
    ...env,
    image,
  );
  const ready = await until(
    async () => {
      const asked = ['docker', 'exec', container, 'cat', '/run/contract.json'];
      const { exitCode, stdout } = await context.run(asked, { timeoutMs: 20_000, signal: context.signal });
      return exitCode === 0 ? stdout : '';
    },
    (seen) => seen !== '',
    300_000,
  ).catch(async (error: unknown) => {
    const logs = await docker('logs', container);
    throw new Error(`start OpenStack: not ready within 300 s:\n${logs.stdout}${logs.stderr}`, {
      cause: error,
    });
  });
  const { credential } = JSON.parse(ready) as { credential: string };
  return {
    identityUrl: 'http://127.0.0.1:15000/v3',
    region: 'RegionOne',
    user: 'drill',
    password,
    project: 'drill',
    credential: { id: credential, name: 'contract', secret },
    servers,
  };
}

async function stopOpenStack(): Promise<void> {
  await docker('rm', '--force', '--volumes', container);
}

describe('OpenStack', () => {
  describeContract(startOpenStack, stopOpenStack);
});
