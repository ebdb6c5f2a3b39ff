import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DrillError } from '../core/errors.ts';
import { aptInstall, debianMirror } from './apt.ts';
import { describeFailure } from './command.ts';
import { type LabContext, mustRun, succeeds, toldAs } from './lab-context.ts';
import type { LabManifest } from './manifest.ts';
import { type OsRelease } from './os-release.ts';

/** A registry that answers delivers 30 MB in this time on any line that is fit for the rest. */
const pullTimeoutMs = 60_000;

/**
 * Makes sure that the base image is there: from the registry, or, where none can be reached, put together from Debian
 * packages. Returns a sentence on what was done. Throws DrillError `lab`.
 */
export async function ensureBaseImage(
  context: LabContext,
  base: LabManifest['base'],
  machine: { readonly os: OsRelease; readonly root: boolean },
): Promise<string> {
  if (await succeeds(context, ['docker', 'image', 'inspect', base.tag])) return `${base.tag} is there`;
  const pull = ['docker', 'pull', '--quiet', base.tag];
  const pulled = await context.run(pull, {
    timeoutMs: pullTimeoutMs,
    signal: context.signal,
    ...toldAs(context, 'base'),
  });
  if (pulled.exitCode === 0) return `pulled ${base.tag}`;
  if (!machine.root || machine.os.id !== 'debian') {
    throw new DrillError('lab', `the base image cannot be had. ${describeFailure(pull, pulled)}`, {
      mend: `Make a registry reachable, or \`docker load\`/\`docker import\` a ${base.tag}. As root on Debian firedrill makes it from packages.`,
    });
  }
  context.report({
    step: 'base',
    state: 'info',
    text: `no registry delivers ${base.tag}: making it from Debian packages with mmdebstrap`,
  });
  if (!(await succeeds(context, ['mmdebstrap', '--version']))) await aptInstall(context, ['mmdebstrap']);
  const folder = await mkdtemp(join(tmpdir(), 'firedrill-base-'));
  try {
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
      { timeoutMs: 300_000, ...toldAs(context, 'base') },
    );
    await mustRun(context, ['docker', 'import', '--change', 'CMD ["bash"]', archive, base.tag], {
      timeoutMs: 120_000,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return `made ${base.tag} from Debian packages`;
}
