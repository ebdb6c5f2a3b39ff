import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from './our-files.ts';

/** A temporary folder with links to the checkout. Commands that write there do not change the repository. */
export interface ReaderFolder {
  readonly folder: string;
  /** Environment of its shell: an `npx` that runs only firedrill, and an own state folder. */
  readonly env: Readonly<Record<string, string>>;
}

/** Creates the folder. `names`: files and folders of the repository to link. */
export function readerFolder(names: readonly string[]): ReaderFolder {
  const folder = mkdtempSync(join(tmpdir(), 'docs-'));
  for (const name of names) symlinkSync(join(root, name), join(folder, name));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const firedrill = join(root, 'bin/firedrill.mjs');
  const shim = `#!/bin/sh\n[ "$1" = firedrill ] || exit 64\nshift\nexec '${process.execPath}' '${firedrill}' "$@"\n`;
  writeFileSync(join(bin, 'npx'), shim, { mode: 0o755 });
  const PATH = `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
  return { folder, env: { PATH, FIREDRILL_STATE_DIR: join(folder, 'state') } };
}
