import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { aptInstall } from '../../../src/lab/apt.ts';
import { labContext } from '../../../src/lab/lab-context.ts';
import { shells } from '../../../src/cli/commands/completion.ts';
import { unpackSshd } from './sshd.ts';

/** Other shells that people log in to, what runs commands as root, and the SSH client. */
const logins = ['dash', 'tcsh', 'busybox', 'sudo', 'ssh'];

function isOnPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/**
 * Before any test of completion, of the CI's commands, and of transports: the shells, sudo and ShellCheck, from the machine's
 * own packages where it has not all of them; and an SSH server.
 */
export async function setup(): Promise<void> {
  const context = labContext(new AbortController().signal, () => {});
  const missing = [...shells, ...logins, 'shellcheck'].filter((program) => !isOnPath(program));
  const packages = missing.map((program) => (program === 'ssh' ? 'openssh-client' : program));
  if (missing.length > 0) await aptInstall(context, packages);
  await unpackSshd(context);
}
