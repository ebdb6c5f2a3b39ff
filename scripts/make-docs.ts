// `npm run docs`: writes the generated files: the JSON Schemas and the reference. A test checks that they are up to date.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { madeFiles } from './docs/made-files.ts';

const root = join(import.meta.dirname, '..');

for (const [path, text] of madeFiles()) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  console.log(path);
}
