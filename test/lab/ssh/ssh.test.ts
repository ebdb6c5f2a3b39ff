import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DrillEvent } from '../../../src/core/event.ts';
import { startRelay } from '../../../src/hosts/testing/ssh-server.ts';
import { statePaths } from '../../../src/lab/lab-state.ts';
import { createBench, must } from '../../firedrill.ts';
import { labOf, sshTarget, sudoWays, type SshWay } from '../lib/ssh-target.ts';

// The reference stacks driven wholly over the sshd of their machines, as root or by sudo. A power cut stays with docker: nothing in a machine
// can switch it on again.
const bench = createBench();
afterAll(() => bench.remove());

/** Of the latest run, which may not be over yet. */
function events(): DrillEvent[] {
  const whole = readFileSync(join(bench.runFolder(), 'events.ndjson'), 'utf8').split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line) as DrillEvent);
}

/** The transport of each host in the latest run's plan. */
function transports(): Record<string, string> {
  const [started] = events();
  if (started?.type !== 'run.started') throw new Error('the log does not begin with run.started');
  return Object.fromEntries(started.plan.hosts.map((host) => [host.name, host.transport.kind]));
}

const stacks = [
  {
    stack: 'certlocker',
    drill: ['scenarios/certlocker/container-crash.yaml', '--var', 'container=ui', '--var', 'on=standby'],
    hosts: { lb: 'ssh', 'node-1': 'ssh', 'node-2': 'ssh', witness: 'ssh', vantage: 'ssh' },
  },
  {
    stack: 'wazuh-lb',
    drill: ['scenarios/wazuh-lb/nginx-crash.yaml'],
    // As somebody who is not root.
    ways: sudoWays,
    // The servers behind the stack are a stand-in, and no machine.
    hosts: { 'node-1': 'ssh', 'node-2': 'ssh', vantage: 'ssh', backends: 'docker' },
  },
  {
    stack: 'keepalived-docker',
    drill: ['scenarios/keepalived-docker/vrrp-partition.yaml'],
    hosts: { 'node-1': 'ssh', 'node-2': 'ssh', vantage: 'ssh' },
  },
];

describe.each(stacks)('$stack over SSH', ({ stack, drill, ways, hosts }) => {
  beforeAll(() => bench.must('lab', 'up', '--stack', stack));
  afterAll(async () => {
    await bench.start('lab', 'down', '--stack', stack);
  });

  test('a drill passes, and is healed', async () => {
    const target = await sshTarget(stack, await ways?.(stack));
    const { exitCode, all } = await bench.start('run', ...drill, '--target', target, '--out', bench.out);
    expect(exitCode, all).toBe(0);
    expect(transports()).toEqual(hosts);
    expect(bench.summary()).toMatchObject({ verdict: 'pass', healed: true });
  });
});

describe('a path that swallows everything', () => {
  const stack = 'keepalived-docker';
  const asked = '/run/firedrill-asked';
  const onNode = (...argv: readonly string[]): Promise<string> =>
    must(['docker', 'exec', `firedrill-${stack}-node-1`, ...argv]);
  let folder: string;

  beforeAll(async () => {
    await bench.must('lab', 'up', '--stack', stack);
    folder = await mkdtemp(join(tmpdir(), 'firedrill-ssh-'));
  });
  afterAll(async () => {
    await bench.start('lab', 'down', '--stack', stack);
    await rm(folder, { recursive: true });
  });

  test('while a fault is injected: it is looked for and not injected again, and the drill goes on', async () => {
    const lab = await labOf(stack);
    const { sshKey, knownHosts } = statePaths(lab);
    const address = lab.manifest.vms.find((vm) => vm.name === 'node-1')?.address ?? '';
    const relay = await startRelay(22, address);
    const config = join(folder, 'config');
    await writeFile(
      config,
      `Host by-relay
  HostName 127.0.0.1
  Port ${relay.port}
  User root
  HostKeyAlias node-1
  IdentityFile "${sshKey}"
  UserKnownHostsFile "${knownHosts}"
`,
    );
    const way: SshWay = { host: 'by-relay', config };
    const target = await sshTarget(stack, { 'node-1': way });
    await onNode('rm', '-f', asked);
    try {
      const run = bench.start('run', 'test/lab/ssh/broken-off.yaml', '--target', target, '--out', bench.out);
      await vi.waitFor(() => onNode('test', '-e', asked), { timeout: 180_000, interval: 500 });
      relay.swallow();
      const fates = (): string[] =>
        events()
          .map((event) => event.type)
          .filter((type) => type.startsWith('fault.'));
      await vi.waitFor(() => expect(fates()).toEqual(['fault.issued', 'fault.unanswered']), {
        timeout: 30_000,
        interval: 100,
      });
      relay.restore();
      const { exitCode, all } = await run;
      expect(exitCode, all).toBe(0);
      expect(fates()).toEqual(['fault.issued', 'fault.unanswered', 'fault.effect']);
      expect(await onNode('cat', asked)).toBe('asked');
      expect(bench.summary()).toMatchObject({ verdict: 'pass', healed: true, faults: [{ ackedAt: null }] });
    } finally {
      await onNode('rm', '-f', asked);
      await relay.close();
    }
  });
});
