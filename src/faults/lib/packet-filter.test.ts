import { expect, test } from 'vitest';
import { faultContext } from '../testing/fault-context.ts';
import { scriptedHost } from '../testing/scripted-host.ts';
import { applyFilter, type PacketFilter } from './packet-filter.ts';

const filter = (word: string, interfaces: readonly string[] = []): PacketFilter => ({
  interfaces,
  rules: [{ tool: 'iptables', direction: 'in', match: ['-s', word], target: 'DROP' }],
});

test.each(['192.0.2.7\n-A OUTPUT -j DROP', '192.0.2.7 -j ACCEPT', '"', String.raw`\x`, '', '$(reboot)'])(
  'an argument of a rule cannot become several: %j',
  async (word) => {
    const host = scriptedHost(() => ({}));
    await expect(applyFilter(faultContext(host), filter(word), '0a1b')).rejects.toThrow(
      `cannot write the packet rule: ${JSON.stringify(word)} would need quoting`,
    );
    await expect(applyFilter(faultContext(host), filter('192.0.2.7', [word]), '0a1b')).rejects.toThrow(
      'would need quoting',
    );
    expect(host.commands).toEqual([]);
  },
);

test('addresses, networks, and interfaces need no quoting', async () => {
  const host = scriptedHost(() => ({}));
  for (const word of ['192.0.2.0/24', '2001:db8::/64'])
    await applyFilter(faultContext(host), filter(word, ['eth0.100', 'br-1a2b@if3']), '0a1b');
  expect(host.inputs).toHaveLength(2);
});
