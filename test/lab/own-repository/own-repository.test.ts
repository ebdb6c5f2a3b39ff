import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBench, must } from '../../firedrill.ts';
import { sharedTemporaryFolder } from '../../temporary-folder.ts';

// The drills of examples/own-repository on its stack, with names and a port of the test's own.

const folder = sharedTemporaryFolder();
const compose = ['docker', 'compose', '--file', join(folder, 'compose.yaml')] as const;
const bench = createBench();

function edit(path: string, ...edits: readonly (readonly [string, string])[]): void {
  const file = join(folder, path);
  writeFileSync(
    file,
    edits.reduce((text, [before, after]) => text.replaceAll(before, after), readFileSync(file, 'utf8')),
  );
}

beforeAll(async () => {
  cpSync(join(import.meta.dirname, '../../../examples/own-repository'), folder, { recursive: true });
  edit('compose.yaml', ['name: shop', 'name: firedrill-shop'], ['shop-example', 'firedrill-test/shop:1']);
  edit('compose.yaml', ['127.0.0.1:8080', '127.0.0.1:18094']);
  edit('drills/target.yaml', ['shop-$', 'firedrill-shop-$'], ['127.0.0.1:8080', '127.0.0.1:18094']);
  for (const name of readdirSync(join(folder, 'drills/scenarios')))
    edit(`drills/scenarios/${name}`, ['shop-$', 'firedrill-shop-$']);
  await must([...compose, 'build', '--quiet']);
  await must([...compose, 'up', '--detach', '--wait']);
});

afterAll(async () => {
  await must([...compose, 'down', '--timeout', '2']);
  bench.remove();
});

describe('the drills of examples/own-repository', () => {
  test.each(['app-crash', 'proxy-restart'])('%s passes', async (name) => {
    const { exitCode, all } = await bench.drill(join(folder, 'drills/scenarios', `${name}.yaml`));
    expect(exitCode, all).toBe(0);
    expect(bench.summary()).toMatchObject({ verdict: 'pass', healed: true });
  });
});
