import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Summary } from '../../src/core/summary.ts';
import type { LedgerRecord } from '../../src/engine/ledger.ts';
import { openLedger } from '../../src/engine/ledger.ts';
import { createBench } from '../firedrill.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const bench = createBench();
/** Answers like memcached. */
const memcached = createServer((socket) => {
  socket.on('data', () => socket.write('VERSION 1.6.38\r\n'));
  socket.on('error', () => {});
});
let address: string;
let folder: string;
const examples = join(import.meta.dirname, '../../examples/extensions');

beforeAll(async () => {
  await new Promise<void>((resolve) => memcached.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(memcached.address() as AddressInfo).port}`;
});
afterAll(() => {
  memcached.close();
  bench.remove();
});
beforeEach(() => {
  folder = temporaryFolder();
});

const at = (name: string): string => join(folder, name);
const write = (name: string, text: string): string => {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
  return at(name);
};
const writeTarget = (extensions: string, more = ''): string =>
  write(
    'target.yaml',
    `name: cache
environment: test
extensions: ${extensions}
hosts:
  here: { transport: local }
probes:
  - { id: up, kind: tcp, address: '${address}', interval: 100ms }
${more}steady: { require: [{ probe: up }], for: 300ms, within: 30s }
`,
  );

/** A module with one fault of this text. */
const faultModule = (name: string, fault: string): string => `
import { defineExtension, defineFault, z } from 'firedrill';
const params = z.strictObject({ file: z.string() });
export default defineExtension({ name: '${name}', faults: [defineFault(${fault})] });
`;
const markFault = (kind: string, more = ''): string => `{
  kind: '${kind}', summary: 'Write a file.', healAfter: 'recovery', params,
  describe: (p) => ({ inject: 'write ' + p.file, heal: 'remove ' + p.file, blastRadius: p.file }),
  before: async () => null,
  inject: async (p, _before, { host, signal }) => { await host.exec(['touch', p.file], { timeoutMs: 5000, signal }); return null; },
  effect: async (p, _before, { host, signal }) => (await host.exec(['test', '-e', p.file], { timeoutMs: 5000, signal })).exitCode === 0,
  heal: async (p, _before, { host, signal }) => { await host.exec(['rm', '-f', p.file], { timeoutMs: 5000, signal }); },
  healed: async (p, _before, { host, signal }) => (await host.exec(['test', '-e', p.file], { timeoutMs: 5000, signal })).exitCode === 1,
  ${more}
}`;
const loop = 'export default { name: "acme" };\n';

describe('an entry of `extensions` that cannot be used', () => {
  test.each([
    ['[./nowhere.ts]', {}, '3:14: extensions: the module ./nowhere.ts cannot be loaded: Cannot find module'],
    ["['@ours/firedrill-mysql']", {}, 'install the package (`npm install --save-dev @ours/firedrill-mysql`)'],
    ['[./a.ts]', { 'a.ts': 'throw new Error("no licence");' }, 'cannot be loaded: no licence; run `node'],
    [
      '[./common/a.ts]',
      {
        'common/package.json': '{ "type": "commonjs" }',
        'common/a.ts': "import 'node:fs'; export default {};",
      },
      'outside a module; put `{ "type": "module" }` into',
    ],
    ['[./a.ts]', { 'a.ts': 'const x: = 1;' }, '3:14: extensions: the module ./a.ts cannot be loaded: '],
    ['[./a.ts]', { 'a.ts': 'await 1; export default {};' }, 'move its top-level `await`'],
    ['[./a.ts]', { 'a.ts': 'export const fault = {};' }, 'its `name` is missing'],
    [
      '[./a.ts]',
      { 'a.ts': 'export default { name: "Acme" };' },
      'its `name` is "Acme"; write lowercase letters',
    ],
    ['[./a.ts]', { 'a.ts': 'export default { name: "network" };' }, 'the beginning of built-in kinds'],
    ['[./a.ts]', { 'a.ts': 'export default { name: "acme", fault: [] };' }, 'unknown field "fault"'],
    [
      '[./a.ts]',
      { 'a.ts': 'export default { name: "acme", faults: [{}] };' },
      'faults[0]: its `kind` is missing; write `acme.NAME`',
    ],
    ['[./a.ts]', { 'a.ts': faultModule('acme', markFault('fence')) }, 'write "acme.fence"'],
    [
      '[./a.ts]',
      { 'a.ts': faultModule('acme', markFault('acme.x', 'heal: 1')) },
      'acme.x has no method `heal`',
    ],
    [
      '[./a.ts]',
      { 'a.ts': faultModule('acme', markFault('acme.x', 'params: { shape: {} }')) },
      'is no object schema of zod 4',
    ],
    [
      '[./a.ts]',
      { 'a.ts': faultModule('acme', markFault('acme.x', 'params: z.object({})')) },
      'write `z.strictObject`',
    ],
    [
      '[./a.ts]',
      { 'a.ts': faultModule('acme', markFault('acme.x', 'params: z.strictObject({ on: z.string() })')) },
      'a field named "on" exists for every kind; rename the field',
    ],
    [
      '[./a.ts]',
      { 'a.ts': faultModule('acme', markFault('acme.x', "healAfter: 'never'")) },
      '`healAfter` is "never"; write "recovery" or "redundancy"',
    ],
    [
      '[./a.ts, ./b.ts]',
      { 'a.ts': faultModule('acme', markFault('acme.x')), 'b.ts': faultModule('acme', markFault('acme.x')) },
      '3:22: extensions: the extension ./b.ts is not usable: fault acme.x exists already, in ./a.ts',
    ],
    ['[./a.ts, ./a.ts]', { 'a.ts': loop }, '3:22: extensions: ./a.ts is named twice'],
    ['./a.ts', { 'a.ts': loop }, '3:13: extensions: expected a list'],
  ])('%s', async (entries, modules, problem) => {
    for (const [name, text] of Object.entries(modules)) write(name, text);
    const { exitCode, stderr, stdout } = await bench.start('validate', writeTarget(entries));
    expect(stderr).toContain(problem);
    expect(stderr).toContain('target.yaml:3:');
    expect([exitCode, stdout]).toEqual([2, '']);
  });
});

