import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { aptInstall } from '../../../src/lab/apt.ts';
import { labContext } from '../../../src/lab/lab-context.ts';
import { shells } from '../../../src/cli/commands/completion.ts';

function isOnPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** Before any test of completion and of the CI's commands: the shells, busybox, and ShellCheck, from the machine's own packages where it has not all of them. */
export async function setup(): Promise<void> {
  const missing = [...shells, 'busybox', 'shellcheck'].filter((shell) => !isOnPath(shell));
  if (missing.length === 0) return;
  await aptInstall(
    labContext(new AbortController().signal, () => {}),
    missing,
  );
}
