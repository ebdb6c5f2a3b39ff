import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { bundle } from '../../scripts/lib/bundle.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { githubProblems, readYaml, root, shellcheck } from './lib/ci-readers.ts';

interface Release {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly needs?: string | readonly string[];
        readonly permissions?: Readonly<Record<string, string>>;
        readonly steps: readonly { readonly run?: string }[];
      }
    >
  >;
}

const path = '.github/workflows/release.yml';
const workflow = readYaml(path) as Release;
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
const runs = steps.flatMap(({ run }) => run ?? []);

describe('the release workflow', () => {
  test('is valid for GitHub, and ShellCheck finds nothing in its commands', async () => {
    const text = readFileSync(join(root, path), 'utf8');
    expect(await githubProblems(text, path)).toEqual([]);
    expect(await githubProblems(text.replace('id-token: write', 'id-token: wrote'), path)).not.toEqual([]);
    for (const run of runs) expect(await shellcheck(run)).toBe('');
    expect(runs.filter((run) => run.includes('${{'))).toEqual([]);
  });

  test('publishes only after the tests, and a trial', () => {
    const { package: first, npm, image, release } = workflow.jobs;
    const order = first?.steps.map(({ run }) => run?.split(/\s/, 3).join(' ')).filter(Boolean);
    expect(order).toEqual(['npm ci node', 'npm test', 'npm audit signatures', 'mkdir release npm']);
    expect([npm?.needs, image?.needs, release?.needs]).toEqual(['package', 'package', ['npm', 'image']]);
    const publish = npm?.steps.at(-1)?.run?.trimEnd().split('\n').slice(-2) ?? [];
    expect(publish.map((line) => line.includes('--dry-run'))).toEqual([true, false]);
    expect(publish.every((line) => line.includes(' --provenance '))).toBe(true);
  });

  test.each([
    ['v1.2.3', '[--tag] [latest]', '[notes.md] [firedrill-1.2.3.tgz]'],
    ['v1.2.3-rc.1', '[--tag] [next]', '[notes.md] [--prerelease] [firedrill-1.2.3-rc.1.tgz]'],
  ])('of %s publishes it as what it is', async (ref, tag, released) => {
    const bin = temporaryFolder();
    for (const name of ['npm', 'gh']) {
      writeFileSync(join(bin, name), '#!/bin/sh\n[ "$1" = config ] || printf " [%s]" "$@"\n');
      chmodSync(join(bin, name), 0o755);
    }
    const outputOf = async (what: string): Promise<string> => {
      const { stdout } = await execa(
        'bash',
        ['-e', '-c', runs.find((run) => run.includes(what)) ?? 'false'],
        {
          env: {
            PATH: `${bin}:${process.env['PATH'] ?? ''}`,
            GITHUB_REF_NAME: ref,
            GITHUB_REPOSITORY: 'o/r',
            NODE_AUTH_TOKEN: '',
          },
        },
      );
      return stdout;
    };
    expect(await outputOf('npm publish')).toContain(`${tag} [./firedrill-${ref.slice(1)}.tgz]`);
    expect(await outputOf('gh release')).toContain(released);
  });

  test('names its repository in the package, as a provenance needs it', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'package.json'), '{ "name": "x", "version": "1.0.0" }');
    const lines = runs.flatMap((run) => run.split('\n'));
    const set = lines.findIndex((line) => line.startsWith('npm pkg set'));
    expect(lines.slice(set).some((line) => line.startsWith('npm pack'))).toBe(true);
    const env = { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'o/r' };
    await execa('bash', ['-e', '-c', lines[set] ?? 'false'], { cwd: folder, env });
    expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).toMatchObject({
      repository: { type: 'git', url: 'git+https://github.com/o/r.git' },
    });
  });

  test('gives each job only the rights that it needs', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    const rights = Object.entries(workflow.jobs).map(([name, { permissions = {} }]) => [
      name,
      Object.keys(permissions).filter((key) => permissions[key] === 'write'),
    ]);
    expect(Object.fromEntries(rights)).toEqual({
      package: [],
      npm: ['id-token'],
      image: ['packages'],
      release: ['contents', 'packages'],
    });
  });

  test('runs npm scripts that exist, and makes a CycloneDX list of what is shipped', async () => {
    const { scripts, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: object;
      dependencies: object;
    };
    const used = [...runs.join('\n').matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
    expect(used.length).toBeGreaterThan(1);
    expect(used.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
    const [, sbom = ''] = /node (scripts\/\S+) >"release/.exec(runs.join('\n')) ?? [];
    const { stdout } = await execa(process.execPath, [join(root, sbom)]);
    const list = JSON.parse(stdout) as {
      bomFormat: string;
      components: { name: string; hashes?: object[]; properties?: object[] }[];
    };
    expect(list.bomFormat).toBe('CycloneDX');
    const names = list.components.map(({ name }) => name);
    const { packages } = await bundle();
    const bundled = packages.map((path) => path.replace(/^.*node_modules\//, ''));
    const missing = [...Object.keys(dependencies), ...bundled].filter((name) => !names.includes(name));
    expect(missing).toEqual([]);
    expect(names).not.toContain('vitest');
    const isBundled = { name: 'cdx:npm:package:bundled', value: 'true' };
    const marked = list.components.filter(({ properties = [] }) =>
      properties.some((property) => JSON.stringify(property) === JSON.stringify(isBundled)),
    );
    expect(new Set(marked.map(({ name }) => name))).toEqual(new Set(bundled));
    expect(list.components.filter(({ hashes = [] }) => hashes.length === 0)).toEqual([]);
  });
});
