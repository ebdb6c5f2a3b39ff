import { readFileSync } from 'node:fs';
import { join } from 'node:path';

// This file is directly in `src`, and its compiled form directly in `dist`.

/** The folder of firedrill's package.json: of the checkout, or of the installed package. */
export const packageRoot = join(import.meta.dirname, '..');

/** `ts` in the checkout, which runs the TypeScript sources, and `js` in the installed package, which is compiled. */
export const codeExtension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js';

/** The version of firedrill. */
export const packageVersion = (
  JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { readonly version: string }
).version;
