import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { labError, type LabContext, mustRun, settingsText } from './lab-context.ts';
import { hasBuildx } from './compose-plugin.ts';
import type { Lab } from './manifest.ts';

/** Label with the hash of an image's build context. An image with the present hash is not built again. */
const label = 'firedrill.context';
const buildTimeoutMs = 900_000;
/** No attestations: they turn an image into an index, which older engines in the VMs cannot load. */
const buildEnvironment = { BUILDX_NO_DEFAULT_ATTESTATIONS: '1', BUILDKIT_PROGRESS: 'plain' };

interface Build {
  readonly tag: string;
  readonly contextDir: string;
  readonly dockerfile: string;
  readonly target: string | undefined;
  readonly hash: string;
}

/**
 * Builds the VM images whose content has changed, in the order of the manifest. An image may be based on an earlier one, and is
 * built again when an earlier one changes. Returns a sentence. Throws DrillError `lab`.
 */
export async function buildVmImages(context: LabContext, lab: Lab): Promise<string> {
  const { vmImages } = lab.manifest;
  const reported: string[] = [];
  const before: string[] = [];
  for (const [index, image] of vmImages.entries()) {
    const build = await planBuild(lab, { ...image, target: undefined, before });
    reported.push(await buildAll(context, [build], { step: 'vm images', done: index, of: vmImages.length }));
    before.push(build.hash);
  }
  return reported.join('; ');
}

/** Builds the images for the VMs' own engines whose content has changed. Returns a sentence. Throws DrillError `lab`. */
export async function buildInnerImages(context: LabContext, lab: Lab): Promise<string> {
  const inner = lab.manifest.innerImages;
  if (inner === undefined) return 'this lab has no inner images';
  const builds = await Promise.all(
    Object.entries(inner.targets).map(([target, { tag, inputs }]) =>
      planBuild(lab, { ...inner, tag, target, inputs: [...inner.inputs, ...inputs] }),
    ),
  );
  return buildAll(context, builds, { step: 'inner images', done: 0, of: builds.length });
}

async function planBuild(
  lab: Lab,
  image: {
    tag: string;
    context: string;
    dockerfile: string;
    inputs: readonly string[];
    target: string | undefined;
    /** Hashes of the images that it may be based on. */
    before?: readonly string[];
  },
): Promise<Build> {
  const contextDir = resolve(lab.stackDir, image.context);
  try {
    const made = [`${image.dockerfile} ${image.target ?? ''}`, ...(image.before ?? [])].join(' ');
    const hash = await contentHash(contextDir, image.inputs, made);
    return {
      tag: image.tag,
      contextDir,
      dockerfile: resolve(contextDir, image.dockerfile),
      target: image.target,
      hash,
    };
  } catch (error) {
    throw labError(`cannot read the build context of ${image.tag}`, error);
  }
}

/** The progress of a step that builds `of` images: `done` were ready before this call. */
interface Progress {
  readonly step: string;
  readonly done: number;
  readonly of: number;
}

async function buildAll(
  context: LabContext,
  builds: readonly Build[],
  { step, done, of }: Progress,
): Promise<string> {
  const latest = await Promise.all(builds.map((build) => isUpToDate(context, build)));
  const stale = builds.filter((_, index) => latest[index] === false);
  let ready = done + builds.length - stale.length;
  const build = async (one: Build): Promise<void> => {
    await buildOne(context, one, step);
    context.report({ step, state: 'count', done: ++ready, of });
  };
  context.report({ step, state: 'count', done: ready, of });
  if (stale.length === 0) return `${builds.map(({ tag }) => tag).join(', ')}: unchanged`;
  // BuildKit builds a shared stage once, and the targets in parallel. The old builder would build a shared stage for each
  // target, so there the targets are built one after another, with the layers of the earlier ones in the cache.
  if (await hasBuildx(context)) await Promise.all(stale.map(build));
  else for (const one of stale) await build(one);
  return `built ${stale.map(({ tag }) => tag).join(', ')}`;
}

async function isUpToDate(context: LabContext, build: Build): Promise<boolean> {
  const found = await context.run(
    ['docker', 'image', 'inspect', '--format', `{{index .Config.Labels "${label}"}}`, build.tag],
    { timeoutMs: 20_000, signal: context.signal },
  );
  return found.exitCode === 0 && found.stdout.trim() === build.hash;
}

async function buildOne(context: LabContext, build: Build, step: string): Promise<void> {
  await mustRun(
    context,
    [
      'docker',
      'build',
      '--file',
      build.dockerfile,
      ...(build.target === undefined ? [] : ['--target', build.target]),
      '--label',
      `${label}=${build.hash}`,
      '--tag',
      build.tag,
      build.contextDir,
    ],
    { timeoutMs: buildTimeoutMs, env: buildEnvironment, ...settingsText(context, step) },
  );
}

/**
 * A SHA-256 over the names, the executable bits, and the contents of all files under `paths` (relative to `root`), and over
 * `extra`. Owners and times do not count, so a fresh clone gives the same value. It decides whether an image is built again.
 * Throws the error of the file system, for example for a missing path.
 */
export async function contentHash(root: string, paths: readonly string[], extra = ''): Promise<string> {
  const files: string[] = [];
  for (const path of paths) await collectFiles(root, path, files);
  const hash = createHash('sha256').update(`${extra}\0`);
  for (const file of [...new Set(files)].sort()) {
    const info = await stat(join(root, file));
    const content = await readFile(join(root, file));
    hash.update(`${file}\0${(info.mode & 0o111) === 0 ? '-' : 'x'}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

async function collectFiles(root: string, path: string, files: string[]): Promise<void> {
  if ((await stat(join(root, path))).isFile()) {
    files.push(path);
    return;
  }
  for (const entry of await readdir(join(root, path))) await collectFiles(root, join(path, entry), files);
}