test('an extension of a package is found from the folder of the target, without a copy of firedrill', async () => {
  const own = at('node_modules/@ours/firedrill-mark');
  mkdirSync(own, { recursive: true });
  writeFileSync(
    join(own, 'package.json'),
    '{ "name": "@ours/firedrill-mark", "type": "module", "exports": "./index.js" }',
  );
  writeFileSync(join(own, 'index.js'), faultModule('ours', markFault('ours.mark')));
  const { exitCode, stdout, stderr } = await bench.start(
    'schema',
    'scenario',
    '--target',
    writeTarget("['@ours/firedrill-mark']"),
  );
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toContain('"const": "ours.mark"');
});

test('what a module prints while it is loaded goes to standard error', async () => {
  write('a.ts', `console.log('loading'); ${loop}`);
  const { stdout, stderr } = await bench.start('schema', 'target', '--target', writeTarget('[./a.ts]'));
  expect(stderr).toContain('loading');
  expect(() => void JSON.parse(stdout)).not.toThrow();
});

const scenario = (fault: string): string =>
  write(
    'scenario.yaml',
    `name: mark
title: A file
target: target.yaml
faults: [${fault}]
recovery: { probe: up, within: 5s, stableFor: 300ms, quietFor: 500ms }
redundancy: { for: 300ms, within: 20s }
checks: [{ kind: downtime, max: 0s }]
`,
  );

test('the parameters of a kind of an extension are checked at their place in the file', async () => {
  write('a.ts', faultModule('acme', markFault('acme.mark')));
  writeTarget('[./a.ts]');
  const path = scenario('{ kind: acme.mark, on: here, fil: /x }');
  const { exitCode, stderr } = await bench.start('validate', path);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`${path}:4:39: unknown field "fil"; did you mean "file"?`);
  expect(stderr).toContain('missing field "file"');
});

