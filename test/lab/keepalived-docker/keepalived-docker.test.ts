import { afterAll, beforeAll, describe, test } from 'vitest';
import { createBench, must } from '../../firedrill.ts';
import { expectPacketsAgree, stationOf, type VipStack } from '../lib/vip-drill.ts';

const bench = createBench();
const scenarios = 'scenarios/keepalived-docker';
const vm = (name: string): string => `firedrill-keepalived-docker-${name}`;
let stack: VipStack;

async function macOf(container: string): Promise<string> {
  return must(['docker', 'exec', container, 'cat', '/sys/class/net/eth0/address']);
}

beforeAll(async () => {
  await bench.must('lab', 'up', '--stack', 'keepalived-docker');
  stack = {
    bench,
    vantage: vm('vantage'),
    vip: '198.18.2.100',
    stations: {
      'node-1': stationOf('198.18.2.11', await macOf(vm('node-1'))),
      'node-2': stationOf('198.18.2.12', await macOf(vm('node-2'))),
    },
    // Three adverts, and the half second between two signs of life of the probe's own capture.
    silentAfterMs: 3500,
  };
});

afterAll(async () => {
  await bench.start('lab', 'down', '--stack', 'keepalived-docker');
  bench.remove();
});

describe('two Docker hosts under keepalived', () => {
  test.each(['keepalived-kill', 'vrrp-partition'])(
    '%s passes, and ownership and outages in its report are what packet captures show',
    async (name) => expectPacketsAgree(stack, `${scenarios}/${name}.yaml`),
  );
});
