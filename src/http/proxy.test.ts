import { expect, test } from 'vitest';
import { proxyFor, proxyPasswords } from './proxy.ts';

const both = { HTTP_PROXY: 'http://proxy.example:3128', HTTPS_PROXY: 'http://secure.example:3129' };

test.each<[string, Record<string, string>, string | undefined]>([
  ['http://k.example/', both, 'proxy.example:3128'],
  ['https://k.example/', both, 'secure.example:3129'],
  ['https://k.example/', { HTTP_PROXY: 'http://proxy.example:3128' }, undefined],
  ['https://k.example/', { ALL_PROXY: 'http://all.example:1' }, 'all.example:1'],
  ['http://k.example/', { HTTP_PROXY: 'proxy.example:3128' }, 'proxy.example:3128'],
  [
    'http://k.example/',
    { HTTP_PROXY: 'http://a.example:1', http_proxy: 'http://b.example:2' },
    'b.example:2',
  ],
  ['http://k.example/', { HTTP_PROXY: 'http://a.example:1', http_proxy: '' }, undefined],
  ['http://k.example/', {}, undefined],
  ['http://127.0.0.1:8080/', both, undefined],
  ['http://[::1]:8080/', both, undefined],
  ['http://localhost:8080/', both, undefined],
])('%s with %j goes through %s', (url, env, proxy) => {
  expect(proxyFor(new URL(url), env)?.host).toBe(proxy);
});

test.each<[string, string, boolean]>([
  ['http://k.example/', '*', true],
  ['http://k.example/', 'k.example', true],
  ['http://k.example./', 'k.example', true],
  ['http://a.k.example/', 'other.example, k.example', true],
  ['http://a.k.example/', '.k.example', true],
  ['http://k.example/', '*.k.example', false],
  ['http://notk.example/', 'k.example', false],
  ['http://k.example:8774/', 'k.example:8774', true],
  ['http://k.example:8774/', 'k.example:5000', false],
  ['https://k.example/', 'k.example:443', true],
  ['http://10.1.2.3/', '10.0.0.0/8', true],
  ['http://11.1.2.3/', '10.0.0.0/8', false],
  ['http://10.1.2.3/', '10.1.2.3', true],
  ['http://10.1.2.3:81/', '10.1.2.3:80', false],
  ['http://[2001:DB8:0:0::5]/', '2001:db8::5', true],
  ['http://[2001:db8::5]/', '2001:db8::/32', true],
  ['http://[2001:db8::5]:81/', '[2001:db8::5]:81', true],
  ['http://[2001:db8::5]:82/', '[2001:db8::5]:81', false],
  ['http://10.1.2.3/', '10.0.0.0/99', false],
])('%s with NO_PROXY=%s bypasses the proxy: %s', (url, exceptions, isDirect) => {
  expect(proxyFor(new URL(url), { ...both, NO_PROXY: exceptions }) === undefined).toBe(isDirect);
});

test('a proxy that is not a URL is an error, which does not repeat its value', () => {
  expect(() => proxyFor(new URL('https://k.example/'), { HTTPS_PROXY: 'http://u:s3cret@:80' })).toThrow(
    /^HTTPS_PROXY is not a proxy URL$/,
  );
});

test('passwords of proxies are returned encoded and decoded', () => {
  expect(proxyPasswords({ HTTPS_PROXY: 'http://u:a%40b@p.example', all_proxy: 'http://p.example' })).toEqual([
    'a%40b',
    'a@b',
  ]);
});