test('a drill with a fault and a probe of two extensions is healed, and reported without them', async () => {
  const cache = `  - { id: cache, kind: memcached.get, address: '${address}', interval: 100ms, always: true }\n`;
  writeTarget(`['${examples}/disk.ts', '${examples}/memcached.ts']`, cache);
  mkdirSync(at('disk'));
  const path = scenario(`{ kind: disk.fill, on: here, folder: ${at('disk')}, fill: 1MiB, for: 300ms }`);
  const { exitCode, stderr } = await bench.start('run', path, '--out', at('reports'));
  // Inconclusive only because this machine is busy.
  expect([0, 3], stderr).toContain(exitCode);
  expect(readdirSync(at('disk'))).toEqual([]);
  const run = join(at('reports'), readdirSync(at('reports'))[0] ?? '');
  const summary = JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8')) as Summary;
  expect(summary).toMatchObject({
    healed: true,
    faults: [
      { kind: 'disk.fill', effectAt: expect.any(String) as unknown, healedAt: expect.any(String) as unknown },
    ],
  });
  const probe = summary.probes.find(({ id }) => id === 'cache');
  expect(probe?.samples).toBeGreaterThan(5);
  // A log whose extensions are gone is still read.
  const log = join(run, 'events.ndjson');
  writeFileSync(log, readFileSync(log, 'utf8').replaceAll(`${examples}/`, '/gone/'));
  const again = await bench.start('report', run);
  expect([again.exitCode, again.stderr]).toEqual([0, again.stderr]);
});

test('a transport, a writer, and a reporter of an extension are used by a drill', async () => {
  write(
    'a.ts',
    `
import { appendFileSync, writeFileSync } from 'node:fs';
import { defineExtension, defineFault, defineReporter, defineTransport, defineWriter, localHost, z } from 'firedrill';
const params = z.strictObject({ file: z.string() });
const rows = new Map();
export default defineExtension({
  name: 'acme',
  faults: [defineFault(${markFault('acme.mark')})],
  transports: [defineTransport({
    kind: 'acme.here', summary: 'This machine.', params: z.strictObject({ room: z.string() }),
    describe: (p) => 'room ' + p.room,
    create: (_p, { name }) => localHost(name),
  })],
  writers: [defineWriter({
    kind: 'acme.rows', summary: 'Rows in memory.', params: z.strictObject({}), newConnections: () => 0,
    describe: () => ({ write: 'keep a row', read: 'all rows', remove: 'forget the rows' }),
    open: async () => ({
      create: async () => {}, drop: async () => rows.clear(),
      connect: () => ({
        write: async ({ client, number }) => { rows.set(client, number); return { outcome: 'acked' }; },
        rows: async () => new Map([...rows].map(([client, to]) => [client, [{ from: 1, to, times: 1 }]])),
        close: () => {},
      }),
    }),
  })],
  reporters: [defineReporter({
    name: 'acme.note', describe: 'Note the end.', value: 'file',
    create: (value) => ({ drillEnded: ({ summary }) => writeFileSync(value, String(summary.healed)) }),
  })],
});
`,
  );
  writeTarget('[./a.ts]', 'writers:\n  - { id: orders, kind: acme.rows, interval: 50ms }\n');
  const target = readFileSync(at('target.yaml'), 'utf8');
  write('target.yaml', target.replace('transport: local', 'transport: acme.here, room: cellar'));
  const path = scenario(`{ kind: acme.mark, on: here, file: ${at('marked')}, for: 300ms }`);
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(/checks:.*/, 'checks: [{ kind: rpo, of: orders, max: 0s }]'),
  );
  const plan = await bench.start('plan', path);
  expect(plan.stdout).toContain('here         room cellar');
  expect(plan.stdout).toContain('keep a row');
  const { exitCode, stderr } = await bench.start(
    'run',
    path,
    '--out',
    at('reports'),
    '--reporter',
    `list,acme.note=${at('note')}`,
  );
  expect([0, 3], stderr).toContain(exitCode);
  expect(readFileSync(at('note'), 'utf8')).toBe('true');
  const run = join(at('reports'), readdirSync(at('reports'))[0] ?? '');
  const summary = JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8')) as Summary;
  expect(summary).toMatchObject({
    healed: true,
    faults: [{ kind: 'acme.mark', effectAt: expect.any(String) as unknown }],
  });
  expect(summary.rpo?.acked).toBeGreaterThan(0);
});

