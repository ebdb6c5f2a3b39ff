import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/core/errors.ts';
import { withForeignPackages } from '../../src/lab/apt.ts';
import { labContext, mustRun, succeeds, type LabContext } from '../../src/lab/lab-context.ts';
import { parseOsRelease } from '../../src/lab/os-release.ts';
import type { Tools } from './peer.ts';

/** Debian packages of the peers, and a library that httping needs and most machines do not have. */
const debianPackages = [
  'prometheus',
  'prometheus-blackbox-exporter',
  'httping',
  'libfftw3-double3',
  'hey',
  'fping',
];
const autocannonVersion = '9.0.0';

/** Program folders in the tools folder. */
const binFolders = ['debian/usr/bin', 'debian/usr/sbin', 'debian/bin'];
const autocannonPath = 'npm/node_modules/autocannon/autocannon.js';

/**
 * Downloads the peers to a folder, once. Debian packages are unpacked without installation, because Prometheus would start
 * services; autocannon comes from npm. This does not change the machine, and needs no root. A failed download is reported,
 * and its peers are absent.
 */
export async function fetchTools(folder: string, report: (line: string) => void): Promise<Tools> {
  const context = labContext(new AbortController().signal, () => {});
  await fetchOnce(join(folder, 'debian'), report, (into) => fetchDebian(context, into));
  await fetchOnce(join(folder, 'npm'), report, (into) => fetchAutocannon(context, into));
  const onPath = new Set<string>();
  for (const name of ['curl', 'bash', 'stdbuf', 'httping', 'hey', 'fping'])
    if (await succeeds(context, ['sh', '-c', `command -v ${name}`])) onPath.add(name);
  const unpacked = (name: string): string | undefined =>
    [
      ...binFolders.map((bin) => join(folder, bin, name)),
      join(folder, name === 'autocannon' ? autocannonPath : ''),
    ]
      .filter((path) => path.endsWith(name) || path.endsWith(autocannonPath))
      .find(existsSync);
  return {
    program: (name) => unpacked(name) ?? (onPath.has(name) ? name : undefined),
    env: { LD_LIBRARY_PATH: join(folder, 'debian/usr/lib', libraryFolder()) },
  };
}

/** Debian's name for the machine's libraries. */
function libraryFolder(): string {
  return process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
}

/** Fills a folder once. A stamp file marks it as complete; after an incomplete attempt, it is filled again. */
async function fetchOnce(
  folder: string,
  report: (line: string) => void,
  fetch: (into: string) => Promise<void>,
): Promise<void> {
  const stamp = join(folder, '.whole');
  if (existsSync(stamp)) return;
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await fetch(folder);
    await writeFile(stamp, '');
  } catch (error) {
    report(`cannot download peers to ${folder}: ${messageOf(error)}`);
  }
}

async function fetchDebian(context: LabContext, into: string): Promise<void> {
  const { codename = '' } = parseOsRelease(readFileSync('/etc/os-release', 'utf8'));
  await withForeignPackages(context, codename, debianPackages, async (debs) => {
    for (const deb of debs) await mustRun(context, ['dpkg-deb', '-x', deb, into], { timeoutMs: 60_000 });
  });
}

async function fetchAutocannon(context: LabContext, into: string): Promise<void> {
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await mustRun(
    context,
    ['npm', 'install', '--prefix', into, ...options, `autocannon@${autocannonVersion}`],
    {
      timeoutMs: 120_000,
    },
  );
}
