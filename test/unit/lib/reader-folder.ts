import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from './our-files.ts';

/** The checkout as a reader has it, in a temporary folder: what commands write there is not the repository's. */
export interface ReaderFolder {
  readonly folder: string;
  /** What its shell needs: `npx firedrill`, and nothing else that npx could do; open faults of its own. */
  readonly env: Readonly<Record<string, string>>;
}

/** Makes one. `names`: what of the repository is in it, by link. */
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
