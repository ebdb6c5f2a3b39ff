import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { bundle } from '../../scripts/lib/bundle.ts';
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
      components: { name: string; hashes?: object[] }[];
    };
    expect(list.bomFormat).toBe('CycloneDX');
    const names = list.components.map(({ name }) => name);
    const { packages } = await bundle();
    const bundled = packages.map((path) => path.replace(/^.*node_modules\//, ''));
    const missing = [...Object.keys(dependencies), ...bundled].filter((name) => !names.includes(name));
    expect(missing).toEqual([]);
    expect(names).not.toContain('vitest');
    expect(list.components.filter(({ hashes = [] }) => hashes.length === 0)).toEqual([]);
  });
});
