import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Summary } from '../../src/core/summary.ts';
import { keepBaseline, startWebStack, tableIn, type WebStack } from './lib/web-stack.ts';

let stack: WebStack;
beforeAll(async () => {
  stack = await startWebStack();
});
afterAll(() => stack.close());

describe('repeated drills', () => {
  test('run --repeat prints statistics of the repeats; the reporter json adds them to each summary', async () => {
    const args = `--target ${join(stack.files, 'target.yaml')} --var flavour=soft --repeat 2`.split(' ');
    const out = join(stack.bench.out, 'repeated');
    const run = (...more: string[]) =>
      stack.bench.start('run', join(stack.files, 'crash.yaml'), '--out', out, ...args, ...more);
    const junit = join(stack.bench.out, 'repeated.xml');
    const { stdout } = await stack.drilled(() => run('--reporter', `list,junit=${junit}`));
    expect(readFileSync(junit, 'utf8').match(/<testsuite name="crash-soft(?: #2)?"/g)).toHaveLength(2);
    expect(stdout).toMatch(
      /\nRTO of crash-soft\n {2}of 2 drills: min .* max .*\n {2}the median lies between/,
    );
    const { stdout: json } = await stack.drilled(() => run('--reporter', 'json'));
    const lines = json.trim().split('\n');
    const [first, second] = lines.map((line) => JSON.parse(line) as Summary);
    expect(lines).toHaveLength(2);
    expect(first).not.toHaveProperty('repeats');
    expect(second?.repeats).toMatchObject({
      count: 2,
      minMs: Math.min(first?.rto?.ms ?? 0, second?.rto?.ms ?? 0),
    });
  });

  test('table --shard runs a part of the rows, and merge-reports merges the shards', async () => {
    let shards = join(stack.bench.out, 'shards-0');
    const labelled = '--label v2 --baseline v1 --var flavour=soft'.split(' ');
    const run = (...more: string[]) =>
      stack.bench.start('table', join(stack.files, 'suite.yaml'), '--out', shards, ...labelled, ...more);
    const without = await run();
    expect(without.exitCode).toBe(2);
    expect(without.stderr).toContain(`v1: neither a path nor the label of a run below ${shards}`);
    let tries = 0;
    await stack.drilled(async () => {
      shards = join(stack.bench.out, `shards-${++tries}`);
      keepBaseline(join(shards, 'before'), 1, { label: 'v1' });
      for (const index of [1, 2]) await run('--shard', `${index}/2`);
    });
    const out = join(stack.bench.out, 'merged');
    const { exitCode, stdout, stderr } = await stack.bench.start('merge-reports', shards, '--out', out);
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
    expect(stdout).toMatch(/crash-soft.*: inconclusive with 1 and 1 nights/);
  });

  test.each([
    ['run', ['crash.yaml', '--target', 'target.yaml', '--var', 'flavour=soft']],
    ['table', ['suite.yaml']],
  ])('%s --baseline prints before the first drill that the baseline is too small', async (command, files) => {
    const baseline = join(stack.bench.out, 'too-few');
    keepBaseline(join(baseline, 'run-1'), 1);
    const stop = join(stack.bench.state, 'stop');
    mkdirSync(stack.bench.state, { recursive: true });
    writeFileSync(stop, '');
    try {
      const args = files.map((arg) => (arg.endsWith('.yaml') ? join(stack.files, arg) : arg));
      const { exitCode, stderr } = await stack.bench.start(command, ...args, '--baseline', baseline);
      // No drill runs: a stop file exists.
      expect(stderr).toContain('a stop file exists');
      expect(exitCode).not.toBe(0);
      expect(stderr).toContain('1 night of the baseline against 1 night cannot show a regression');
    } finally {
      rmSync(stop);
    }
  });

  test('run --baseline fails for a significantly slower drill', async () => {
    const baseline = join(stack.bench.out, 'baseline');
    const out = join(stack.bench.out, 'gated');
    for (const i of [1, 2, 3, 4]) keepBaseline(join(baseline, `run-${i}`), i);
    const args = `--target ${join(stack.files, 'target.yaml')} --var flavour=soft --baseline ${baseline}`;
    const run = (...more: string[]) =>
      stack.bench.start('run', join(stack.files, 'crash.yaml'), '--out', out, ...args.split(' '), ...more);
    const gated = ['--tolerance', '100ms', '--reporter', 'json'];

    const alone = await stack.drilled(() => run(...gated, '--repeat', '2'));
    expect(alone.exitCode, alone.stderr).toBe(0);
    expect(alone.stderr).toContain('4 nights of the baseline against 1 night cannot show a regression');

    for (const i of [11, 12, 13]) keepBaseline(join(out, `run-${i}`), i, { label: 'v2' }, 60_000);
    const { exitCode, stdout, stderr } = await stack.drilled(() => run(...gated, '--label', 'v2'));
    expect(exitCode, stderr).toBe(1);
    const [summary, reported, ...rest] = stdout.trim().split('\n');
    expect(rest).toEqual([]);
    expect((JSON.parse(summary ?? '') as Summary).verdict).toBe('pass');
    expect(JSON.parse(reported ?? '')).toMatchObject({
      baseline: { of: baseline, tolerance: '100 ms', drills: [{ drill: 'crash-soft', status: 'fail' }] },
    });
  });
});
