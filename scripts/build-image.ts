// `npm run image`: builds the container image from the npm package, Debian packages, and Node from the npm registry.
//
//   npm run image -- [--tarball FILE] [--base IMAGE] [--tag TAG]... [--label NAME=VALUE]... [--arch amd64|arm64]
//
// Without `--tarball` it packs this checkout. Without `--tag` the tags are firedrill:VERSION and firedrill:latest. A base image
// that cannot be pulled is built from Debian packages, as for the lab (as root on Debian).
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { ensureBaseImage } from '../src/lab/base-image.ts';
import { labContext } from '../src/lab/lab-context.ts';
import { parseOsRelease } from '../src/lab/os-release.ts';
import { type Architecture, isArchitecture, prepareContext } from './lib/image-context.ts';
import { root } from './lib/product-files.ts';

const defaultBase = 'debian:trixie-slim';

const { values } = parseArgs({
  options: {
    tarball: { type: 'string' },
    base: { type: 'string', default: defaultBase },
    tag: { type: 'string', multiple: true, default: [] },
    label: { type: 'string', multiple: true, default: [] },
    arch: { type: 'string', default: arch() === 'arm64' ? 'arm64' : 'amd64' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'firedrill-image-'));
try {
  const { arch: architecture, tarball } = values;
  if (!isArchitecture(architecture))
    throw new Error(`unknown architecture ${architecture}; hint: use amd64 or arm64`);
  await build(tarball === undefined ? await packed() : resolve(tarball), architecture);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function build(tarball: string, architecture: Architecture): Promise<void> {
  await ensureBase();
  const version = await prepareContext({ tarball, folder: join(folder, 'context'), architecture });
  const tags = values.tag.length > 0 ? values.tag : [`firedrill:${version}`, 'firedrill:latest'];
  const labels = [
    'org.opencontainers.image.title=firedrill',
    `org.opencontainers.image.version=${version}`,
    'org.opencontainers.image.licenses=MIT',
    ...values.label,
  ];
  const dockerfile = join(root, 'image/Dockerfile');
  await execa(
    'docker',
    [
      'build',
      `--file=${dockerfile}`,
      `--platform=linux/${architecture}`,
      `--build-arg=BASE=${values.base}`,
      `--build-arg=TARGETARCH=${architecture}`,
      ...labels.flatMap((label) => ['--label', label]),
      ...tags.flatMap((tag) => ['--tag', tag]),
      join(folder, 'context'),
    ],
    // No attestations: they turn an image into an index, which older engines cannot load.
    { stdio: 'inherit', env: { BUILDX_NO_DEFAULT_ATTESTATIONS: '1', BUILDKIT_PROGRESS: 'plain' } },
  );
  const size = await execa('docker', ['image', 'inspect', '--format', '{{.Size}}', tags[0] ?? '']);
  console.log(`built ${tags.join(', ')}: ${(Number(size.stdout) / 1e6).toFixed(0)} MB`);
}

/** Packs this checkout. Its .npmrc turns scripts off, also its own that compile it. Returns the path of the tarball. */
async function packed(): Promise<string> {
  const { stdout } = await execa(
    'npm',
    ['pack', '--json', '--ignore-scripts=false', '--pack-destination', folder],
    {
      cwd: root,
      stderr: 'inherit',
    },
  );
  // A build that runs before (`prepack`) may print lines of its own above.
  const [{ filename }] = JSON.parse(stdout.slice(stdout.search(/^\[/m))) as [{ readonly filename: string }];
  return join(folder, filename);
}

/** Pulls or builds the default base image. Another base is the user's: Docker finds or pulls it. */
async function ensureBase(): Promise<void> {
  if (values.base !== defaultBase) return;
  const context = labContext(
    new AbortController().signal,
    ({ state, text }: { state: string; text?: string }) => {
      if (state === 'info') console.log(text);
    },
  );
  const os = parseOsRelease(await readFile('/etc/os-release', 'utf8').catch(() => ''));
  const base = { tag: defaultBase, suite: 'trixie' };
  console.log(await ensureBaseImage(context, base, { os, root: process.getuid?.() === 0 }));
}
