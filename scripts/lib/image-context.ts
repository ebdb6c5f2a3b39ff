import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { licenseProblems, noticesText, shippedPackages } from './licenses.ts';
import { root } from './product-files.ts';

/** Architectures of the image, as Docker names them, and as Node names them. */
const architectures = { amd64: 'x64', arm64: 'arm64' } as const;
export type Architecture = keyof typeof architectures;

export function isArchitecture(text: string): text is Architecture {
  return Object.hasOwn(architectures, text);
}

/**
 * Prepares the build context of image/Dockerfile in a new folder: the package and its dependencies, Node, and the licenses of
 * both. Returns the version of the package.
 *
 * Dependencies are those of package-lock.json, and Node those of image/node/package-lock.json, with their integrity hashes.
 */
export async function prepareContext({
  tarball,
  folder,
  architecture,
}: {
  /** Path of the npm package (`npm pack`). */
  readonly tarball: string;
  readonly folder: string;
  readonly architecture: Architecture;
}): Promise<string> {
  const app = join(folder, 'firedrill');
  mkdirSync(app, { recursive: true });
  await execa('tar', ['--extract', '--gzip', '--file', tarball, '--directory', app, '--strip-components=1']);
  cpSync(join(root, 'package-lock.json'), join(app, 'package-lock.json'));
  await install(app, ['--omit=dev', '--omit=optional']);
  const version = versionOf(app);
  const packages = shippedPackages(app);

  const node = join(folder, 'node-packages');
  cpSync(join(root, 'image/node'), node, { recursive: true });
  const cpu = architectures[architecture];
  await install(node, [`--cpu=${cpu}`, '--os=linux']);
  const nodePackages = shippedPackages(node);
  const problems = licenseProblems([...packages, ...nodePackages]);
  if (problems.length > 0) throw new Error(`cannot ship these packages:\n${problems.join('\n')}`);

  mkdirSync(join(folder, 'node', architecture), { recursive: true });
  const program = join(node, 'node_modules', `node-linux-${cpu}`, 'bin/node');
  cpSync(program, join(folder, 'node', architecture, 'node'));
  rmSync(node, { recursive: true });
  cpSync(join(root, 'image/entrypoint.sh'), join(folder, 'entrypoint.sh'));
  mkdirSync(join(folder, 'notices'));
  writeFileSync(join(folder, 'notices/npm-packages.txt'), noticesText(packages));
  writeFileSync(join(folder, 'notices/node.txt'), noticesText(nodePackages));
  // The image's users are others than the one that prepares it, whose umask may be strict.
  await execa('chmod', ['--recursive', 'a+rX', folder]);
  const programs = [
    join(folder, 'entrypoint.sh'),
    join(folder, 'node', architecture, 'node'),
    join(app, 'bin/firedrill.mjs'),
  ];
  await execa('chmod', ['0755', ...programs]);
  return version;
}

async function install(folder: string, options: readonly string[]): Promise<void> {
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--engine-strict=false'];
  await execa('npm', ['ci', ...quiet, ...options], { cwd: folder, stdout: 'ignore', stderr: 'inherit' });
}

function versionOf(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly version: string })
    .version;
}
