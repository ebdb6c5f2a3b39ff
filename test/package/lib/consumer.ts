import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { execa } from 'execa';

export const root = join(import.meta.dirname, '../../..');

/** Longest time of one command; package managers wait for a registry. */
const commandMs = 280_000;

/** Node that runs npm: the one of this process, whose folder has no npm beside it. */
const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);

/** Builds the package and packs it. Returns the path of the tarball. */
export async function pack(folder: string): Promise<string> {
  await run(['npm', 'run', '--silent', 'build'], { cwd: root });
  const { stdout } = await run(['npm', 'pack', '--silent', '--pack-destination', folder], { cwd: root });
  return join(folder, stdout.trim());
}

/** Runs a command; rejects with its output if it fails. */
export function run(
  argv: readonly [string, ...string[]],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
) {
  const [file, ...args] = argv;
  return execa(file, args, { cwd, env: { PATH: path, ...env }, stdin: 'ignore', timeout: commandMs });
}

/** A project of a user in a temporary folder, with a home folder of its own. */
export interface Consumer {
  readonly folder: string;
  /** XDG folders and HOME in a temporary folder. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `firedrill ARGS` in the project, as installed there; never rejects. */
  firedrill(...args: readonly string[]): ReturnType<typeof startInstalled>;
  /** Runs an ES module of the project; never rejects. */
  module(text: string): ReturnType<typeof startInstalled>;
  remove(): void;
}

/** Makes an empty project. Its scripts are run by `node`, without a network. */
export function createConsumer(node = process.execPath): Consumer {
  const home = mkdtempSync(join(tmpdir(), 'firedrill-consumer-'));
  const folder = join(home, 'project');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  const env = {
    HOME: home,
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_STATE_HOME: join(home, 'state'),
    FIREDRILL_STATE_DIR: '',
  };
  let count = 0;
  return {
    folder,
    env,
    firedrill: (...args) =>
      startInstalled(node, [join(folder, 'node_modules/firedrill/bin/firedrill.mjs'), ...args], {
        folder,
        env,
      }),
    module: (text) => {
      const file = join(folder, `module-${(count += 1)}.mjs`);
      writeFileSync(file, text);
      return startInstalled(node, [file], { folder, env });
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

function startInstalled(
  node: string,
  args: readonly string[],
  { folder, env }: { readonly folder: string; readonly env: Readonly<Record<string, string>> },
) {
  return execa(node, args, { cwd: folder, env, stdin: 'ignore', reject: false, timeout: commandMs });
}

/** Installs the tarball in the project by npm. */
export async function npmInstall(consumer: Consumer, tarball: string): Promise<void> {
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  await run(['npm', 'install', '--save-dev', ...quiet, tarball], { cwd: consumer.folder });
}

/** Links a package of the checkout into the project. */
export function linkPackage(consumer: Consumer, name: string): void {
  const link = join(consumer.folder, 'node_modules', name);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), link);
}

/** Files below a folder with size and time of change, sorted. Links are not followed. */
export function filesBelow(
  folder: string,
): { readonly path: string; readonly bytes: number; readonly ms: number }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const { size, mtimeMs } = statSync(file);
      return { path: file, bytes: size, ms: mtimeMs };
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
