import { join } from 'node:path';
import { DrillError } from '../core/errors.ts';
import { aptInstall, debianMirror } from './apt.ts';
import { describeFailure } from './command.ts';
import { type LabContext, mustRun, succeeds, settingsText } from './lab-context.ts';
import type { LabManifest } from './manifest.ts';
import { type OsRelease } from './os-release.ts';
import { withTemporaryFolder } from './temporary-folder.ts';

/** Time limit, ms, for a pull of about 30 MB. */
const pullTimeoutMs = 60_000;

/**
 * Ensures that the base image exists: pulls it, or builds it from Debian packages if the pull fails. Returns a sentence on what
 * was done. Throws DrillError `lab`.
 */
export async function ensureBaseImage(
  context: LabContext,
  base: LabManifest['base'],
  machine: { readonly os: OsRelease; readonly root: boolean },
): Promise<string> {
  if (await succeeds(context, ['docker', 'image', 'inspect', base.tag])) return `${base.tag} exists`;
  const pull = ['docker', 'pull', '--quiet', base.tag];
  const pulled = await context.run(pull, {
    timeoutMs: pullTimeoutMs,
    signal: context.signal,
    ...settingsText(context, 'base'),
  });
  if (pulled.exitCode === 0) return `pulled ${base.tag}`;
  if (!machine.root || machine.os.id !== 'debian') {
    throw new DrillError('lab', `cannot pull the base image: ${describeFailure(pull, pulled)}`, {
      hint: `Give this machine access to the registry, or load ${base.tag} with \`docker load\` or \`docker import\`. As root on Debian, firedrill builds it from packages.`,
    });
  }
  context.report({
    step: 'base',
    state: 'info',
    text: `cannot pull ${base.tag}: building it from Debian packages with mmdebstrap`,
  });
  if (!(await succeeds(context, ['mmdebstrap', '--version']))) await aptInstall(context, ['mmdebstrap']);
  await withTemporaryFolder(async (folder) => {
    const archive = join(folder, 'rootfs.tar');
    await mustRun(
      context,
      [
        'mmdebstrap',
        '--variant=minbase',
        '--include=ca-certificates',
        '--dpkgopt=force-unsafe-io',
        '--dpkgopt=path-exclude=/usr/share/doc/*',
        '--dpkgopt=path-exclude=/usr/share/man/*',
        '--dpkgopt=path-exclude=/usr/share/locale/*',
        '--aptopt=Acquire::Languages "none"',
        base.suite,
        archive,
        await debianMirror(context),
      ],
      { timeoutMs: 300_000, ...settingsText(context, 'base') },
    );
    await mustRun(context, ['docker', 'import', '--change', 'CMD ["bash"]', archive, base.tag], {
      timeoutMs: 120_000,
    });
  });
  return `built ${base.tag} from Debian packages`;
}
