import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import type { Summary } from '../../src/core/summary.ts';
import { renderVerdictText } from '../../src/report/verdict-text.ts';
import { blocksOf } from './lib/doc-blocks.ts';
import { root } from './lib/our-files.ts';
import { readerFolder } from './lib/reader-folder.ts';
import { textBlockOf } from './lib/worked-examples.ts';

// examples/own-repository, as its reader uses it. test/lab/own-repository runs its drills.

const example = join(root, 'examples/own-repository');
const readme = readFileSync(join(example, 'README.md'), 'utf8');
const { commands } = blocksOf('examples/own-repository/README.md', readme)[0] ?? { commands: [] };
const { folder, env, remove } = readerFolder();
cpSync(example, folder, { recursive: true });
afterAll(remove);

describe('the repository of examples/own-repository', () => {
  test.each(commands.filter((command) => /^npx firedrill (?:validate|plan) /.test(command)))(
    '%s: works without the stack',
    async (command) => {
      const { exitCode, all } = await execa('sh', ['-euc', command], {
        cwd: folder,
        env,
        reject: false,
        all: true,
        stdin: 'ignore',
      });
      expect(exitCode, all).toBe(0);
      expect(all).toContain(command.includes(' plan ') ? 'docker restart --time 10 shop-proxy-1' : ': valid');
    },
  );

  test('has the commands of a reader, and the version of this checkout', () => {
    expect(commands.map((command) => command.split(' ').slice(0, 3).join(' '))).toEqual([
      'docker compose up',
      'npm install',
      'npx firedrill validate',
      'npx firedrill doctor',
      'npx firedrill plan',
      'npx firedrill run',
    ]);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const manifest = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8')) as object;
    expect(manifest).toMatchObject({ devDependencies: { firedrill: version } });
    const read = (path: string): string => readFileSync(join(root, path), 'utf8');
    const component = `/firedrill/firedrill@${version}`;
    expect(read('examples/own-repository/.github/workflows/drills.yml')).toContain(`/firedrill@v${version}`);
    expect(read('examples/own-repository/.gitlab-ci.yml')).toContain(component);
    expect(read('templates/firedrill/template.yml')).toContain(`default: ${version}`);
    const page = read('docs/nightly-ci.md');
    expect(page).toContain(`/firedrill@v${version}`);
    expect(page).toContain(component);
  });

  test('shows the verdict of a committed drill', () => {
    const summary = JSON.parse(
      readFileSync(join(example, 'results/app-crash/summary.json'), 'utf8'),
    ) as Summary;
    const printed = new Set(renderVerdictText(summary).split('\n'));
    const shown = textBlockOf(readme).filter((line) => line !== '');
    expect(shown.length).toBeGreaterThan(6);
    expect(shown.filter((line) => !printed.has(line))).toEqual([]);
  });
});
