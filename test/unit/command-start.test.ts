import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';
import { root } from './lib/our-files.ts';

// bin/firedrill.mjs of an installed package, with small files in place of the compiled code.

const dist = {
  'main.js': 'export const main = (args) => { console.log(args.join()); return 0; };\n',
  'end-process.js': 'export const endProcess = (code) => { process.exitCode = code; };\n',
  'installation.js': "export const packageVersion = '1.2.3';\n",
};

/** A package whose `dist` has these files in place of the usual ones; undefined removes a file. */
function packageWith(changed: Readonly<Record<string, string | undefined>> = {}) {
  const folder = temporaryFolder();
  const project = join(folder, 'project');
  for (const path of ['dist', 'project']) mkdirSync(join(folder, path));
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
  for (const [name, text] of Object.entries({ ...dist, ...changed }))
    if (text !== undefined) writeFileSync(join(folder, 'dist', name), text);
  return {
    project,
    start: (
      args: readonly string[],
      { nodeOptions = [], env = {} }: { nodeOptions?: readonly string[]; env?: Record<string, string> } = {},
    ) =>
      execa(process.execPath, [...nodeOptions, join(folder, 'bin/firedrill.mjs'), ...args], {
        cwd: project,
        env: { HOME: folder, XDG_CACHE_HOME: '', ...env },
        reject: false,
        stdin: 'ignore',
      }),
  };
}

/** Options of node that run `code` first. */
const first = (code: string): string[] => ['--import', `data:text/javascript,${encodeURIComponent(code)}`];

const asVersions = (versions: Readonly<Record<string, string>>): string[] =>
  first(
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, ...${JSON.stringify(versions)} } });`,
  );

const asNode = (node: string): string[] => asVersions({ node });

describe('the installed command', () => {
  test.each(['22.18.0', '23.0.0', '24.0.0', '26.1.2'])('starts on Node %s', async (version) => {
    const { exitCode, stdout } = await packageWith().start(['plan', 'x'], { nodeOptions: asNode(version) });
    expect([exitCode, stdout]).toEqual([0, 'plan,x']);
  });

  test.each(['18.20.8', '20.20.2', '22.0.0', '22.17.1'])('refuses Node %s', async (version) => {
    const { exitCode, stderr } = await packageWith().start(['plan'], { nodeOptions: asNode(version) });
    expect([exitCode, stderr]).toEqual([
      2,
      `cannot start firedrill: it needs Node 22.18 or later, this is Node ${version}\nhint: install Node 22.18 or later`,
    ]);
  });

  test.each([
    ['Bun', { bun: '1.3.0' }],
    ['Deno', { deno: '2.5.0' }],
  ])('refuses %s', async (name, versions) => {
    const { exitCode, stderr } = await packageWith().start(['run'], { nodeOptions: asVersions(versions) });
    expect([exitCode, stderr.split('\n')[0]]).toEqual([
      2,
      `cannot start firedrill: it needs Node, this is ${name}`,
    ]);
  });

  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['cut', 'export const main = "a'],
    ['without a dependency', "import 'no-such-package';\nexport const main = () => 0;\n"],
  ])('does not end with the exit code of a failed drill if its code is %s', async (_what, text) => {
    const { exitCode, stderr } = await packageWith({ 'main.js': text }).start(['run', 'x']);
    expect(exitCode).toBe(2);
    expect(stderr.split('\n').slice(-2)).toEqual([
      'cannot start firedrill: its code or a dependency cannot be loaded',
      'hint: install firedrill again',
    ]);
  });

  test('needs no home folder, and writes nothing to the working folder', async () => {
    const noHome = first(`
      import os from 'node:os';
      import { syncBuiltinESMExports } from 'node:module';
      os.homedir = () => { throw new Error('uv_os_homedir returned ENOENT'); };
      syncBuiltinESMExports();
    `);
    const { start, project } = packageWith();
    for (const args of [['--version'], ['plan']])
      expect(await start(args, { nodeOptions: noHome })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await start(['plan'], { env: { HOME: '' } })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readdirSync(project)).toEqual([]);
  });

  test('keeps compiled code in the cache folder', async () => {
    const { start, project } = packageWith();
    const cache = join(project, '../cache');
    await start(['plan'], { env: { XDG_CACHE_HOME: cache } });
    expect(existsSync(join(cache, 'firedrill'))).toBe(true);
  });
});
