import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ownLoopback } from '../../../src/hosts/testing/own-loopback.ts';
import { startRelay } from '../../../src/hosts/testing/ssh-server.ts';
import { statePaths } from '../../../src/lab/lab-state.ts';
import { createBench, must } from '../../firedrill.ts';
import { eventsOf, expectDrivenOverSsh } from '../lib/ssh-drill.ts';
import { isLong } from '../lib/long.ts';
import { labOf, sshTarget, type SshVariant } from '../lib/ssh-target.ts';
import { expectPacketsAgree, stationOf, type VipStack } from '../lib/vip-drill.ts';

const bench = createBench();
const name = 'keepalived-docker';
const scenarios = `scenarios/${name}`;
const vm = (of: string): string => `firedrill-${name}-${of}`;
let stack: VipStack;

async function macOf(container: string): Promise<string> {
  return must(['docker', 'exec', container, 'cat', '/sys/class/net/eth0/address']);
}

beforeAll(async () => {
  await bench.labUp(name);
  stack = {
    bench,
    vantage: vm('vantage'),
    vip: '198.18.2.100',
    stations: {
      'node-1': stationOf('198.18.2.11', await macOf(vm('node-1'))),
      'node-2': stationOf('198.18.2.12', await macOf(vm('node-2'))),
    },
    // Three adverts, plus the 500 ms between two heartbeats of the probe's own capture.
    silentAfterMs: 3500,
  };
});

afterAll(async () => {
  await bench.start('lab', 'down', '--stack', name);
  bench.remove();
});

describe('two Docker hosts under keepalived', () => {
  test('docker-stop passes', async () => {
    const { exitCode, all } = await bench.drill(`${scenarios}/docker-stop.yaml`);
    expect(exitCode, all).toBe(0);
    expect(bench.summary()).toMatchObject({ verdict: 'pass', healed: true });
  });

  test.runIf(isLong).each(['keepalived-kill', 'vrrp-partition'])(
    '%s passes, and the ownership and outages in its report match packet captures',
    async (scenario) => expectPacketsAgree(stack, `${scenarios}/${scenario}.yaml`),
  );

  test.runIf(isLong)('can be drilled entirely over SSH', () =>
    expectDrivenOverSsh(bench, {
      stack: name,
      drill: [`${scenarios}/vrrp-partition.yaml`],
      hosts: { 'node-1': 'ssh', 'node-2': 'ssh', vantage: 'ssh' },
    }),
  );
});

describe.runIf(isLong)('an SSH path that drops all packets', () => {
  const asked = '/run/firedrill-asked';
  const onNode = (...argv: readonly string[]): Promise<string> =>
    must(['docker', 'exec', vm('node-1'), ...argv]);
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'firedrill-ssh-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('during an injection: the harness checks the effect, does not inject again, and the drill goes on', async () => {
    const lab = await labOf(name);
    const { sshKey, knownHosts } = statePaths(lab);
    const address = lab.manifest.vms.find((vm) => vm.name === 'node-1')?.address ?? '';
    const relay = await startRelay(22, address);
    const config = join(folder, 'config');
    await writeFile(
      config,
      `Host by-relay
  HostName ${ownLoopback}
  Port ${relay.port}
  User root
  HostKeyAlias node-1
  IdentityFile "${sshKey}"
  UserKnownHostsFile "${knownHosts}"
`,
    );
    const way: SshVariant = { host: 'by-relay', config };
    const target = await sshTarget(name, { 'node-1': way });
    await onNode('rm', '-f', asked);
    try {
      const run = bench.start(
        'run',
        'test/lab/keepalived-docker/broken-off.yaml',
        '--target',
        target,
        '--out',
        bench.out,
      );
      await vi.waitFor(() => onNode('test', '-e', asked), { timeout: 180_000, interval: 500 });
      relay.swallow();
      const anomalies = (): string[] =>
        eventsOf(bench)
          .map((event) => event.type)
          .filter((type) => type.startsWith('fault.'));
      await vi.waitFor(() => expect(anomalies()).toEqual(['fault.issued', 'fault.outcome_unknown']), {
        timeout: 300_000,
        interval: 100,
      });
      relay.restore();
      const { exitCode, all } = await run;
      expect(exitCode, all).toBe(0);
      expect(anomalies()).toEqual(['fault.issued', 'fault.outcome_unknown', 'fault.effect']);
      expect(await onNode('cat', asked)).toBe('asked');
      expect(bench.summary()).toMatchObject({ verdict: 'pass', healed: true, faults: [{ ackedAt: null }] });
    } finally {
      await onNode('rm', '-f', asked);
      await relay.close();
    }
  });
});
