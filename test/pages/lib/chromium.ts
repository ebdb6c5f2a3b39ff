import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { aptInstall } from '../../../src/lab/apt.ts';
import { labContext } from '../../../src/lab/lab-context.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser on this machine's path; undefined without one. */
export function chromiumPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** Before any test of the pages: a browser, from the machine's own packages where it has none. */
export async function setup(): Promise<void> {
  if (chromiumPath() !== undefined) return;
  await aptInstall(
    labContext(new AbortController().signal, () => {}),
    ['chromium'],
  );
}
