import { describe, expect, test } from 'vitest';
import { networkIsolate } from './network.isolate.ts';
import { faultContext } from './testing/fault-context.ts';
import { linuxHost } from './testing/linux-host.ts';

const local = () => linuxHost(() => undefined);
const stateOf = async (fields: object, host = local()) =>
  (await networkIsolate.before(networkIsolate.params.parse(fields), faultContext(host))).state;

describe('network.isolate', () => {
  test('drops packets on the interfaces that lead out of the host, with IPv6 if they have it', async () => {
    await expect(stateOf({})).resolves.toEqual({
      interfaces: ['eth0', 'eth1'],
      rules: [
        { tool: 'iptables', direction: 'in', match: [], target: 'DROP' },
        { tool: 'ip6tables', direction: 'in', match: [], target: 'DROP' },
        { tool: 'iptables', direction: 'out', match: [], target: 'DROP' },
        { tool: 'ip6tables', direction: 'out', match: [], target: 'DROP' },
      ],
    });
  });

  test('passes allowed addresses before it drops the rest', async () => {
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

  test('passes neighbor discovery if an IPv6 address is allowed', async () => {
    const { rules } = await stateOf({ allow: ['2001:DB8::0:9'], interfaces: ['eth1'] });
    expect(rules.filter(({ direction }) => direction === 'in')).toEqual([
      ...['135', '136'].map((type) => ({
        tool: 'ip6tables',
        direction: 'in',
        match: ['-p', '58', '-m', 'icmp6', '--icmpv6-type', type],
        target: 'RETURN',
      })),
      { tool: 'ip6tables', direction: 'in', match: ['-s', '2001:db8::9'], target: 'RETURN' },
      { tool: 'iptables', direction: 'in', match: [], target: 'DROP' },
      { tool: 'ip6tables', direction: 'in', match: [], target: 'DROP' },
    ]);
  });

  test('refuses to cut firedrill’s own connection, whatever else is allowed', async () => {
    const { container: _, ...overNetwork } = linuxHost((argv) => {
      const command = argv.join(' ');
      if (command.includes('SSH_CONNECTION')) return { stdout: '198.18.0.1 50000 198.18.0.11 22\n' };
      return command.startsWith('ip -j route get') ? { stdout: '[{"dev":"eth0"}]' } : undefined;
    });
    const remote = { ...overNetwork, transport: 'ssh alpha' };
    for (const allow of [[], ['203.0.113.7'], ['2001:db8::/32']])
      await expect(stateOf({ allow }, remote)).rejects.toMatchObject({
        code: 'fault-failed',
        message:
          "alpha: network.isolate refused: it would cut firedrill's own connection to the host (ssh alpha: 198.18.0.1 to 198.18.0.11 port 22, through eth0)",
        hint: expect.stringContaining('Keep 198.18.0.1 reachable: add it to `allow`') as string,
      });
    await expect(stateOf({ allow: ['198.18.0.0/24'] }, remote)).resolves.toBeDefined();
    await expect(stateOf({ interfaces: ['eth1'] }, remote)).resolves.toBeDefined();
  });

  test('refuses an interface that does not exist', async () => {
    await expect(stateOf({ interfaces: ['eth9'] })).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: no network interface eth9',
    });
  });
});
