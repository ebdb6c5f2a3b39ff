import { assert, bigInt, constantFrom, pre, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatIpAddress,
  formatIpPrefix,
  isOneAddress,
  isSameIpAddress,
  parseIpAddress,
  parseIpPrefix,
  prefixContains,
  type IpAddress,
  type IpPrefix,
} from './ip-address.ts';

const address = (text: string): IpAddress => {
  const parsed = parseIpAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed;
};
const prefix = (text: string): IpPrefix => {
  const parsed = parseIpPrefix(text);
  if (parsed === undefined) throw new Error(`${text} is no prefix`);
  return parsed;
};

describe('parseIpAddress', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:DB8:0::11', '2001:db8::11'],
    ['2001:0db8:0000:0000:0000:0000:0000:0011', '2001:db8::11'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:C000:0207', '192.0.2.7'],
    ['64:ff9b::192.0.2.7', '64:ff9b::c000:207'],
  ])('%s is %s', (text, canonical) => {
    expect(formatIpAddress(address(text))).toBe(canonical);
  });

  test.each([
    '',
    ' 192.0.2.7',
    '192.0.2',
    '192.0.2.7.1',
    '192.0.2.256',
    '192.0.02.7',
    '0x7f.0.0.1',
    '192.0.2.7%eth0',
    '192.0.2.7/24',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '1:2:3:4:5:6:7:8::',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '12345::',
    'g::',
    '192.0.2.7::',
    '::192.0.2.7:1',
    '::192.0.2',
    '[::1]',
    'fe80::1%',
    'fe80::1%a%b',
    'db2.example.test',
  ])('%j is not an address', (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  test('parses every canonical text to the original address', () => {
    const family = constantFrom(4 as const, 6 as const);
    assert(
      property(family, bigInt({ min: 0n, max: (1n << 128n) - 1n }), (f, any) => {
        const bits = f === 4 ? any & 0xffff_ffffn : any;
        pre(f === 4 || bits >> 32n !== 0xffffn);
        expect(parseIpAddress(formatIpAddress({ family: f, bits, zone: undefined }))).toEqual({
          family: f,
          bits,
          zone: undefined,
        });
      }),
    );
  });
});

test.each([
  ['2001:db8::11', '2001:DB8:0:0::11', true],
  ['192.0.2.7', '::ffff:192.0.2.7', true],
  ['192.0.2.7', '192.0.2.8', false],
  ['0.0.0.1', '::1', false],
  ['fe80::1%eth0', 'fe80::1%eth1', false],
  ['fe80::1%eth0', 'fe80::1', true],
])('%s and %s: the same address: %s', (a, b, same) => {
  expect(isSameIpAddress(address(a), address(b))).toBe(same);
});

describe('prefixes', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7/32', '192.0.2.7'],
    ['192.0.2.7/24', '192.0.2.0/24'],
    ['192.0.2.7/0', '0.0.0.0/0'],
    ['::ffff:192.0.2.7/120', '192.0.2.0/24'],
    ['2001:DB8::11/64', '2001:db8::/64'],
    ['::/0', '::/0'],
  ])('%s is the network %s', (text, canonical) => {
    expect(formatIpPrefix(prefix(text))).toBe(canonical);
  });

  test.each([
    '192.0.2.7/33',
    '192.0.2.7/',
    '192.0.2.7/08',
    '192.0.2.7/24/8',
    '::/129',
    '::ffff:1.2.3.4/95',
    'x/8',
  ])('%j is not a prefix', (text) => {
    expect(parseIpPrefix(text)).toBeUndefined();
  });

  test.each([
    ['192.0.2.0/24', '192.0.2.9', true],
    ['192.0.2.9', '192.0.2.9', true],
    ['192.0.2.0/29', '192.0.2.9', false],
    ['0.0.0.0/0', '192.0.2.9', true],
    ['0.0.0.0/0', '::ffff:192.0.2.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '192.0.2.9', false],
    ['::/0', '2001:db8::1', true],
    ['2001:db8::/63', '2001:DB8:0:1::9', true],
    ['2001:db8::/64', '2001:DB8:0:1::9', false],
    ['fe80::/10', 'fe80::1%eth0', true],
  ])('%s contains %s: %s', (network, member, contained) => {
    expect(prefixContains(prefix(network), address(member))).toBe(contained);
  });

  test.each([
    ['192.0.2.7/32', true],
    ['::ffff:192.0.2.7', true],
    ['192.0.2.7/31', false],
    ['2001:db8::1', true],
    ['2001:db8::1/64', false],
  ])('%s is one address: %s', (text, one) => {
    expect(isOneAddress(prefix(text))).toBe(one);
  });
});
