import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KeptRun } from '../../src/analysis/kept-run.ts';
import { keptOf } from '../../src/analysis/testing/kept.ts';
import type { Summary } from '../../src/core/summary.ts';
import type { FailureTable } from '../../src/report/table.ts';
import { createBench } from '../firedrill.ts';

const bench = createBench();
const files = join(bench.out, '..', 'files');
const flag = join(files, 'broken');

/** Down for as long as it takes to mend itself, from the moment it sees that it was broken. */
const downMs = 600;
let brokenSinceMs: number | undefined;
const server = createServer((_request, response) => {
  brokenSinceMs = existsSync(flag) ? (brokenSinceMs ?? Date.now()) : undefined;
  response.statusCode = brokenSinceMs !== undefined && Date.now() - brokenSinceMs < downMs ? 503 : 200;
  response.end();
});

beforeAll(async () => {
  mkdirSync(files, { recursive: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  file('target.yaml', target(`http://127.0.0.1:${port}/`));
  file('dead.yaml', target('http://127.0.0.1:1/'));
  file('crash.yaml', scenario);
  file('suite.yaml', suite);
});
afterAll(() => {
  server.close();
  bench.remove();
});

function file(name: string, text: string): string {
  const path = join(files, name);
  writeFileSync(path, text);
  return path;
}

const target = (url: string) => `name: web
environment: test
hosts: { here: { transport: local } }
probes: [{ id: web, kind: http, url: '${url}', interval: 100ms, timeout: 900ms }]
steady: { require: [{ probe: web }], for: 300ms, within: 5s }
`;

const scenario = `name: crash
title: The web server goes away and comes back
variables: { limit: 20s }
matrix: { flavour: [soft, hard] }
faults:
  - { kind: command, on: here, run: [touch, ${flag}], undo: [rm, -f, ${flag}], undone: [test, '!', -e, ${flag}] }
recovery: { probe: web, within: 20s, stableFor: 500ms }
redundancy: { for: 300ms }
checks: [{ kind: rto, max: '\${limit}' }]
`;

const suite = `name: web
title: Failure table of the web server
target: target.yaml
settle: { within: 1s }
rows:
  - { row: 1, failure: crash, recoveredBy: itself, reported: 0.6 s, scenario: crash.yaml }
  - { row: 2, failure: crash with no time, recoveredBy: nobody, reported: '-', scenario: crash.yaml, variables: { limit: 1ms } }
  - { row: 3, failure: the same crash, recoveredBy: itself, reported: '-', scenario: crash.yaml, figure: downtime }
`;

/** Starts the command on the suite; `more` is split at blanks. */
function runTable(out: string, more = ''): ReturnType<typeof bench.start> {
  return bench.start('table', join(files, 'suite.yaml'), '--out', out, ...more.split(' ').filter(Boolean));
}

/** Keeps a run of 10 ms, as an earlier one of the drill `crash-soft` would be. */
function keepBaseline(folder: string, number: number, parts: Partial<KeptRun> = {}): void {
  const run = keptOf(number, 10, { target: 'web', ...parts });
  const scenario = { name: 'crash-soft', title: '', path: '', sha256: '' };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'summary.json'), JSON.stringify({ ...run, scenario }));
}

/** Folder and table.json of the latest table below a folder. */
function tableIn(out: string): { readonly folder: string; readonly table: FailureTable } {
  const folder = join(out, readdirSync(out).sort().at(-1) ?? '');
  return { folder, table: JSON.parse(readFileSync(join(folder, 'table.json'), 'utf8')) as FailureTable };
}

