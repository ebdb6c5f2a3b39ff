import { expect, test } from 'vitest';
import { fillPlaceholders } from './placeholders.ts';

test.each([
  ['http://${address}:8080/${host}', 'http://[2001:db8::1]:8080/a'],
  ['postgresql://u@${address}/app', 'postgresql://u@[2001:db8::1]/app'],
  ['http://[${address}]/', 'http://[2001:db8::1]/'],
  ['${address}:443', '[2001:db8::1]:443'],
  ['${address}', '2001:db8::1'],
  ['http://x/?peer=${address}', 'http://x/?peer=2001:db8::1'],
  ['${address}/128', '2001:db8::1/128'],
])('an IPv6 address in %s has brackets if it needs them', (text, filled) => {
  expect(fillPlaceholders(text, { name: 'a', address: '2001:db8::1' })).toBe(filled);
});

test('a placeholder of an unknown address stays', () => {
  expect(fillPlaceholders('${host} ${address}:1', { name: 'a' })).toBe('a ${address}:1');
});

test('an address is inserted literally, even with special replacement patterns', () => {
  expect(fillPlaceholders('x ${address}', { name: 'a', address: '$& $1' })).toBe('x $& $1');
});
