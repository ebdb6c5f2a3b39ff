import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { aptInstall } from '../../../src/lab/apt.ts';
import { labContext } from '../../../src/lab/lab-context.ts';
import { shells } from '../../../src/cli/commands/completion.ts';
import { unpackSshd } from './sshd.ts';

/** Other login shells, sudo, and the SSH client. */
const logins = ['dash', 'tcsh', 'busybox', 'sudo', 'ssh'];

function isOnPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/**
 * Global setup for the tests of completion, CI commands, and transports: installs missing shells, sudo, and ShellCheck from
 * the machine's packages, and unpacks an SSH server.
 */
export async function setup(): Promise<void> {
  const context = labContext(new AbortController().signal, () => {});
  const missing = [...shells, ...logins, 'shellcheck'].filter((program) => !isOnPath(program));
  const packages = missing.map((program) => (program === 'ssh' ? 'openssh-client' : program));
  if (missing.length > 0) await aptInstall(context, packages);
  await unpackSshd(context);
}