describe('firedrill table', () => {
  test('runs every row, prints the table, keeps it with its runs, and exits with the gravest outcome', async () => {
    const out = join(bench.out, 'all');
    const { exitCode, stdout, stderr } = await runTable(out);
    expect(exitCode, stderr).toBe(1);
    const { folder, table } = tableIn(out);
    expect(table.rows.map((r) => [r.row, r.verdict, r.drills.map((d) => d.scenario)])).toEqual([
      ['1', 'pass', ['crash-soft', 'crash-hard']],
      ['2', 'fail', ['crash-soft', 'crash-hard']],
      ['3', 'pass', ['crash-soft', 'crash-hard']],
    ]);
    // Rows that ask for the same drill share it.
    expect(table.rows[2]?.drills.map((d) => d.runId)).toEqual(table.rows[0]?.drills.map((d) => d.runId));
    expect(readdirSync(join(folder, 'runs'))).toHaveLength(4);
    expect(table).toMatchObject({ complete: true, target: 'web' });
    for (const row of table.rows) {
      expect(row.measured?.bounds.maxMs).toBeGreaterThanOrEqual(downMs);
      expect(row.backToSteadyMs).not.toBeNull();
    }
    const page = readFileSync(join(folder, 'table.html'), 'utf8');
    const links = [...page.matchAll(/<a href="([^"]*)"/g)].map((m) => m[1] ?? '');
    expect(new Set(links).size).toBe(4);
    for (const link of links) expect(existsSync(join(folder, link)), link).toBe(true);
    expect(stdout).toContain('Failure table of the web server\n');
    expect(stdout).toMatch(/^1 {4}crash {2,}itself {2,}0\.6 s/m);
    expect(Math.max(...stdout.split('\n').map((l) => l.length))).toBeLessThanOrEqual(120);
    expect(stderr).toContain('== drill 2 of 4: row 1 and 3, crash-hard');
    expect(readFileSync(join(folder, 'table.md'), 'utf8')).toContain('(runs/');
  });

  test('repeats what --grep chooses, with --var over the row, and streams JSON', async () => {
    const { exitCode, stdout, stderr } = await runTable(
      join(bench.out, 'some'),
      '--json --repeat 2 --grep no.time --var limit=30s --var flavour=hard',
    );
    expect(exitCode, stderr).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly type: string });
    const types = lines.map(({ type }) => type);
    const drill = ['run.started', 'fault.effect', 'run.ended', 'drill.summary'];
    expect(types.filter((type) => /^run\.|^fault\.effect$|^drill|^command/.test(type))).toEqual([
      ...drill,
      ...drill,
      'command.ended',
    ]);
    expect(types).toContain('sample');
    const { table } = lines.at(-1) as unknown as { readonly table: FailureTable };
    expect(table.rows.map((r) => [r.row, r.verdict, r.measured?.count])).toEqual([['2', 'pass', 2]]);
    expect(table.rows[0]?.drills.map((d) => [d.scenario, d.round])).toEqual([
      ['crash-hard', 0],
      ['crash-hard', 1],
    ]);
    expect(table.rows[0]?.repeats).toMatchObject([
      { scenario: 'crash-hard', drills: 2, count: 2, medianInterval: { coverage: 0.5 } },
    ]);
  });

  test('run --repeat tells what the repeats came to, and the reporter json how it stands with each summary', async () => {
    const args = `--target ${join(files, 'target.yaml')} --var flavour=soft --repeat 2`.split(' ');
    const out = join(bench.out, 'repeated');
    const run = (...more: string[]) =>
      bench.start('run', join(files, 'crash.yaml'), '--out', out, ...args, ...more);
    const junit = join(bench.out, 'repeated.xml');
    const { stdout } = await run('--reporter', `list,junit=${junit}`);
    expect(readFileSync(junit, 'utf8').match(/<testsuite name="crash-soft(?: #2)?"/g)).toHaveLength(2);
    expect(stdout).toMatch(
      /\nRTO of crash-soft\n {2}of 2 drills: min .* max .*\n {2}the median lies between/,
    );
    const lines = (await run('--reporter', 'json')).stdout.trim().split('\n');
    const [first, second] = lines.map((line) => JSON.parse(line) as Summary);
    expect(lines).toHaveLength(2);
    expect(first).not.toHaveProperty('repeats');
    expect(second?.repeats).toMatchObject({
      count: 2,
      minMs: Math.min(first?.rto?.ms ?? 0, second?.rto?.ms ?? 0),
    });
  });

  test('spreads its rows over shards, which are merged to one table', async () => {
    const shards = join(bench.out, 'shards');
    // As long as a busy machine may need.
    const patient = file('patient.yaml', suite.replace('within: 1s', 'within: 20s'));
    const labelled = '--label v2 --baseline v1 --var flavour=soft'.split(' ');
    const run = (...more: string[]) => bench.start('table', patient, '--out', shards, ...labelled, ...more);
    const without = await run();
    expect(without.exitCode).toBe(2);
    expect(without.stderr).toContain(`v1: neither a path nor the label of a run below ${shards}`);
    keepBaseline(join(shards, 'before'), 1, { label: 'v1' });
    for (const index of [1, 2]) await run('--shard', `${index}/2`);
    const out = join(bench.out, 'merged');
    const { exitCode, stdout, stderr } = await bench.start('merge-reports', shards, '--out', out);
    expect(exitCode, stderr).toBe(1);
    const { folder, table } = tableIn(out);
    expect(table.rows.map((r) => [r.row, r.verdict, r.drills.map((d) => d.number)])).toEqual([
      ['1', 'pass', [1]],
      ['2', 'fail', [2]],
      ['3', 'pass', [1]],
    ]);
    expect(table).toMatchObject({ complete: true, label: 'v2', baseline: { of: 'v1' } });
    expect(table).not.toHaveProperty('shard');
    expect(readdirSync(join(folder, 'runs'))).toHaveLength(2);
    expect(stdout).toMatch(/crash-soft.*: cannot tell with 1 and 1 runs/);
  }, 60_000);

  test('run --baseline fails for what is slower than before, by more than chance', async () => {
    const baseline = join(bench.out, 'baseline');
    for (const i of [1, 2, 3, 4]) keepBaseline(join(baseline, `run-${i}`), i);
    const args = `--target ${join(files, 'target.yaml')} --var flavour=soft --repeat 4 --baseline ${baseline}`;
    const run = (...more: string[]) =>
      bench.start(
        'run',
        join(files, 'crash.yaml'),
        '--out',
        join(bench.out, 'gated'),
        ...args.split(' '),
        ...more,
      );
    const { exitCode, stdout } = await run('--tolerance', '100ms', '--reporter', 'json');
    expect(exitCode).toBe(1);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(5);
    expect(lines.slice(0, 4).map((line) => (JSON.parse(line) as Summary).verdict)).toEqual(
      Array(4).fill('pass'),
    );
    expect(JSON.parse(lines[4] ?? '')).toMatchObject({
      baseline: { of: baseline, tolerance: '100 ms', drills: [{ drill: 'crash-soft', status: 'fail' }] },
    });
  }, 60_000);

  test('runs nothing on a stack that is not steady, says what was missing, and exits 3', async () => {
    const out = join(bench.out, 'dead');
    const { exitCode, stdout } = await runTable(out, `--target ${join(files, 'dead.yaml')}`);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('not steady (web is ok everywhere (web: fail refused))');
    expect(tableIn(out).table.rows.map((r) => r.verdict)).toEqual([null, null, null]);
    expect(existsSync(join(tableIn(out).folder, 'runs'))).toBe(false);
  });

  test('heals and keeps the table of what was done when it is interrupted', async () => {
    const out = join(bench.out, 'stopped');
    const run = runTable(out);
    let drill = 0;
    for await (const line of run.iterable({ from: 'stderr' })) {
      if (line.includes('== drill 2 of')) drill = 2;
      if (drill === 2 && line.includes('effect seen')) run.kill('SIGINT');
    }
    expect((await run).exitCode).toBe(130);
    expect(existsSync(flag)).toBe(false);
    const drills = tableIn(out)
      .table.rows.slice(0, 2)
      .flatMap((r) => r.drills);
    expect(drills.map((d) => [d.verdict, d.healed, d.notRun])).toEqual([
      ['pass', true, null],
      ['inconclusive', true, null],
      [null, null, 'stopped by SIGINT'],
      [null, null, 'stopped by SIGINT'],
    ]);
  });

  test.each<[string, string, string, string]>([
    [
      'an unknown field',
      'figure',
      suite.replace('reported: 0.6 s', 'reportd: 0.6 s'),
      '6:52: unknown field "reportd"; did you mean "reported"?',
    ],
    [
      'a scenario that is not there',
      'missing',
      suite.replace('scenario: crash.yaml }', 'scenario: crsh.yaml }'),
      '6:79: no such scenario file: ',
    ],
    [
      'a figure of no check',
      'check',
      suite.replace('crash.yaml }', 'crash.yaml, figure: "happens:x" }'),
      '6:99: ',
    ],
    [
      'a target that is not there',
      'target',
      suite.replace('target: target.yaml', 'target: nowhere.yaml'),
      '3:9: no such target file: ',
    ],
    [
      'a variable that the scenario does not have',
      'variable',
      suite.replace('limit: 1ms', 'limt: 1ms'),
      '-suite.yaml:7:113: limt: ',
    ],
  ])('refuses a suite with %s before anything is touched', async (_what, name, text, message) => {
    const path = file(`${name}-suite.yaml`, text);
    const { exitCode, stderr } = await bench.start('table', path, '--out', join(bench.out, name));
    expect(exitCode, stderr).toBe(2);
    expect(stderr).toContain(message);
    expect(existsSync(join(bench.out, name))).toBe(false);
  });

  test('names the suites it looks for, and refuses what chooses nothing', async () => {
    expect(await bench.start('table', 'nowhere')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('there is no scenarios/nowhere/suite.yaml'),
    });
    const none = await runTable(join(bench.out, 'none'), '--grep tsunami');
    expect(none).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--grep tsunami: no row number, failure or drill matches'),
    });
  });
});
