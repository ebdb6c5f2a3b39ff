import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The root of the checkout. */
export const root = join(import.meta.dirname, '../..');

/** Files below a folder of the checkout whose paths match, as paths from its root. */
export function filesBelow(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => pattern.test(path))
    .map((path) => `${folder}/${path}`)
    .sort();
}

/** Source files that run in a user's drill: no tests, and nothing that only tests use. */
export function productFiles(): string[] {
  return filesBelow('src', /\.ts$/).filter((path) => !/\.test\.ts$|\/testing\//.test(path));
}
