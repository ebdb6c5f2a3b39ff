import { expect, test } from 'vitest';
import { ipAddressesJson } from './ip-addresses-json.ts';

test('an address has its interface and the kernel’s flags', () => {
  const eth0 = { family: 'inet', local: '192.0.2.7', prefixlen: 24, scope: 'global' };
  const learned = { family: 'inet6', local: '2001:db8::7', prefixlen: 64, scope: 'global', dynamic: true };
  const taken = { family: 'inet6', local: '2001:db8::8', prefixlen: 64, scope: 'global', dadfailed: true };
  expect(ipAddressesJson.parse([{ ifname: 'eth0', addr_info: [eth0, learned, taken] }])).toEqual([
    {
      interface: 'eth0',
      family: 'inet',
      address: '192.0.2.7',
      prefixLength: 24,
      fixed: true,
      dadFailed: false,
    },
    {
      interface: 'eth0',
      family: 'inet6',
      address: '2001:db8::7',
      prefixLength: 64,
      fixed: false,
      dadFailed: false,
    },
    {
      interface: 'eth0',
      family: 'inet6',
      address: '2001:db8::8',
      prefixLength: 64,
      fixed: true,
      dadFailed: true,
    },
  ]);
});

test('the empty entry of an omitted interface is ignored', () => {
  const lo = {
    ifname: 'lo',
    addr_info: [{ family: 'inet', local: '127.0.0.1', prefixlen: 8, scope: 'host' }],
  };
  expect(ipAddressesJson.parse([{}, lo])).toHaveLength(1);
});

test.each([
  ['no list', undefined],
  ['an address of no interface', [{ addr_info: [{ family: 'inet', local: '192.0.2.7' }] }]],
  ['an address without a family', [{ ifname: 'eth0', addr_info: [{ local: '192.0.2.7' }] }]],
])('%s cannot be read', (_, value) => {
  expect(ipAddressesJson.safeParse(value).success).toBe(false);
});
