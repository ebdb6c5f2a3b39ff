import { expect, test } from 'vitest';
import { faultContext } from '../testing/fault-context.ts';
import { scriptedHost } from '../testing/scripted-host.ts';
import { applyFilter, type PacketFilter } from './packet-filter.ts';

const filter = (word: string, interfaces: readonly string[] = []): PacketFilter => ({
  interfaces,
  rules: [{ tool: 'iptables', way: 'in', match: ['-s', word], target: 'DROP' }],
});

test.each(['192.0.2.7\n-A OUTPUT -j DROP', '192.0.2.7 -j ACCEPT', '"', String.raw`\x`, '', '$(reboot)'])(
  'no word of a rule can become more than one: %j',
  async (word) => {
    const host = scriptedHost(() => ({}));
    await expect(applyFilter(faultContext(host), filter(word), '0a1b')).rejects.toThrow(
      `${JSON.stringify(word)} is no word of a packet filter's rule`,
    );
    await expect(applyFilter(faultContext(host), filter('192.0.2.7', [word]), '0a1b')).rejects.toThrow(
      'is no word',
    );
    expect(host.commands).toEqual([]);
  },
);

test('addresses, networks and interfaces are words', async () => {
  const host = scriptedHost(() => ({}));
  for (const word of ['192.0.2.0/24', '2001:db8::/64'])
    await applyFilter(faultContext(host), filter(word, ['eth0.100', 'br-1a2b@if3']), '0a1b');
  expect(host.inputs).toHaveLength(2);
});
