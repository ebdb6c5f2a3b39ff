import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from './our-files.ts';

/** The folder of a reader who has installed firedrill. It has no file of the checkout. */
export interface ReaderFolder {
  readonly folder: string;
  /** Environment of its shell: an `npx` that runs only firedrill, and an own state folder. */
  readonly env: Readonly<Record<string, string>>;
  readonly remove: () => void;
}

/** Creates the folder outside of the checkout, as `npm install --save-dev firedrill` leaves it. */
export function readerFolder(): ReaderFolder {
  const home = mkdtempSync(join(tmpdir(), 'docs-'));
  const folder = join(home, 'project');
  const bin = join(home, 'bin');
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  mkdirSync(bin);
  writeFileSync(join(folder, 'package.json'), '{ "devDependencies": { "firedrill": "*" } }\n');
  symlinkSync(root, join(folder, 'node_modules/firedrill'));
  symlinkSync('../firedrill/bin/firedrill.mjs', join(folder, 'node_modules/.bin/firedrill'));
  // As npx, but faster, and without a registry.
  const npx = `#!/bin/sh\n[ "$1" = firedrill ] || exit 64\nshift\nexec '${process.execPath}' '${folder}/node_modules/.bin/firedrill' "$@"\n`;
  writeFileSync(join(bin, 'npx'), npx, { mode: 0o755 });
  const PATH = `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
  return {
    folder,
    env: { PATH, FIREDRILL_STATE_DIR: join(home, 'state') },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
