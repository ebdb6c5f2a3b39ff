import { homedir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { codeExtension, packageRoot } from '../installation.ts';

/**
 * The folder of undo records and locks, shared by all installations of this user: `--state-dir`, else
 * `FIREDRILL_STATE_DIR`, else the XDG state folder.
 */
export function stateFolder(): string {
  const own = process.env['FIREDRILL_STATE_DIR'];
  if (own !== undefined && own !== '') return own;
  const xdg = process.env['XDG_STATE_HOME'];
  return join(xdg !== undefined && xdg !== '' ? xdg : join(homedir(), '.local', 'state'), 'firedrill');
}

/** Sets the state folder of this process and of its children: `--state-dir`. */
export function setStateFolder(folder: string): void {
  process.env['FIREDRILL_STATE_DIR'] = resolve(folder);
}

/** Where the files of the lab's stacks name the lab's state. In a checkout, it is there. */
const labStateInCheckout = join(packageRoot, '.firedrill', 'lab');

/**
 * The folder of the files that `lab up` creates: certificates, keys, and passwords. The installed package writes nothing
 * to its own folder.
 */
export function labStateFolder(): string {
  return codeExtension === 'ts' ? labStateInCheckout : join(stateFolder(), 'lab');
}

/** Where a file is that a target names. The lab's targets name the lab's state as in a checkout. */
export function whereItIs(path: string): string {
  return path.startsWith(`${labStateInCheckout}${sep}`)
    ? join(labStateFolder(), path.slice(labStateInCheckout.length))
    : path;
}
