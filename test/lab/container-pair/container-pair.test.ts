import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBench, must } from '../../firedrill.ts';
import { sharedTemporaryFolder } from '../../temporary-folder.ts';

// The pair of docs/tutorial-containers.md, from the files in that page, and the target and scenarios that `init` writes for it.

const page = readFileSync(join(import.meta.dirname, '../../../docs/tutorial-containers.md'), 'utf8');

/** A file of the page: a fenced block whose first line is a comment with the file's name. */
function fileOfPage(name: string): string {
  const block = [...page.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].find(([, text = '']) =>
    text.startsWith(`# ${name}\n`),
  );
  if (block === undefined) throw new Error(`docs/tutorial-containers.md has no file ${name}`);
  return block[1] ?? '';
}

/** One exact replacement. */
function edited(text: string, before: string, after: string): string {
  if (!text.includes(before)) throw new Error(`no such text: ${before}`);
  return text.replaceAll(before, after);
}

const image = 'firedrill-test/web-pair:1';
const url = 'http://127.0.0.1:18093/';
const folder = sharedTemporaryFolder();
const pair = join(folder, 'web-pair');
const drills = join(folder, 'drills');
const compose = ['docker', 'compose', '--file', join(pair, 'compose.yaml')] as const;
const bench = createBench();

/** Names of the test's own, so that it leaves a reader's pair alone. */
const composeFile = (): string =>
  [
    ['name: web-pair', 'name: firedrill-web-pair'],
    ['image: web-pair', `image: ${image}`],
    ['127.0.0.1:8080:8080', '127.0.0.1:18093:8080'],
  ].reduce((text, [before = '', after = '']) => edited(text, before, after), fileOfPage('compose.yaml'));

/** Writes a scenario as the page does: by `init`, and then with the page's limits. Returns its path. */
async function scenario(kind: string): Promise<string> {
  const names = ['--name', 'web-pair', '--containers', 'node-a,node-b'];
  await bench.must('init', drills, ...names, '--url', url, '--fault', kind, '--no-input', '--force');
  const path = join(drills, 'scenarios', `${kind.replace('.', '-')}.yaml`);
  const text = edited(readFileSync(path, 'utf8'), 'within: 2m', 'within: 20s');
  writeFileSync(path, edited(text, 'kind: rto, max: 60s', 'kind: rto, max: 10s'));
  return path;
}

const target = join(drills, 'target.yaml');
const restarts = async (): Promise<number> =>
  Number(await must(['docker', 'inspect', '--format', '{{.RestartCount}}', 'firedrill-web-pair-node-a-1']));

beforeAll(async () => {
  mkdirSync(pair);
  for (const name of ['Dockerfile', 'nginx.conf', 'haproxy.cfg'])
    writeFileSync(join(pair, name), fileOfPage(name));
  writeFileSync(join(pair, 'compose.yaml'), composeFile());
  await must(['docker', 'build', '--quiet', '--tag', image, pair]);
  await must([...compose, 'up', '--detach']);
});

afterAll(async () => {
  await must([...compose, 'down', '--timeout', '2']);
  bench.remove();
});

describe('the pair of the tutorial', () => {
  test('is found valid and complete, before anything is broken', async () => {
    const path = await scenario('container.kill');
    await bench.must('validate', '--as', 'target', target);
    const doctor = await bench.start('doctor', '--target', target, path);
    expect(doctor.exitCode, doctor.all).toBe(0);
    expect(doctor.all).toContain('running; restart policy unless-stopped');
    expect(doctor.all).not.toContain('FAIL');
    const plan = await bench.start('plan', path);
    expect(plan.all).toContain('docker kill firedrill-web-pair-node-a-1');
  });

  test('passes when a container is killed: the other one takes over, and the heal starts it again', async () => {
    const { exitCode, all } = await bench.drill(await scenario('container.kill'));
    expect(exitCode, all).toBe(0);
    const { verdict, rto, healed } = bench.summary();
    expect([verdict, healed]).toEqual(['pass', true]);
    // Two failed checks, one second apart.
    expect(rto?.ms).toBeGreaterThan(500);
  });

  test('passes when a process is killed: the restart policy starts the container', async () => {
    const before = await restarts();
    const { exitCode, all } = await bench.drill(await scenario('process.kill'));
    expect(exitCode, all).toBe(0);
    expect(await restarts()).toBeGreaterThan(before);
  });

  test('passes when a container hangs: the health check has a timeout', async () => {
    const { exitCode, all } = await bench.drill(await scenario('container.pause'));
    expect(exitCode, all).toBe(0);
    expect(bench.summary().rto?.ms).toBeGreaterThan(500);
  });

  test('fails without health checks: nothing takes over until the heal', async () => {
    const config = fileOfPage('haproxy.cfg');
    const checks = config.split('\n').find((line) => line.includes('default-server check')) ?? '';
    writeFileSync(join(pair, 'haproxy.cfg'), edited(config, `${checks}\n`, ''));
    await must([...compose, 'restart', 'lb']);
    const { exitCode, all } = await bench.drill(await scenario('container.kill'));
    expect(exitCode, all).toBe(1);
    const { verdict, healed, checks: judged } = bench.summary();
    expect([verdict, healed]).toEqual(['fail', true]);
    expect(judged.find(({ name }) => name.startsWith('RTO'))?.status).toBe('fail');
  });
});
