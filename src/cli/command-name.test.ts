import { expect, test } from 'vitest';
import { installedCommandName } from './command-name.ts';

test.each([
  ['/home/a/shop/node_modules/firedrill', '/home/a/shop', 'npx firedrill'],
  ['/home/a/shop/node_modules/firedrill', '/home/a/shop/drills/scenarios', 'npx firedrill'],
  ['/home/a/shop/node_modules/.pnpm/firedrill@0.2.0/node_modules/firedrill', '/home/a/shop', 'npx firedrill'],
  ['/home/a/.npm/_npx/0a1b/node_modules/firedrill', '/home/a/shop', 'npx firedrill'],
  ['/usr/local/lib/node_modules/firedrill', '/home/a/shop', 'firedrill'],
  ['/home/a/shop/node_modules/firedrill', '/home/a/other', 'firedrill'],
])('%s used in %s is called %s', (packageFolder, folder, name) => {
  expect(installedCommandName(packageFolder, folder)).toBe(name);
});
