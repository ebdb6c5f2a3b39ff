import { readdir, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DrillError } from '../core/errors.ts';
import { type LabContext, mustRun } from './lab-context.ts';
import { withTemporaryFolder } from './temporary-folder.ts';

const environment = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
const installOptions = [
  '-qq',
  '-y',
  '--no-install-recommends',
  '-o',
  'Dpkg::Use-Pty=0',
  '-o',
  'Dpkg::Options::=--force-unsafe-io',
  '-o',
  'DPkg::Lock::Timeout=120',
];

/**
 * Installs packages (or .deb files, given by path) with apt. If that fails, it runs `apt-get update` and tries once more: the
 * package lists may be missing or stale. Throws DrillError `lab`.
 */
export async function aptInstall(context: LabContext, packages: readonly string[]): Promise<void> {
  const install = ['apt-get', 'install', ...installOptions, ...packages];
  const first = await context.run(install, { timeoutMs: 300_000, env: environment, signal: context.signal });
  if (first.exitCode === 0) return;
  await aptUpdate(context);
  await mustRun(context, install, {
    timeoutMs: 300_000,
    env: environment,
    hint: `Run \`apt-get install ${packages.join(' ')}\` by hand, then try again.`,
  });
}

/** Fetches the package lists of the machine's own sources. Throws DrillError `lab`. */
export async function aptUpdate(context: LabContext): Promise<void> {
  await mustRun(context, ['apt-get', 'update', '-qq'], { timeoutMs: 180_000, env: environment });
}

/** The version of a package that apt would install; undefined if apt does not know the package. */
export async function aptCandidate(context: LabContext, name: string): Promise<string | undefined> {
  const result = await context.run(['apt-cache', 'policy', name], {
    timeoutMs: 20_000,
    env: environment,
    signal: context.signal,
  });
  const version = /^\s*Candidate:\s*(\S+)/m.exec(result.stdout)?.[1];
  return version === undefined || version === '(none)' ? undefined : version;
}

/**
 * The URL of the Debian archive in this machine's apt sources (a mirror or a proxy), without security and update archives.
 * Throws DrillError `lab` if apt has no such source.
 */
export async function debianMirror(context: LabContext): Promise<string> {
  const list = await mustRun(context, ['apt-get', 'indextargets', '--format', '$(SITE) $(CODENAME)'], {
    timeoutMs: 20_000,
    env: environment,
  });
  const mirror = mainSite(list.stdout);
  if (mirror === undefined) {
    throw new DrillError('lab', 'apt has no Debian archive among its sources', {
      hint: 'Add one to /etc/apt/sources.list.d and run `apt-get update`.',
    });
  }
  return mirror;
}

/** The first `SITE CODENAME` line whose codename is a plain release (not `…-security`, `…-updates`). */
export function mainSite(indexTargets: string): string | undefined {
  for (const line of indexTargets.split('\n')) {
    const [site, codename] = line.trim().split(/\s+/);
    if (site !== undefined && codename !== undefined && site !== '' && !codename.includes('-')) return site;
  }
  return undefined;
}

/**
 * Downloads packages of another Debian release without a change to the machine's sources. apt runs with a separate source list
 * and separate state folders, and checks signatures against the machine's Debian keyring. Works without root. `use` gets the
 * paths of the .deb files, which are deleted afterwards.
 */
export async function withForeignPackages<T>(
  context: LabContext,
  release: string,
  packages: readonly string[],
  use: (debs: readonly string[]) => Promise<T>,
): Promise<T> {
  const mirror = await debianMirror(context);
  return withTemporaryFolder(async (folder) => {
    for (const path of ['state/lists/partial', 'cache/archives/partial']) {
      await mkdir(join(folder, path), { recursive: true });
    }
    await writeFile(join(folder, 'status'), '');
    await writeFile(
      join(folder, 'sources.list'),
      `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} ${release} main\n`,
    );
    const settings = [
      `Dir::Etc::sourcelist=${folder}/sources.list`,
      'Dir::Etc::sourceparts=-',
      `Dir::State=${folder}/state`,
      `Dir::State::status=${folder}/status`,
      `Dir::Cache=${folder}/cache`,
      'Acquire::Languages=none',
      'APT::Sandbox::User=root',
    ].flatMap((setting) => ['-o', setting]);
    const limits = { timeoutMs: 180_000, env: environment, cwd: folder };
    await mustRun(context, ['apt-get', ...settings, '-qq', 'update'], limits);
    await mustRun(context, ['apt-get', ...settings, '-qq', 'download', ...packages], limits);
    const debs = (await readdir(folder))
      .filter((file) => file.endsWith('.deb'))
      .map((file) => join(folder, file));
    return use(debs);
  });
}
