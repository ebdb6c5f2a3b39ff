import { describe, expect, test } from 'vitest';
import { commandName, installedCommandName, withCommandName } from './command-name.ts';

const usual = '/usr/local/bin:/usr/bin';

describe('the name of the command', () => {
  test.each([
    ['a dependency of the project', '/home/a/shop/node_modules/firedrill', '/home/a/shop', 'npx firedrill'],
    ['below it', '/home/a/shop/node_modules/firedrill', '/home/a/shop/drills', 'npx firedrill'],
    ['a checkout', '/home/a/firedrill', '/home/a/firedrill', 'npx firedrill'],
    ['below it', '/home/a/firedrill', '/home/a/firedrill/docs', 'npx firedrill'],
    [
      'a dependency by pnpm',
      '/home/a/shop/node_modules/.pnpm/firedrill@0.2.0/node_modules/firedrill',
      '/home/a/shop',
      'npx firedrill',
    ],
    ['in the cache of npx', '/home/a/.npm/_npx/0a1b/node_modules/firedrill', '/home/a/shop', 'npx firedrill'],
    ['global', '/usr/local/lib/node_modules/firedrill', '/home/a/shop', 'firedrill'],
    [
      'a global one whose folder is not on PATH',
      '/opt/lib/node_modules/firedrill',
      '/home/a/other',
      '/opt/lib/node_modules/firedrill/bin/firedrill.mjs',
      ['/opt/bin/firedrill'],
    ],
    [
      'of another project',
      '/home/a/shop/node_modules/firedrill',
      '/home/a/other',
      '/home/a/shop/node_modules/firedrill/bin/firedrill.mjs',
      ['/home/a/shop/node_modules/.bin/firedrill'],
    ],
    [
      'a checkout used from elsewhere',
      '/home/a/my checkout',
      '/home/a/other',
      "'/home/a/my checkout/bin/firedrill.mjs'",
      [],
    ],
    [
      'a link to a checkout',
      '/home/a/firedrill',
      '/home/a/shop/drills',
      'npx firedrill',
      ['/home/a/shop/node_modules/.bin/firedrill'],
    ],
  ])('%s: %s used in %s', (_what, packageFolder, folder, name, programs = ['/usr/local/bin/firedrill']) => {
    const path = `/home/a/shop/node_modules/.bin:${usual}`;
    const isProgram = (file: string): boolean => programs.includes(file);
    expect(installedCommandName({ packageFolder, folder, path, isProgram })).toBe(name);
  });

  test('is what a wrapper says', () => {
    expect(commandName({ FIREDRILL_COMMAND_NAME: 'pnpm firedrill' })).toBe('pnpm firedrill');
    expect(commandName({ FIREDRILL_COMMAND_NAME: '' })).toBe('npx firedrill');
  });
});

test('only commands in backticks get the name, and only once', () => {
  const text =
    'firedrill heals. Run `firedrill heal`, or `firedrill\n--help`, not `firedrill-x` or `firedrill`.';
  const named = 'firedrill heals. Run `$& x heal`, or `$& x\n--help`, not `firedrill-x` or `firedrill`.';
  expect(withCommandName(text, () => '$& x')).toBe(named);
  const npx = (given: string): string => withCommandName(given, () => 'npx firedrill');
  expect(npx(npx(text))).toBe(npx(text));
});
