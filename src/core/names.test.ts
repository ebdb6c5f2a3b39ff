import { describe, expect, test } from 'vitest';
import { commandWord, fileSlug } from './names.ts';

describe('fileSlug', () => {
  test.each([
    ['db-crash_2.0', 'db-crash_2.0'],
    ['../../etc/passwd', 'etc-passwd'],
    ['/etc/passwd', 'etc-passwd'],
    ['..', 'unnamed'],
    ['.', 'unnamed'],
    ['', 'unnamed'],
    ['-rf', 'rf'],
    ['.hidden', 'hidden'],
    ['a\0b\nc', 'a-b-c'],
    [String.raw`C:\x`, 'C-x'],
    ['CON', 'CON_'],
    ['nul.json', 'nul_.json'],
    ['console', 'console'],
    ['ünïcode 名前', 'n-code'],
    ['[::1]:80', '1-80'],
    ['ends.', 'ends'],
  ])('makes of %j the name %j', (text, name) => {
    expect(fileSlug(text)).toBe(name);
  });

  test('is not longer than a file system allows', () => {
    expect(fileSlug('x'.repeat(5000))).toHaveLength(80);
    expect(fileSlug(`${'x'.repeat(79)}.y`)).toBe('x'.repeat(79));
  });

  test('leaves its own names as they are', () => {
    for (const text of ['../x', 'CON', 'a b', 'x'.repeat(300)])
      expect(fileSlug(fileSlug(text))).toBe(fileSlug(text));
  });
});

describe('commandWord', () => {
  test.each(['-f', '--all', 'a b', '', ' a', 'a\n'])('is not %j', (word) => {
    expect(commandWord.safeParse(word).success).toBe(false);
  });
  test.each(['db', 'project-db-1', '${container}', '4f2a'])('is %j', (word) => {
    expect(commandWord.safeParse(word).success).toBe(true);
  });
});
