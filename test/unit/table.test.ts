import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FailureTable } from '../../src/report/table.ts';
import { downMs, startWebStack, tableIn, type WebStack } from './lib/web-stack.ts';

let stack: WebStack;
beforeAll(async () => {
  stack = await startWebStack();
});
afterAll(() => stack.close());

describe('firedrill table', () => {
  test('runs every row, prints the table, stores it with its runs, and exits with the worst outcome', async () => {
    const out = join(stack.bench.out, 'all');
    const { exitCode, stdout, stderr } = await stack.drilled(() => stack.runTable(out));
    expect(exitCode, stderr).toBe(1);
    const { folder, table } = tableIn(out);
    expect(table.rows.map((r) => [r.row, r.verdict, r.drills.map((d) => d.scenario)])).toEqual([
      ['1', 'pass', ['crash-soft', 'crash-hard']],
      ['2', 'fail', ['crash-soft', 'crash-hard']],
      ['3', 'pass', ['crash-soft', 'crash-hard']],
    ]);
    // Rows with the same drill share one run.
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

  test('repeats the rows that --grep selects, prefers --var to the row, and streams JSON', async () => {
    const { exitCode, stdout, stderr } = await stack.drilled(() =>
      stack.runTable(
        join(stack.bench.out, 'some'),
        '--json --repeat 2 --grep no.time --var limit=50s --var flavour=hard',
      ),
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

  test('runs no drill on a stack that is not steady, prints the unmet condition, and exits with 3', async () => {
    stack.file('impatient.yaml', stack.suite.replace('within: 60s', 'within: 3s'));
    const out = join(stack.bench.out, 'dead');
    const { exitCode, stdout } = await stack.runTable(
      out,
      `--target ${join(stack.files, 'dead.yaml')}`,
      'impatient.yaml',
    );
    expect(exitCode).toBe(3);
    expect(stdout).toContain('not steady (web is ok everywhere (web: fail refused))');
    expect(tableIn(out).table.rows.map((r) => r.verdict)).toEqual([null, null, null]);
    expect(existsSync(join(tableIn(out).folder, 'runs'))).toBe(false);
  });

  test('heals on SIGINT and stores the table of the drills so far', async () => {
    const out = join(stack.bench.out, 'stopped');
    const run = stack.runTable(out);
    let drill = 0;
    for await (const line of run.iterable({ from: 'stderr' })) {
      if (line.includes('== drill 2 of')) drill = 2;
      if (drill === 2 && line.includes('effect seen')) run.kill('SIGINT');
    }
    expect((await run).exitCode).toBe(130);
    expect(existsSync(stack.flag)).toBe(false);
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

  test.each<[string, string, (suite: string) => string, string]>([
    [
      'an unknown field',
      'figure',
      (suite) => suite.replace('reported: 0.6 s', 'reportd: 0.6 s'),
      '6:52: unknown field "reportd"; did you mean "reported"?',
    ],
    [
      'a missing scenario',
      'missing',
      (suite) => suite.replace('scenario: crash.yaml }', 'scenario: crsh.yaml }'),
      '6:79: no such scenario file: ',
    ],
    [
      'a figure without a check',
      'check',
      (suite) => suite.replace('crash.yaml }', 'crash.yaml, figure: "happens:x" }'),
      '6:99: ',
    ],
    [
      'a missing target',
      'target',
      (suite) => suite.replace('target: target.yaml', 'target: nowhere.yaml'),
      '3:9: no such target file: ',
    ],
    [
      'an unknown variable',
      'variable',
      (suite) => suite.replace('limit: 1ms', 'limt: 1ms'),
      '-suite.yaml:7:113: limt: ',
    ],
  ])('refuses a suite with %s before it creates a folder', async (_what, name, textOf, message) => {
    const path = stack.file(`${name}-suite.yaml`, textOf(stack.suite));
    const { exitCode, stderr } = await stack.bench.start('table', path, '--out', join(stack.bench.out, name));
    expect(exitCode, stderr).toBe(2);
    expect(stderr).toContain(message);
    expect(existsSync(join(stack.bench.out, name))).toBe(false);
  });

  test('names the missing suite file, and refuses a --grep without a match', async () => {
    expect(await stack.bench.start('table', 'nowhere')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('nowhere: no such suite file, and no suite of this name'),
    });
    const none = await stack.runTable(join(stack.bench.out, 'none'), '--grep tsunami');
    expect(none).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--grep tsunami: matches no row number, failure, or drill'),
    });
  });
});
