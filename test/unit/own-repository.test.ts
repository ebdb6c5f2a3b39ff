import { cpSync, readFileSync, rmSync } from 'node:fs';
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
const { folder, env } = readerFolder([]);
cpSync(example, folder, { recursive: true });
afterAll(() => rmSync(folder, { recursive: true }));

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
      expect(all.includes('docker restart --time 10 shop-proxy-1')).toBe(command.includes(' plan '));
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
    expect(JSON.parse(readFileSync(join(example, 'package.json'), 'utf8'))).toMatchObject({
      devDependencies: { firedrill: version },
    });
    expect(readFileSync(join(example, '.github/workflows/drills.yml'), 'utf8')).toContain(
      `/firedrill@v${version}`,
    );
    expect(readFileSync(join(example, '.gitlab-ci.yml'), 'utf8')).toContain(
      `/firedrill/firedrill@${version}`,
    );
    expect(readFileSync(join(root, 'templates/firedrill/template.yml'), 'utf8')).toContain(
      `default: ${version}`,
    );
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
