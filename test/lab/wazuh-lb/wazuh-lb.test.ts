import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBench, must } from '../../firedrill.ts';
import { expectDrivenOverSsh } from '../lib/ssh-drill.ts';
import { isLong } from '../lib/long.ts';
import { sudoVariants } from '../lib/ssh-target.ts';
import { expectPacketsAgree, stationOf, type VipStack } from '../lib/vip-drill.ts';

const bench = createBench();
const scenarios = 'scenarios/wazuh-lb';
const vm = (name: string): string => `firedrill-wazuh-lb-${name}`;
let stack: VipStack;

/** The MAC of the pause container's network namespace. */
async function macOf(node: string): Promise<string> {
  return must([
    'docker',
    'exec',
    vm(node),
    'docker',
    'exec',
    'keepalived',
    'cat',
    '/sys/class/net/eth0/address',
  ]);
}

beforeAll(async () => {
  await bench.labUp('wazuh-lb');
  stack = {
    bench,
    vantage: vm('vantage'),
    vip: '198.18.1.100',
    stations: {
      'node-1': stationOf('198.18.1.111', await macOf('node-1')),
      'node-2': stationOf('198.18.1.112', await macOf('node-2')),
    },
    // Three adverts, plus the 500 ms between two heartbeats of the probe's own capture.
    silentAfterMs: 3500,
  };
});

afterAll(async () => {
  await bench.start('lab', 'down', '--stack', 'wazuh-lb');
  bench.remove();
});

describe('load balancers under keepalived, in a pause container’s namespace', () => {
  // The long run drills nginx-stop with packet captures instead.
  test.skipIf(isLong)('nginx-stop passes', async () => {
    const { exitCode, all } = await bench.drill(`${scenarios}/nginx-stop.yaml`);
    expect(exitCode, all).toBe(0);
    expect(bench.summary()).toMatchObject({ verdict: 'pass', healed: true });
  });

  test.runIf(isLong).each(['nginx-stop', 'node-poweroff'])(
    '%s passes, and the ownership and outages in its report match packet captures',
    async (name) => expectPacketsAgree(stack, `${scenarios}/${name}.yaml`),
  );

  test.runIf(isLong)(
    'nginx-restart passes in both variants: the pause container keeps keepalived’s interface',
    async () => {
      const { exitCode, all } = await bench.drill(`${scenarios}/nginx-restart.yaml`);
      expect(exitCode, all).toBe(0);
    },
  );

  test.runIf(isLong)('can be drilled entirely over SSH by a user with sudo', async () =>
    expectDrivenOverSsh(bench, {
      stack: 'wazuh-lb',
      drill: [`${scenarios}/nginx-crash.yaml`],
      ways: await sudoVariants('wazuh-lb'),
      // The servers behind the stack are simulated by a container, not by a VM.
      hosts: { 'node-1': 'ssh', 'node-2': 'ssh', vantage: 'ssh', backends: 'docker' },
    }),
  );
});
