import { expect, test } from 'vitest';
import { hostPort, httpUrl, requireHostPort } from './text-params.ts';
import { asciiHost } from './host-name.ts';

test.each([
  ['db1', 'db1'],
  ['DB_1.internal.', 'DB_1.internal.'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['192.0.2.3', '192.0.2.3'],
  ['192.0.2.300', undefined],
  ['1234', undefined],
  ['db1,db2', undefined],
  ['a..b', undefined],
  ['-a', undefined],
  ['', undefined],
  ['%2Frun', undefined],
])('%s as a host is %s', (text, ascii) => {
  expect(asciiHost(text)).toBe(ascii);
});

test('host:port takes a valid host name, and returns it in ASCII', () => {
  expect(requireHostPort('bücher.example:443')).toEqual({ host: 'xn--bcher-kva.example', port: 443 });
  for (const text of ['db1,db2:5432', '192.0.2.300:80', '%2Frun:80'])
    expect(hostPort.safeParse(text).success).toBe(false);
  expect(hostPort.safeParse('${address}:80').success).toBe(true);
});

test('a URL must have a valid host name', () => {
  for (const text of ['http://db1,db2/', 'http://a..b/']) expect(httpUrl.safeParse(text).success).toBe(false);
  for (const text of ['http://bücher.example/', 'http://[::1]/', 'http://${host}.lan/', 'http://a_b/'])
    expect(httpUrl.safeParse(text).success).toBe(true);
});