test('`doctor` checks what the kinds of an extension need on their host', async () => {
  write(
    'a.ts',
    faultModule('acme', markFault('acme.mark', "uses: () => ({ tools: ['firedrill-no-such-tool'] })")),
  );
  const target = writeTarget('[./a.ts]');
  const path = scenario(`{ kind: acme.mark, on: here, file: ${at('marked')}, for: 300ms }`);
  const { stdout } = await bench.start('doctor', path, '--target', target);
  expect(stdout).toMatch(/FAIL here: firedrill-no-such-tool.*fault acme\.mark/);
});

test.each(['disk', 'memcached', 'redis'])('the example %s passes `test-extension`', async (name) => {
  const { exitCode, stdout, stderr } = await bench.start('test-extension', join(examples, `${name}.ts`));
  expect([exitCode, stderr], stdout).toEqual([0, '']);
  expect(stdout).toMatch(/\d+ ok, 0 failed, 0 not tried$/);
});

test('`test-extension` fails for a fault that is not healed, and says what it cannot try', async () => {
  write('a.ts', faultModule('acme', markFault('acme.mark', 'heal: async () => {}')));
  write(
    'a.tests.ts',
    `
import { existsSync, rmSync } from 'node:fs';
import { defineTests, localHost } from 'firedrill';
const file = '${at('marked')}';
export default defineTests({
  faults: [{ kind: 'acme.mark', setUp: () => ({
    host: localHost('here'), params: { file }, isBroken: () => existsSync(file), tearDown: () => rmSync(file, { force: true }),
  }) }],
});
`,
  );
  const broken = await bench.start('test-extension', at('a.ts'));
  expect(broken.exitCode).toBe(1);
  expect(broken.stdout).toContain(
    `FAIL      acme.mark: \`before\` changes nothing, \`inject\` acts, \`effect\` shows it, and \`heal\` undoes it
            \`healed\` is not true after 5 heals
            hint: Put all that the heal needs into the result of \`before\``,
  );
  write('b.ts', faultModule('acme', markFault('acme.mark')));
  const untried = await bench.start('test-extension', at('b.ts'));
  expect([untried.exitCode, untried.stderr]).toEqual([
    0,
    'there is no file of tests, so only the shape of the kinds is checked',
  ]);
  expect(untried.stdout).toContain('not tried acme.mark: all promises of its kind');
});

test.each([
  ['const tests = {};', 'it has no default export; write `export default defineTests'],
  ['export default { fault: [] };', 'it has an unknown field "fault"; one of faults, probes'],
  ['export default { faults: {} };', 'its `faults` is not a list'],
  ['export default { faults: [{}] };', 'faults[0] has no `kind`'],
  ["export default { faults: [{ kind: 'acme.mark' }] };", 'faults[0] has no function `setUp`'],
  [
    "export default { probes: [{ kind: 'a', situations: [{ name: 'x', expect: 'up' }] }] };",
    'probes[0] situations[0] has `expect: "up"`; write one of ok, fail, unknown, silent',
  ],
])('`test-extension` refuses the file of tests `%s`', async (text, problem) => {
  write('a.ts', loop);
  write('a.tests.ts', `export {};\n${text}`);
  const { exitCode, stdout, stderr } = await bench.start('test-extension', at('a.ts'));
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain(problem);
});

test('`test-extension` names the promise during which a kind prints, or breaks the process', async () => {
  write(
    'a.ts',
    `
import { defineExtension, defineProbe, z } from 'firedrill';
const probe = (kind, act) => defineProbe({
  kind, summary: 'A probe.', params: z.strictObject({}), lane: 'network', needsHost: false,
  cost: () => ({ newConnections: 0, commands: 0, processes: 0 }),
  describe: () => 'nothing',
  open: async () => ({ observe: async (signal) => {
    if (signal.aborted) return { status: 'unknown', message: 'cut short' };
    act();
    return { status: 'ok' };
  }, close: async () => {} }),
});
export default defineExtension({ name: 'acme', probes: [
  probe('acme.prints', () => console.log('a sample')),
  probe('acme.breaks', () => setImmediate(() => { throw new Error('late'); })),
] });
`,
  );
  write(
    'a.tests.ts',
    `
const situations = [{ name: 'up', expect: 'ok', setUp: () => ({ params: {} }) }];
const broken = [{ name: 'no server', expect: 'ok', setUp: () => { throw new Error('no port'); } }];
export default { probes: ['acme.prints', 'acme.breaks'].map((kind) => ({ kind, situations: [...situations, ...broken] })) };
`,
  );
  const { exitCode, stdout } = await bench.start('test-extension', at('a.ts'));
  expect(exitCode).toBe(1);
  expect(stdout).toContain(
    'FAIL      acme.prints: up: each sample is ok\n            it printed on stdout: "a sample\\n"',
  );
  expect(stdout).toContain(
    'an unhandled error, which ends a drill: late\n            hint: Await each promise',
  );
  expect(stdout).toContain(
    '`setUp` of the test threw: no port\n            hint: Correct `setUp` in the file of tests',
  );
  expect(stdout).toMatch(/\d+ ok, \d+ failed, 4 not tried$/);
});

