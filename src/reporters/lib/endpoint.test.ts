import { describe, expect, test } from 'vitest';
import { below, endpoint, needed, secretsOf, setting } from './endpoint.ts';

const rules = { name: 'SOME_URL', credential: true, env: {} };

describe('endpoint', () => {
  test.each([
    ['https://hooks.example/services/a?b=c', 'https://hooks.example/services/a?b=c'],
    ['http://localhost:3000/', 'http://localhost:3000/'],
    ['http://127.9.8.7:80/a#b', 'http://127.9.8.7/a'],
    ['http://[::1]:3000/a', 'http://[::1]:3000/a'],
  ])('%s', (text, href) => {
    expect(endpoint(text, rules).href).toBe(href);
  });

  test.each([
    ['no url, s3cret', 'not a URL'],
    ['ftp://s3cret.example/', 'not an HTTP URL: its scheme is ftp:'],
    ['https://user:s3cret@a.example/', 'has a user or password'],
    ['http://a.example/s3cret', 'would send a credential over plain HTTP'],
    ['http://127.0.0.1.example/s3cret', 'would send a credential over plain HTTP'],
    ['http://localhost.example/s3cret', 'would send a credential over plain HTTP'],
  ])('%s is refused, and not in the message', (text, why) => {
    expect(() => endpoint(text, rules)).toThrow(`SOME_URL: ${why}`);
    expect(() => endpoint(text, rules)).not.toThrow(/s3cret/);
  });

  test('plain HTTP is allowed without a credential, or with FIREDRILL_ALLOW_HTTP=1', () => {
    const text = 'http://collector:4318/';
    expect(endpoint(text, { ...rules, credential: false }).href).toBe(text);
    expect(endpoint(text, { ...rules, env: { FIREDRILL_ALLOW_HTTP: '1' } }).href).toBe(text);
    expect(() => endpoint(text, { ...rules, env: { FIREDRILL_ALLOW_HTTP: '' } })).toThrow('plain HTTP');
  });
});

test.each([
  ['https://a.example', 'https://a.example/x/y'],
  ['https://a.example/', 'https://a.example/x/y'],
  ['https://a.example/sub//', 'https://a.example/sub/x/y'],
  ['https://a.example/sub?org=1', 'https://a.example/sub/x/y?org=1'],
])('below %s', (base, href) => {
  expect(below(new URL(base), 'x/y').href).toBe(href);
});

test('an empty variable counts as not set', () => {
  expect(setting({ A: ' ' }, 'A')).toBeUndefined();
  expect(setting({ A: ' b ' }, 'A')).toBe('b');
  expect(needed({ A: 'b' }, 'A', 'something')).toBe('b');
  expect(() => needed({ A: '' }, 'A', 'something')).toThrow('A is not set');
});

test('the secrets of a credential URL are the URL and its long parts', () => {
  const token = 'abcdefghijklmnop';
  expect(secretsOf(new URL(`https://a.example/services/T1/${token}?k=${token}2&l=m`))).toEqual([
    `https://a.example/services/T1/${token}?k=${token}2&l=m`,
    `/services/T1/${token}?k=${token}2&l=m`,
    token,
    `${token}2`,
  ]);
  expect(secretsOf(new URL('https://a.example'))).toEqual(['https://a.example/']);
});
