import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyShellCommand, scattered, shellCommand, shellQuote } from './shell-quote.ts';

const hostile = [
  '',
  ' ',
  "it's",
  "'",
  "''",
  String.raw`\'`,
  '$HOME',
  '`id`',
  '$(id)',
  '"',
  'a b',
  'a\nb',
  '!',
  '*',
  '~',
  '#',
  ';id',
  '-n',
  'ü €',
];

describe('shellQuote', () => {
  test('leaves plain words unchanged', () => {
    expect(shellQuote('198.18.0.1/24')).toBe('198.18.0.1/24');
    expect(shellQuote('--comment')).toBe('--comment');
  });

  test('writes a quote as an end, an escaped quote, and a beginning', () => {
    expect(shellQuote("it's")).toBe(String.raw`'it'\''s'`);
  });

  test('passes every word through a real shell unchanged', () => {
    const script = shellCommand(['printf', String.raw`%s\0`, ...hostile]);
    const said = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
    expect(said.split('\0').slice(0, -1)).toEqual(hostile);
  });

  test('passes random words through a real shell unchanged', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "'",
        '"',
        '\\',
        '$',
        '`',
        '\n',
        '\r',
        '\t',
        ' ',
        '!',
        '$(',
        '${',
        '}',
        '-',
        '~',
        '\u001b',
        '€',
        '名',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    // A program argument cannot contain a NUL.
    const word = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('').replaceAll('\0', ''));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 200 }), (words) => {
        const script = shellCommand(['printf', String.raw`%s\0`, ...words]);
        const said = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
        expect(said.split('\0').slice(0, -1)).toEqual(words);
      }),
      { seed: 1, numRuns: 30 },
    );
  });
});

describe('anyShellCommand', () => {
  test('contains nothing that login shells interpret differently', () => {
    const line = anyShellCommand(shellCommand(['printf', '%s', ...hostile]));
    const [, argument] = /^exec \/bin\/sh -c 'eval "\$\(printf %b "\$1"\)"' sh '(.*)'$/s.exec(line) ?? [];
    expect(argument).toMatch(/^(?:[\w @%+=:,./-]|\\0[0-7]{3})*$/);
  });

  test('has no two adjacent plain characters, so that no word in it can be matched', () => {
    expect(scattered('pgrep -f x')).toBe(String.raw`p\0147r\0145p\0040-\0146 \0170`);
  });

  test('passes every word through all installed shells unchanged', () => {
    // A dash, a backslash before a digit, and characters that csh and fish interpret.
    const words = [
      ...hostile,
      '-',
      '\\0101',
      String.raw`\\`,
      'a!b',
      '%s%%',
      '\t\r',
      '\u0001\u007f',
      '\ud83d\ude92',
    ];
    const line = anyShellCommand(shellCommand(['printf', String.raw`%s\0`, ...words]));
    const shells = [
      '/bin/sh',
      '/bin/dash',
      '/bin/bash',
      '/bin/zsh',
      '/bin/csh',
      '/bin/tcsh',
      '/usr/bin/fish',
    ];
    const here = shells.filter((shell) => existsSync(shell));
    expect(here).toContain('/bin/sh');
    for (const shell of here) {
      const said = execFileSync(shell, ['-c', line], { encoding: 'utf8' });
      expect(said.split('\0').slice(0, -1), shell).toEqual(words);
    }
  });

  test('a script replaces the login shell’s process', () => {
    const line = anyShellCommand('echo "$$"; exec sh -c \'echo "$$"\'');
    const [first, second] = execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8' }).split('\n');
    expect(first).toMatch(/^\d+$/);
    expect(second).toBe(first);
  });
});