describe('an undo record of an extension', () => {
  const record = (file: string): LedgerRecord => ({
    version: 1,
    runId: 'r',
    target: 'cache',
    faultId: 'fault-1',
    kind: 'acme.mark',
    host: { name: 'here', transport: { kind: 'local' } },
    params: { file: at('marked') },
    before: null,
    extension: { module: { entry: './a.ts', file }, heal: `remove ${at('marked')}` },
    openedAt: '2026-01-01T00:00:00Z',
  });

  test('is healed by its module, and stays open without it', async () => {
    const module = write('a.ts', faultModule('acme', markFault('acme.mark')));
    write('marked', '');
    const ledger = openLedger(join(bench.state, 'ledger'));
    ledger.open(record(module));

    renameSync(module, at('b.ts'));
    const missing = await bench.start('heal');
    expect(missing.exitCode).toBe(4);
    expect(missing.stdout).toContain('NOT healed: r fault-1: acme.mark on here: ');
    expect(missing.stdout).toContain('is not proven healed because its extension is missing');
    expect(missing.stderr).toContain(`Or undo the fault by hand on here: remove ${at('marked')}`);
    expect(ledger.list()).toHaveLength(1);
    expect(existsSync(at('marked'))).toBe(true);

    renameSync(at('b.ts'), module);
    const there = await bench.start('heal');
    expect([there.exitCode, there.stdout]).toEqual([0, 'healed, proven: r fault-1: acme.mark on here']);
    expect(existsSync(at('marked'))).toBe(false);
  });

  test('is written by a run that is killed, and is healed later', async () => {
    write('a.ts', faultModule('acme', markFault('acme.mark')));
    writeTarget('[./a.ts]');
    const path = scenario(`{ kind: acme.mark, on: here, file: ${at('marked')}, for: 10m }`);
    const run = bench.start('run', path, '--out', at('reports'));
    await expect.poll(() => existsSync(at('marked'))).toBe(true);
    run.kill('SIGKILL');
    await run;
    const [open] = openLedger(join(bench.state, 'ledger')).list();
    expect(open?.extension).toEqual({
      module: { entry: './a.ts', file: at('a.ts') },
      heal: `remove ${at('marked')}`,
    });
    const { exitCode, stdout } = await bench.start('heal');
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^healed, proven: /)]);
    expect(existsSync(at('marked'))).toBe(false);
  });

  test('stays open if its module has no such kind any more', async () => {
    const module = write('a.ts', loop);
    openLedger(join(bench.state, 'ledger')).open(record(module));
    const completed = await bench.start('__complete', '--', 'heal', '--forget', 'r/');
    expect(completed.stdout).toBe('words\nr/fault-1');
    const { exitCode, stdout } = await bench.start('heal');
    expect(exitCode).toBe(4);
    expect(stdout).toContain('has no fault kind acme.mark any more');
    await bench.start('heal', '--forget', 'r/fault-1');
  });
});

