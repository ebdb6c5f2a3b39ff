import { describe, expect, test } from 'vitest';
import { networkIsolate } from './network.isolate.ts';
import { faultContext } from './testing/fault-context.ts';
import { linuxHost } from './testing/linux-host.ts';

const local = () => ({ ...linuxHost(() => undefined), transport: 'docker exec alpha' });
const stateOf = async (fields: object, host = local()) =>
  (await networkIsolate.before(networkIsolate.params.parse(fields), faultContext(host))).state;

describe('network.isolate', () => {
  test('silences what leads out of the host, IPv6 as well where there is any', async () => {
    await expect(stateOf({})).resolves.toEqual({
      interfaces: ['eth0', 'eth1'],
      rules: [
        { tool: 'iptables', way: 'in', match: [], target: 'DROP' },
        { tool: 'ip6tables', way: 'in', match: [], target: 'DROP' },
        { tool: 'iptables', way: 'out', match: [], target: 'DROP' },
        { tool: 'ip6tables', way: 'out', match: [], target: 'DROP' },
      ],
    });
  });

  test('lets those through that are allowed, before it drops the rest', async () => {
    const host = local();
    const params = networkIsolate.params.parse({ allow: ['198.18.0.20'], interfaces: ['eth0'] });
    const before = await networkIsolate.before(params, faultContext(host));
    await networkIsolate.inject(params, { ...before, tag: 'ab12cd34' }, faultContext(host));
    expect(host.inputs.at(-1)?.split('\n').slice(3, -2)).toEqual([
      '-A firedrill-ab12cd34-in -s 198.18.0.20 -m comment --comment firedrill:ab12cd34 -j RETURN',
      '-A firedrill-ab12cd34-in -m comment --comment firedrill:ab12cd34 -j DROP',
      '-A firedrill-ab12cd34-out -d 198.18.0.20 -m comment --comment firedrill:ab12cd34 -j RETURN',
      '-A firedrill-ab12cd34-out -m comment --comment firedrill:ab12cd34 -j DROP',
      '-I PREROUTING 1 -i eth0 -m comment --comment firedrill:ab12cd34 -j firedrill-ab12cd34-in',
      '-I POSTROUTING 1 -o eth0 -m comment --comment firedrill:ab12cd34 -j firedrill-ab12cd34-out',
    ]);
  });

  test('refuses to cut off its own way in', async () => {
    const remote = { ...local(), transport: 'ssh alpha' };
    await expect(stateOf({}, remote)).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: commands get there over the network (ssh alpha) and would be cut off with the rest',
    });
    await expect(stateOf({ allow: ['198.18.0.1'] }, remote)).resolves.toBeDefined();
  });

  test('refuses an interface that is not there', async () => {
    await expect(stateOf({ interfaces: ['eth9'] })).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: no network interface eth9',
    });
  });
});
