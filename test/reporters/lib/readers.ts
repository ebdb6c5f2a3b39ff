import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withForeignPackages } from '../../../src/lab/apt.ts';
import { labContext, mustRun } from '../../../src/lab/lab-context.ts';

/** Packages of promtool, the Pushgateway, xmllint, GitHub's Markdown parser, and junitparser, with their libraries. python3 is the machine's own. */
const packages = [
  'prometheus',
  'prometheus-pushgateway',
  'libxml2-utils',
  'libxml2',
  'libicu72',
  'python3-junitparser',
  'python3-future',
  'cmark-gfm',
  'libcmark-gfm0.29.0.gfm.6',
  'libcmark-gfm-extensions0.29.0.gfm.6',
];

/** The library package names have versions, so the release is fixed. Later releases also have the system libraries that they need. */
const release = 'bookworm';

const folder = join(import.meta.dirname, '../../../.firedrill/readers');

/** Path of a program from those packages. */
export function program(name: string): string {
  return join(folder, 'usr/bin', name);
}

/** Environment for programs from those packages. */
export const environment = {
  LD_LIBRARY_PATH: join(
    folder,
    'usr/lib',
    process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu',
  ),
  PYTHONPATH: join(folder, 'usr/lib/python3/dist-packages'),
};

/** Global setup: unpacks the Debian packages once into a separate folder. Installing them would start services. */
export async function setup(): Promise<void> {
  const stamp = join(folder, '.whole');
  const requested = packages.join(' ');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === requested) return;
  const context = labContext(new AbortController().signal, () => {});
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await withForeignPackages(context, release, packages, async (debs) => {
    for (const deb of debs) await mustRun(context, ['dpkg-deb', '-x', deb, folder], { timeoutMs: 600_000 });
  });
  await writeFile(stamp, requested);
}