describe('the completion of `--reporter`', () => {
  const offered = async (...words: string[]): Promise<string[]> => {
    const { exitCode, stdout } = await bench.start('__complete', '--', ...words);
    expect(exitCode).toBe(0);
    return stdout.split('\n').slice(1);
  };
  const reporter = `reporters: [defineReporter({ name: 'acme.note', describe: 'Note.', create: () => ({}) })]`;

  test('offers those of the extensions of the target', async () => {
    write(
      'a.ts',
      `import { defineExtension, defineReporter } from 'firedrill';
console.log('loading');
export default defineExtension({ name: 'acme', ${reporter} });`,
    );
    const target = writeTarget('[./a.ts]');
    const path = scenario('{ kind: command, on: here, run: [touch, /x], undo: [rm, /x] }');
    expect(await offered('run', path, '--reporter', '')).toEqual(
      expect.arrayContaining(['list', 'acme.note']),
    );
    expect(await offered('run', path, '--reporter', 'list,ac')).toEqual(['list,acme.note']);
    // A scenario that is not valid yet.
    write('scenario.yaml', 'name: later\n');
    expect(await offered('run', path, '--target', target, '--reporter', 'ac')).toEqual(['acme.note']);
    expect(await offered('run', path, '--reporter', 'ac')).toEqual([]);
    expect(await offered('run', path, '--reporter', 'js')).toEqual(['json']);
  });
});

test('a reporter that does not exist gets the closest match among those of extensions', async () => {
  write(
    'a.ts',
    `import { defineExtension, defineReporter } from 'firedrill';
export default defineExtension({ name: 'acme', reporters: [defineReporter({ name: 'acme.note', describe: 'Note.', create: () => ({}) })] });`,
  );
  writeTarget('[./a.ts]');
  const path = scenario('{ kind: command, on: here, run: [touch, /x], undo: [rm, /x] }');
  for (const name of ['acme.not', 'acmenote', 'list,acme-note'])
    expect((await bench.start('run', path, '--reporter', name)).stderr).toContain(
      'did you mean "acme.note"?',
    );
});

test('each mistake in a target gets the closest match among the kinds of its extensions', async () => {
  write(
    'a.ts',
    `import { defineExtension, defineProbe, defineTransport, defineWriter, localHost, z } from 'firedrill';
const params = z.strictObject({ room: z.string() });
export default defineExtension({
  name: 'acme',
  probes: [defineProbe({
    kind: 'acme.peek', summary: 'Look.', lane: 'host', needsHost: true, params,
    describe: () => 'look', cost: () => ({}), open: async () => ({ observe: async () => ({ outcome: 'ok' }), close: async () => {} }),
  })],
  transports: [defineTransport({
    kind: 'acme.here', summary: 'This machine.', params, describe: () => 'here', create: (_p, { name }) => localHost(name),
  })],
  writers: [defineWriter({
    kind: 'acme.rows', summary: 'Rows.', params, newConnections: () => 0,
    describe: () => ({ write: 'write', read: 'read', remove: 'remove' }),
    open: async () => ({ create: async () => {}, drop: async () => {}, connect: () => ({}) }),
  })],
});`,
  );
  const kinds = (of: string, ...params: readonly [string, string, string]): string => {
    const target = writeTarget(
      '[./a.ts]',
      `  - { id: peek, kind: ${of}.peek, on: [here], ${params[0]}: x }\nwriters:\n  - { id: orders, kind: ${of}.rows, ${params[1]}: x }\n`,
    );
    const text = readFileSync(target, 'utf8');
    writeFileSync(target, text.replace('transport: local', `transport: ${of}.here, ${params[2]}: x`));
    return target;
  };
  const problems = async (target: string): Promise<string[]> =>
    (await bench.start('validate', target)).stderr
      .split('\n')
      .map((line) => line.replace(/^.*target\.yaml:/, ''));
  expect(await problems(kinds('acne', 'room', 'room', 'room'))).toEqual([
    '5:22: unknown transport "acne.here"; did you mean "acme.here"?',
    '8:23: unknown kind "acne.peek"; did you mean "acme.peek"?',
    '10:25: unknown kind "acne.rows"; did you mean "acme.rows"?',
  ]);
  expect(await problems(kinds('acme', 'rom', 'roam', 'roof'))).toEqual(
    expect.arrayContaining([
      '5:33: unknown field "roof"; did you mean "room"?',
      '8:46: unknown field "rom"; did you mean "room"?',
      '10:36: unknown field "roam"; did you mean "room"?',
    ]),
  );
});
