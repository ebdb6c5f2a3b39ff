import { describe, expect, test } from 'vitest';
import { createRedactor } from './redact.ts';

const secret = 'c4n"ary /ß';
const redactor = createRedactor();
redactor.add(secret);

describe('a redactor', () => {
  test.each([
    ['in plain text', `password ${secret} refused`, 'password [secret] refused'],
    ['twice', `${secret}${secret}`, '[secret][secret]'],
    ['in JSON', `got ${JSON.stringify({ password: secret })}`, 'got {"password":"[secret]"}'],
    ['in a URL', `http://u:${encodeURIComponent(secret)}@h/`, 'http://u:[secret]@h/'],
    ['in Base64', `Basic ${Buffer.from(secret).toString('base64')}`, 'Basic [secret]'],
    ['cut off', `said ${secret.slice(0, 6)}…`, 'said [secret]…'],
    ['cut off, without an ellipsis', `said ${secret.slice(0, 9)}`, 'said [secret]'],
  ])('finds a secret %s', (_how, text, clean) => {
    expect(redactor.text(text)).toBe(clean);
  });

  test('redacts values at any depth, including keys, and leaves the rest unchanged', () => {
    expect(redactor.value({ a: [secret, 1, null], [secret]: { b: true } })).toEqual({
      a: ['[secret]', 1, null],
      '[secret]': { b: true },
    });
    expect(redactor.text('no c4n here')).toBe('no c4n here');
  });

  test('redacts the longer of two secrets first, and each line of a multi-line secret', () => {
    const two = createRedactor();
    for (const one of ['hunter', 'hunter2', 'first line\nsecond line']) two.add(one);
    expect(two.text('hunter2 hunter')).toBe('[secret] [secret]');
    expect(two.text('at second line: first line second line')).toBe('at [secret]: [secret]');
  });

  test('leaves a kept path unchanged that contains the secret, and redacts everything else', () => {
    const own = createRedactor();
    own.keep('secrets/postgres.txt');
    own.add('postgres');
    own.keep('/run/secrets/postgres');
    own.keep('postgres');
    expect(own.text("open '/run/secrets/postgres': said postgres")).toBe(
      "open '/run/secrets/postgres': said [secret]",
    );
    expect(own.text('secrets/postgres.txt:1:1: postgres, see secrets/postgres.txt')).toBe(
      'secrets/postgres.txt:1:1: [secret], see secrets/postgres.txt',
    );
    expect(own.text('/run/secrets/postgres/pg')).toBe('/run/secrets/postgres/pg');
    // A longer path is not known to be public.
    expect(own.text('/run/secrets/postgres2 /run/secrets/postgres.old')).toBe(
      '/run/secrets/[secret]2 /run/secrets/[secret].old',
    );
    expect(own.text('cut off: postg…')).toBe('cut off: [secret]…');
    own.add('as /run/secrets/postgres has it');
    expect(own.text('as /run/secrets/postgres has it')).toBe('[secret]');
  });

  test('ignores a secret that is too short', () => {
    const short = createRedactor();
    short.add('abc');
    const value = { text: 'abc' };
    expect(short.value(value)).toBe(value);
  });
});
