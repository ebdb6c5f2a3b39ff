import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/core/plan.ts';
import type { ProbeSummary } from '../../src/core/summary.ts';
import type { WhatIfReport } from '../../src/report/model-text.ts';
import { createBench } from '../firedrill.ts';

const bench = createBench();
const testdata = 'src/scenario/testdata';
const composed = [`${testdata}/composed.yaml`, '--target', `${testdata}/target.yaml`];
const server = createServer((_request, response) => response.end('ok'));
let url: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => {
  server.close();
  bench.remove();
});

describe('the command line', () => {
  test.each([
    [['run', 'nowhere.yaml'], 2, 'nowhere.yaml: no such file or folder'],
    [['run'], 2, "missing required argument 'scenario'"],
    [['frobnicate'], 2, "unknown command 'frobnicate'"],
    [['watch'], 2, 'watch needs either --target FILE or --url URL'],
    [['watch', '--url', 'http://127.0.0.1/', '--for', '5'], 2, '--for: expected a duration with a unit'],
    [['lab', 'up', '--stack', 'nowhere'], 2, 'Allowed choices are'],
    [['report', 'nowhere'], 2, 'cannot be read'],
    [
      ['run', `${testdata}/invalid-unknown-kind.yaml`, '--target', `${testdata}/target.yaml`],
      2,
      `${testdata}/invalid-unknown-kind.yaml:5:13: unknown kind "proces.kill"; did you mean "process.kill"?`,
    ],
    [['run', 'x.yaml', '--var', 'wait'], 2, 'expected name=value'],
    [['run', 'x.yaml', '--reporter', 'lst'], 2, '--reporter lst: no such reporter; did you mean "list"?'],
    [['table', 'x', '--json', '--reporter', 'list'], 2, 'events and list both print on stdout'],
    [['model', 'x.yaml', '--set', 'lb'], 2, 'expected name=value'],
    [['model', 'x.yaml', '--trials', '2000000'], 2, 'expected at most 1000000'],
    [
      [
        'model',
        `${testdata}/vip-scenario.yaml`,
        '--target',
        `${testdata}/vip-target.yaml`,
        '--set',
        'vrp.x=1',
      ],
      2,
      `--set vrp.x: ${testdata}/vip-target.yaml has no model "vrp"; did you mean "vrrp"?`,
    ],
    [['plan', 'x.yaml', '--seed', '-1'], 2, 'expected a whole number, 0 or more'],
    [['doctor', '--measure-burst', '2h'], 2, 'expected a duration from 100ms to 1m'],
    [['doctor', '--measure-burst'], 2, '--measure-burst needs a target and a scenario'],
    [
      ['validate', ...composed, '--var', 'waits=1s'],
      2,
      `--var waits: ${testdata}/composed.yaml has no such variable; did you mean "wait"?`,
    ],
  ])('%j exits with %i and prints the reason on stderr', async (args, code, message) => {
    const { exitCode, stderr, stdout } = await bench.start(...args);
    expect(exitCode, stderr).toBe(code);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
  });

  test('run checks every file before the first drill starts', async () => {
    const files = [`${testdata}/valid.yaml`, `${testdata}/invalid-unknown-role.yaml`];
    const { exitCode } = await bench.start(
      'run',
      ...files,
      '--target',
      `${testdata}/target.yaml`,
      '--out',
      join(bench.out, 'never'),
    );
    expect(exitCode).toBe(2);
    expect(() => readFileSync(join(bench.out, 'never'))).toThrow(/ENOENT/);
  });

  test('plan prints commands, role, and blast radius, and starts no drill', async () => {
    const { exitCode, stdout } = await bench.start(
      'plan',
      `${testdata}/valid.yaml`,
      '--target',
      `${testdata}/target.yaml`,
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain('kill -KILL postgres in container db (all of that name at once');
    expect(stdout).toContain('the host that is db-primary at that moment (db-role is primary on exactly 1)');
    expect(stdout).toContain('blast radius  container db, process postgres');
  });

  test('plan prints the use of each probe, the probes that do not run, and the load of probing', async () => {
    const plan = ['plan', 'scenarios/certlocker/lessons/tcp-check.yaml'];
    const { stdout } = await bench.start(...plan);
    expect(stdout).toMatch(
      /\n {2}lb-backend-tcp-check@node-2 +every [^\n]*\n +for check the balancer with the TCP check [^\n]*\n/,
    );
    expect(stdout).toMatch(
      /\n {2}not run: .*\bunroutable\b.*\n {2}This drill does not use these probes\. To run /,
    );
    expect(stdout).toMatch(
      /\nLoad of probing and writing, while the stack answers\n {2}base rate +\d[^\n]* samples, \d[^\n]* new connections?, and \d[^\n]* commands? a second\n {2}burst +\d/,
    );
    const [left] = JSON.parse((await bench.start(...plan, '--json')).stdout) as Plan[];
    expect(left?.probesLeftOut).toContain('unroutable');
    expect(left?.probes[0]?.usedBy).toContain('steady state');
    const [all] = JSON.parse((await bench.start(...plan, '--json', '--all-probes')).stdout) as Plan[];
    expect(all).not.toHaveProperty('probesLeftOut');
    expect(all?.probes.find(({ name }) => name === 'unroutable')?.usedBy).toEqual(['--all-probes']);
  });

  test('plan prints the expected owners and the predicted stages', async () => {
    const { exitCode, stdout } = await bench.start(
      'plan',
      `${testdata}/vip-scenario.yaml`,
      '--target',
      `${testdata}/vip-target.yaml`,
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      'Owned by exactly one host\n  vip          claimed: the host whose probe claim is yes; answered: the host whose probe answer is yes\n',
    );
    // The plan does not know which node will fail: the bounds cover both nodes.
    expect(stdout).toContain(
      'Predicted\n  all of it  7.61 s to 13.85 s, median 10.73 s (vrrp: script-fall, master-down)\n',
    );
    expect(stdout).toContain('  vip claimed: no owner for ≤ 5 s\n');
  });

  test('plan prints the writers, their databases, and the cleanup of their rows', async () => {
    const plan = ['plan', 'scenarios/certlocker/postgres-crash.yaml'];
    const { exitCode, stdout } = await bench.start(...plan);
    expect(exitCode).toBe(0);
    const [, written = ''] =
      /\nRows written from the steady state to the end\n([^]*?)\n\n/.exec(stdout) ?? [];
    expect(written.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, '  '))).toEqual([
      'rows  one row per client every 200 ms, timeout 2 s; one read every 1 s',
      "rows@node-1  2 clients: INSERT INTO a table of this run's name on postgresql://certlocker@198.18.0.11:9999/certlocker",
      'read back by SELECT from it, and before the heal from postgresql://postgres@198.18.0.11:5432/certlocker',
      'at the end  DROP TABLE',
      "rows@node-2  2 clients: INSERT INTO a table of this run's name on postgresql://certlocker@198.18.0.12:9999/certlocker",
      'read back by SELECT from it, and before the heal from postgresql://postgres@198.18.0.12:5432/certlocker',
      'at the end  DROP TABLE',
    ]);
    // A drill without a check on rows writes no rows.
    const without = await bench.start('plan', 'scenarios/certlocker/router-crash.yaml');
    expect(without.stdout).not.toContain('Rows written');
  });

  test('model predicts a drill with a changed setting', async () => {
    const vip = [`${testdata}/vip-scenario.yaml`, '--target', `${testdata}/vip-target.yaml`];
    const asked = await bench.start(
      'model',
      ...vip,
      '--set',
      'vrrp.script.fall=3',
      '--json',
      '--trials',
      '500',
    );
    const report = JSON.parse(asked.stdout) as WhatIfReport;
    expect(report).toMatchObject({
      trials: 500,
      seed: 1,
      settings: [{ name: 'vrrp.script.fall', before: 2, after: 3 }],
      drills: [{ scenario: 'vip-moves', lines: [{ name: 'all of it' }] }],
    });
    const [line] = report.drills[0]?.lines ?? [];
    // One further run of the script adds its interval; the same seed gives the same random numbers in every trial.
    expect(line?.predicted?.minMs).toBeCloseTo((line?.unchanged?.minMs ?? 0) + 5000, 3);
    expect(line?.predicted?.medianMs).toBeCloseTo((line?.unchanged?.medianMs ?? 0) + 5000, 2);
    const text = await bench.start('model', ...vip);
    expect(text.stdout).toMatch(/^10000 trials, seed 1\n\nvip-moves: .*\n +p5 +median +p95 +min +max/);
    expect(text.exitCode).toBe(0);
  });

  test('names of scenarios are completed once they begin', async () => {
    const offered = async (current: string) => (await bench.start('__complete', '--', 'run', current)).stdout;
    expect(await offered('certlocker/postgres')).toBe('words\ncertlocker/postgres-crash');
    expect(await offered('')).toBe('files');
  });

  test('plan prints every drill of a matrix, with its steps in order and the ranges of its random times', async () => {
    const { stdout } = await bench.start('plan', ...composed, '--var', 'container=edge', '--var', 'wait=1s');
    expect(stdout).toContain(
      '2 drills\n  composed-edge-alpha: Everything at once (container edge, on alpha)\n',
    );
    expect(stdout).toContain('variables wait = 1s, copies = 1, stop = false, container = edge, on = alpha');
    expect(stdout).toContain(
      '1 s to 11 s (to be drawn) after the steady state; healed 30 s after its effect',
    );
    expect(stdout).toContain('once cut is healed; healed after redundancy is restored');
    const headlines = stdout.split('\n').filter((line) => /^\d\. /.test(line));
    expect(headlines.slice(0, headlines.length / 2)).toEqual([
      expect.stringContaining('1. Prepare: command on host alpha'),
      expect.stringContaining('2. Steady state'),
      expect.stringContaining('3. Fault network.partition on host alpha (cut)'),
      expect.stringContaining('4. Fault process.kill on host beta (fault-2)'),
      expect.stringContaining('5. Recovery'),
      expect.stringContaining('6. Redundancy restored'),
      expect.stringContaining('7. Heal'),
      expect.stringContaining('8. Undo the preparations'),
      expect.stringContaining('9. Repair: command on the host of cut'),
    ]);
  });

  test('the same seed gives the same random times', async () => {
    const moments = async (seed: string): Promise<unknown> => {
      const { stdout } = await bench.start('plan', ...composed, '--json', '--seed', seed);
      return (JSON.parse(stdout) as Plan[]).map(({ draw, faults }) => [draw?.seed, faults[0]?.atMs]);
    };
    const seven = await moments('7');
    expect(await moments('7')).toEqual(seven);
    expect(await moments('8')).not.toEqual(seven);
  });

  test('validate accepts a variable if one of the scenarios has it', async () => {
    const { exitCode, stdout } = await bench.start(
      'validate',
      `${testdata}/valid.yaml`,
      ...composed,
      '--var',
      'wait=1s',
    );
    expect(exitCode).toBe(0);
    expect(stdout).toBe(`${testdata}/valid.yaml: valid\n${testdata}/composed.yaml: valid`);
  });

  test('validate accepts suites, targets, and scenarios, by file, folder, or name', async () => {
    const { exitCode, stdout } = await bench.start(
      'validate',
      'scenarios/keepalived-docker',
      'wazuh-lb',
      'compose-lab/wazuh-lb/target.yaml',
    );
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'scenarios/keepalived-docker/suite.yaml: valid',
        'scenarios/keepalived-docker/variations.yaml: valid',
        'scenarios/wazuh-lb/suite.yaml: valid',
        'compose-lab/wazuh-lb/target.yaml: valid',
      ]),
    );
  });

  test('plan accepts a suite; run refuses one and prints the command for it', async () => {
    const { stdout } = await bench.start('plan', 'keepalived-docker', '--json');
    expect((JSON.parse(stdout) as Plan[]).length).toBeGreaterThan(1);
    const { exitCode, stderr } = await bench.start('run', 'scenarios/wazuh-lb/suite.yaml');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('scenarios/wazuh-lb/suite.yaml: this is a suite, not a scenario');
    expect(stderr).toContain('hint: Run it with `npx firedrill table scenarios/wazuh-lb/suite.yaml`.');
    expect((await bench.start('run', '--help')).stdout).toContain('Usage: npx firedrill run [options]');
  });

  test('schema prints JSON Schemas with every kind of fault and probe', async () => {
    const scenario = await bench.start('schema', 'scenario');
    expect(JSON.parse(scenario.stdout)).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#' });
    for (const kind of ['process.kill', 'container.stop', 'compose.down'])
      expect(scenario.stdout).toContain(`"${kind}"`);
    // A duration has its own pattern. A variable is valid in its place.
    const { properties } = JSON.parse(scenario.stdout) as {
      properties: { recovery: { properties: { within: { anyOf: { pattern: string }[] } } } };
    };
    const patterns = properties.recovery.properties.within.anyOf.map(({ pattern }) => new RegExp(pattern));
    expect(['2m', '${wait}', '2'].map((text) => patterns.some((p) => p.test(text)))).toEqual([
      true,
      true,
      false,
    ]);
    const target = await bench.start('schema', 'target');
    for (const kind of ['http', 'tcp', 'sql', 'exec', 'haproxy-stats', 'journal'])
      expect(target.stdout).toContain(`"${kind}"`);
  });

  test('watch stores the samples of a URL', async () => {
    const { exitCode, stdout, stderr } = await bench.start(
      'watch',
      '--url',
      url,
      '--interval',
      '50ms',
      '--timeout',
      '30s',
      '--for',
      '2s',
      '--json',
      '--out',
      bench.out,
    );
    expect(exitCode, stderr).toBe(0);
    const { probes } = JSON.parse(stdout) as { probes: ProbeSummary[] };
    expect(probes).toHaveLength(1);
    expect(probes[0]).toMatchObject({ id: 'url', kind: 'http', failed: 0, windows: [] });
    const log = readFileSync(join(bench.runFolder(), 'events.ndjson'), 'utf8');
    expect(probes[0]?.samples).toBeGreaterThan(0);
    expect(probes[0]?.samples).toBe(log.match(/"type":"sample","probe":"url"/g)?.length);
    expect(log).toContain('"type":"run.ended"');
  });

  test('watch prints its summary when SIGINT interrupts it', async () => {
    const run = bench.start('watch', '--url', url, '--interval', '50ms', '--json', '--out', bench.out);
    for await (const line of run.iterable({ from: 'stderr' }))
      if (line.includes('url: ok')) run.kill('SIGINT');
    const { exitCode, stdout } = await run;
    expect(exitCode).toBe(0);
    expect((JSON.parse(stdout) as { probes: ProbeSummary[] }).probes[0]?.samples).toBeGreaterThan(0);
  });

  test('report accepts a log that ends in the middle of a line', async () => {
    await bench.start('watch', '--url', url, '--interval', '50ms', '--for', '500ms', '--out', bench.out);
    const log = readFileSync(join(bench.runFolder(), 'events.ndjson'), 'utf8');
    const torn = join(bench.out, 'torn');
    mkdirSync(torn);
    writeFileSync(join(torn, 'events.ndjson'), log.slice(0, log.indexOf('\n') + 20));
    const { exitCode, all } = await bench.start('report', torn);
    expect(exitCode, all).toBe(0);
    expect(JSON.parse(readFileSync(join(torn, 'summary.json'), 'utf8'))).toMatchObject({
      verdict: 'inconclusive',
    });
  });
});
