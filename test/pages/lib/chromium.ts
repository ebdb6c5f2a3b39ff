import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { aptInstall } from '../../../src/lab/apt.ts';
import { labContext } from '../../../src/lab/lab-context.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** Path of a Chromium on PATH; undefined without one. */
export function chromiumPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** Global setup: installs Chromium from the machine's packages if there is none. */
export async function setup(): Promise<void> {
  if (chromiumPath() !== undefined) return;
  await aptInstall(
    labContext(new AbortController().signal, () => {}),
    ['chromium'],
  );
}
