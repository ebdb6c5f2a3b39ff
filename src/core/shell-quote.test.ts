import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { shellCommand, shellQuote } from './shell-quote.ts';

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
  test('leaves plain words as they are', () => {
    expect(shellQuote('198.18.0.1/24')).toBe('198.18.0.1/24');
    expect(shellQuote('--comment')).toBe('--comment');
  });

  test('writes a quote as an end, an escaped quote, and a beginning', () => {
    expect(shellQuote("it's")).toBe(String.raw`'it'\''s'`);
  });

  test('brings every word through a real shell unchanged', () => {
    const script = shellCommand(['printf', String.raw`%s\0`, ...hostile]);
    const said = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
    expect(said.split('\0').slice(0, -1)).toEqual(hostile);
  });
});
