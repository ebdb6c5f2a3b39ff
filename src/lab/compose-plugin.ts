import { chmod, copyFile, mkdir, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DrillError } from '../core/errors.ts';
import { aptCandidate, aptInstall, withForeignPackages } from './apt.ts';
import { type LabContext, mustRun, succeeds } from './lab-context.ts';
import { isDebianFamily, type OsRelease } from './os-release.ts';
import { withTemporaryFolder } from './temporary-folder.ts';

/** The first Debian release whose docker-compose is Compose v2. Its plugins also run on the release before it. */
const release = 'trixie';

/**
 * Ensures that `docker compose` is Compose v2, and tries to install buildx: without it, images are built one after another.
 * Returns a sentence on what was done. Throws DrillError `lab` if Compose cannot be installed.
 */
export async function ensureCompose(context: LabContext, os: OsRelease, root: boolean): Promise<string> {
  if (await composeWorks(context)) return 'Docker Compose v2 is installed';
  if (!isDebianFamily(os)) throw noCompose('no `docker compose` on this machine');
  if (root && (await installFromOwnRelease(context))) return 'installed Docker Compose from this release';
  if (os.id !== 'debian') throw noCompose(`${os.prettyName} has no package with Compose v2`);
  context.report({
    step: 'compose',
    state: 'info',
    text: `Docker Compose v2 is missing: installing docker-compose and docker-buildx from Debian ${release}`,
  });
  await withForeignPackages(context, release, ['docker-compose', 'docker-buildx'], async (debs) => {
    if (root) await mustRun(context, ['dpkg', '--install', ...debs], { timeoutMs: 120_000 });
    else await unpackPlugins(context, debs);
  });
  if (!(await composeWorks(context)))
    throw noCompose('the plugin was installed, but `docker compose version` does not report v2');
  return `installed Docker Compose from Debian ${release}`;
}

/** Whether BuildKit can build images in parallel. */
export function hasBuildx(context: LabContext): Promise<boolean> {
  return succeeds(context, ['docker', 'buildx', 'version']);
}

async function composeWorks(context: LabContext): Promise<boolean> {
  const result = await context.run(['docker', 'compose', 'version', '--short'], {
    timeoutMs: 15_000,
    signal: context.signal,
  });
  return result.exitCode === 0 && /^v?([2-9]|\d\d)/.test(result.stdout.trim());
}

async function installFromOwnRelease(context: LabContext): Promise<boolean> {
  const packages: string[] = [];
  if ((await aptCandidate(context, 'docker-compose-v2')) !== undefined) packages.push('docker-compose-v2');
  else if (/^[2-9]/.test((await aptCandidate(context, 'docker-compose')) ?? ''))
    packages.push('docker-compose');
  if (packages.length === 0) return false;
  if ((await aptCandidate(context, 'docker-buildx')) !== undefined) packages.push('docker-buildx');
  context.report({ step: 'compose', state: 'info', text: `installing ${packages.join(', ')} with apt` });
  await aptInstall(context, packages);
  return composeWorks(context);
}

/** Without root: copies the plugins to the user's plugin folder of the docker client. */
async function unpackPlugins(context: LabContext, debs: readonly string[]): Promise<void> {
  const target = join(homedir(), '.docker', 'cli-plugins');
  await withTemporaryFolder(async (folder) => {
    for (const deb of debs)
      await mustRun(context, ['dpkg-deb', '--extract', deb, folder], { timeoutMs: 60_000 });
    await mkdir(target, { recursive: true });
    const source = join(folder, 'usr', 'libexec', 'docker', 'cli-plugins');
    for (const plugin of await readdir(source)) {
      await copyFile(join(source, plugin), join(target, plugin));
      await chmod(join(target, plugin), 0o755);
    }
  });
}

function noCompose(what: string): DrillError {
  return new DrillError('lab', what, {
    hint: 'Install the Compose v2 plugin of Docker (package docker-compose-plugin or docker-compose-v2).',
  });
}
