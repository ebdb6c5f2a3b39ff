import { homedir, userInfo } from 'node:os';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { DrillError } from '../core/errors.ts';
import { codeExtension, packageRoot } from '../installation.ts';

/**
 * The folder of undo records and locks, shared by all installations of this user: `--state-dir`, else
 * `FIREDRILL_STATE_DIR`, else the XDG state folder.
 * @throws DrillError `invalid-input` if none of them is set, and the user has no home folder
 */
export function stateFolder(): string {
  const own = process.env['FIREDRILL_STATE_DIR'];
  if (own !== undefined && own !== '') return own;
  // The XDG base directory specification ignores relative paths.
  const xdg = process.env['XDG_STATE_HOME'] ?? '';
  return join(isAbsolute(xdg) ? xdg : join(homeFolder(), '.local', 'state'), 'firedrill');
}

/** That of HOME, or of passwd(5) if HOME is not an absolute path. */
function homeFolder(): string {
  for (const read of [homedir, () => userInfo().homedir]) {
    try {
      const home = read();
      if (isAbsolute(home)) return home;
    } catch {
      // The user has no entry in passwd(5), such as in a container that runs as any UID.
    }
  }
  throw new DrillError(
    'invalid-input',
    'cannot find the folder of undo records: this user has no home folder',
    {
      hint: 'Pass --state-dir FOLDER, or set FIREDRILL_STATE_DIR. Use the same folder for `run` and `heal`.',
    },
  );
}

/**
 * Sets the state folder of this process and of its children: `--state-dir`.
 * @throws DrillError `invalid-input` if it is empty, as the value of an unset variable is
 */
export function setStateFolder(folder: string): void {
  if (folder === '') {
    throw new DrillError('invalid-input', '--state-dir is empty: expected a folder', {
      hint: 'Pass a folder, or leave the option out.',
    });
  }
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
