import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isLong } from '../lab/lib/long.ts';
import { sharedTemporaryFolder } from '../temporary-folder.ts';
import { createSmallDrill, type SmallDrill } from '../terminal/lib/small-drill.ts';
import {
  type Consumer,
  createConsumer,
  filesBelow,
  linkPackage,
  npmInstall,
  pack,
  root,
  run,
} from './lib/consumer.ts';

/** Most that an install may occupy on a file system with blocks of 4 KiB, bytes. */
const mostBytes = 25_000_000;
const blockBytes = 4096;

const shared = sharedTemporaryFolder();
let tarball = '';
let consumer: Consumer;
let installed = '';

const ssh = [
  '--name',
  'shop',
  '--transport',
  'ssh',
  '--host',
  'node-1=10.0.0.11',
  '--host',
  'node-2=10.0.0.12',
];
const answers = [
  ...ssh,
  '--url',
  'http://10.0.0.100/health',
  '--vip',
  '10.0.0.100',
  '--unit',
  'nginx.service',
];

beforeAll(async () => {
  tarball = await pack(shared);
  consumer = createConsumer();
  await npmInstall(consumer, tarball);
  installed = join(consumer.folder, 'node_modules/firedrill');
  cpSync(join(root, 'reports/example-wazuh-lb'), join(consumer.folder, 'example'), { recursive: true });
});
afterAll(() => consumer.remove());

/** The manifest of a package in node_modules of the checkout. */
function manifestOf(name: string): { readonly version: string } {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
}

/** Runs what a user does first, with files of the project only. */
async function expectFirstCommandsToWork(project: Consumer): Promise<void> {
  const must = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await project.firedrill(...args);
    expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({
      args,
      exitCode: 0,
      stderr: '',
    });
    return stdout;
  };
  expect(await must('--version')).toBe(manifestOf('..').version);
  await must('init', 'drills', ...answers, '--no-input');
  const files = await must('validate', 'drills');
  expect(files).toContain('drills/scenarios/service-stop.yaml: valid');
  expect(await must('plan', 'drills/scenarios')).toContain('service.stop on the active host');
  expect(await must('completion', 'bash')).toContain('complete');
  expect(await must('schema', 'scenario')).toContain('"$schema"');
  expect(await must('status')).toBe('no open faults');
}

describe('the package', () => {
  test('has no problem that publint knows', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test('is small, and brings no Node', () => {
    const files = filesBelow(join(consumer.folder, 'node_modules'));
    expect(files.filter(({ path }) => /\/node_modules\/node-|\/bin\/node$/.test(path))).toEqual([]);
    const blocks = files.reduce((sum, { bytes }) => sum + Math.ceil(bytes / blockBytes), 0);
    expect(blocks * blockBytes).toBeLessThan(mostBytes);
  });

  test('has compiled code, its types, its license, those of the code in it, and no tests', () => {
    const names = filesBelow(installed).map(({ path }) => path.slice(installed.length + 1));
    expect(names).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/main.js', 'dist/main.js.map']),
    );
    const notices = readFileSync(join(installed, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8');
    const { version } = manifestOf('yaml');
    expect(notices).toContain(`yaml ${version} (ISC)\n`);
    expect(names.filter((name) => /\.test\.|\/testing\/|^src\/|^test\//.test(name))).toEqual([]);
    // The cloud that only tests of this repository start.
    expect(names.filter((name) => name.startsWith('compose-lab/openstack/'))).toEqual([]);
    // The lab's files in TypeScript run in its containers.
    expect(names.filter((name) => name.endsWith('.ts') && !name.startsWith('compose-lab/'))).toEqual([
      'dist/index.d.ts',
    ]);
  });

  test('exports nothing but its API, its schemas, and its package.json', async () => {
    const { stdout } = await consumer.module(`
      import schema from 'firedrill/schemas/scenario.schema.json' with { type: 'json' };
      const hidden = await import('firedrill/dist/main.js').catch((error) => error.code);
      const api = await import('firedrill');
      console.log(JSON.stringify({ schema: typeof schema, hidden, api: Object.keys(api).sort() }));
    `);
    expect(JSON.parse(stdout)).toEqual({
      schema: 'object',
      hidden: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
      api: [
        'DrillError',
        'ProbeTimeout',
        'abortedBy',
        'commandWord',
        'defineExtension',
        'defineFault',
        'defineProbe',
        'defineReporter',
        'defineTests',
        'defineTransport',
        'defineWriter',
        'drill',
        'duration',
        'failureOf',
        'hostPort',
        'localHost',
        'nameLookup',
        'plan',
        'proxyTo',
        'readSecret',
        'report',
        'requireHostPort',
        'requireOwnConnection',
        'run',
        'runOk',
        'secretRef',
        'shellQuote',
        'z',
      ],
    });
  });
});

describe('the installed command', () => {
  test('runs from outside of the checkout, and writes nothing to its own folder', async () => {
    const before = filesBelow(installed);
    await expectFirstCommandsToWork(consumer);
    const { exitCode, stdout } = await consumer.firedrill('report', 'example');
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('PASS') as string,
    });
    expect(filesBelow(installed)).toEqual(before);
    expect(existsSync(join(consumer.env['XDG_CACHE_HOME'] ?? '', 'firedrill'))).toBe(true);
  });

  test('checks hosts with doctor: an unreachable one is an answer, not a crash', async () => {
    await consumer.firedrill('init', 'other', ...answers, '--no-input');
    const { exitCode, stdout, stderr } = await consumer.firedrill('doctor', '--json');
    expect(stderr).not.toContain('firedrill broke');
    expect([0, 3, 5]).toContain(exitCode);
    expect(JSON.parse(stdout)).toHaveProperty('findings');
  });

  test('finds the files of the lab, whose state is in the state folder', async () => {
    const { stdout } = await consumer.firedrill(
      'plan',
      'certlocker/postgres-crash',
      '--json',
      '--state-dir',
      'my-state',
    );
    expect(stdout).toContain('"my-state/lab/certlocker/ca.pem"');
    expect(stdout).not.toContain('.firedrill');
    expect((await consumer.firedrill('validate', 'certlocker')).exitCode).toBe(0);
  });

  test('loads an extension in TypeScript, and tries what it promises', async () => {
    cpSync(join(root, 'examples/extensions'), join(consumer.folder, 'extensions'), { recursive: true });
    const planned = await consumer.firedrill('plan', 'extensions/full-disk.yaml');
    expect(planned).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('disk.fill') as string });
    const tried = await consumer.firedrill('test-extension', 'extensions/disk.ts');
    expect(tried).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('0 failed') as string });
  });

  test('shows lines of the sources in stack traces', async () => {
    const { stderr } = await consumer.module(`
      process.setSourceMapsEnabled(true);
      const { plan } = await import('firedrill');
      plan('no-such-file.yaml');
    `);
    // The innermost frame is where the error was made.
    const [, file = '', line = ''] = /^ +at [^(]*\(.*\/(src\/[\w/-]+\.ts):(\d+):\d+\)/m.exec(stderr) ?? [];
    expect(file).not.toBe('');
    const text = readFileSync(join(root, file), 'utf8').split('\n')[Number(line) - 1];
    expect(text).toContain('throw new DrillError');
  });
});

describe('the API', () => {
  let small: SmallDrill;
  beforeAll(async () => {
    small = await createSmallDrill();
  });
  afterAll(() => small.remove());

  /** The start of a module that runs the small drill. */
  const start = () => `
    import { drill, DrillError, plan, report } from 'firedrill';
    const scenario = ${JSON.stringify(small.scenario)};
    const out = ${JSON.stringify(join(small.folder, 'runs'))};
    /** Handles that are still open after up to 30 s. */
    const open = async () => {
      for (let tries = 0; ; tries++) {
        const names = process.getActiveResourcesInfo().filter((name) => /Worker|Process|TCP/.test(name));
        if (names.length === 0 || tries === 300) return names;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
  `;

  test('plans, drills, and reports; prints nothing and lets the process end', async () => {
    const { stdout, stderr, exitCode } = await consumer.module(`${start()}
      const types = new Set();
      const lines = [];
      const result = await drill(scenario, {
        out, label: 'v1', onEvent: ({ type }) => types.add(type), onProgress: (line) => lines.push(line),
      });
      const [planned] = plan(scenario);
      process.stdout.write(JSON.stringify({
        planned: { name: planned.name, faults: planned.faults, text: planned.text.includes('blast radius') || planned.text.length > 500 },
        same: JSON.stringify(report(result.folder)) === JSON.stringify(result.summary),
        result: { ...result, summary: undefined, folder: undefined }, label: result.summary.label,
        faults: result.summary.faults.map(({ kind }) => kind), types: [...types], lines: lines.length, open: await open(),
      }));
    `);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    const got = JSON.parse(stdout) as Record<string, unknown>;
    expect(got).toMatchObject({
      planned: { name: 'pull-the-plug', faults: [{ id: 'plug', kind: 'command', on: 'alpha' }], text: true },
      same: true,
      result: { healed: true, problems: [] },
      label: 'v1',
      open: [],
    });
    // A machine under load makes a drill inconclusive, before or after the fault.
    expect(['pass', 'inconclusive']).toContain((got['result'] as { verdict: string }).verdict);
    expect(got['types']).toEqual(expect.arrayContaining(['run.started', 'sample', 'run.ended']));
    expect(small.isDown()).toBe(false);
  });

  test('heals after an abort, and resolves with the summary', async () => {
    const { stdout, stderr, exitCode } = await consumer.module(`${start()}
      const stop = new AbortController();
      const { healed, verdict, summary } = await drill(scenario, {
        out, signal: stop.signal, onEvent: ({ type }) => { if (type === 'fault.effect') stop.abort(new Error('enough')); },
      });
      const early = await drill(scenario, { out, signal: AbortSignal.abort(new Error('at once')) }).catch(({ message }) => message);
      process.stdout.write(JSON.stringify({ healed, verdict, cutShort: summary.cutShort, early }));
    `);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ healed: true, verdict: 'inconclusive', early: 'at once' });
    expect(small.isDown()).toBe(false);
  });

  test('rejects with a DrillError that has a code, a hint, and a place; an error of onEvent ends no drill', async () => {
    writeFileSync(join(consumer.folder, 'wrong.yaml'), 'name: wrong\nfaults: 3\n');
    const { stdout } = await consumer.module(`${start()}
      const errorOf = (error) => ({ own: error instanceof DrillError, code: error.code, hint: error.hint, where: error.where });
      const missing = await drill('missing.yaml').catch(errorOf);
      const wrong = await drill('wrong.yaml').catch(errorOf);
      const thrown = await drill(scenario, { out, onEvent: () => { throw new Error('mine'); } }).catch(({ message }) => message);
      process.stdout.write(JSON.stringify({ missing, wrong, thrown }));
    `);
    expect(JSON.parse(stdout)).toMatchObject({
      missing: {
        own: true,
        code: 'invalid-input',
        hint: expect.stringContaining('Correct the path, or use a name') as string,
      },
      wrong: { own: true, code: 'invalid-input', where: { file: 'wrong.yaml', line: 1, column: 1 } },
      thrown: 'mine',
    });
    expect(small.isDown()).toBe(false);
  });

  test.each(['nodenext', 'bundler'])(
    'has types for moduleResolution %s, with the example of the README',
    async (resolution) => {
      linkOnce('vitest');
      const [, example = ''] =
        /```ts\n(import .*?from 'firedrill';\n.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8')) ??
        [];
      expect(example.split('\n').length).toBeLessThanOrEqual(10);
      writeFileSync(join(consumer.folder, 'example.ts'), example);
      writeFileSync(
        join(consumer.folder, 'types.ts'),
        `import { drill, DrillError, plan, report, type DrillResult, type Summary } from 'firedrill';
       const result: DrillResult = await drill('x.yaml', { set: { limit: '1s', count: 2 }, signal: AbortSignal.timeout(1) });
       const rto: number | undefined = result.summary.rto?.maxMs;
       const summary: Summary = report(result.folder, { write: true });
       const names: string[] = plan('x.yaml', { seed: 1 }).map(({ name }) => name);
       const { where } = new DrillError('refused', 'x');
       export const all = [rto, summary.healed, names, where?.line];
       // @ts-expect-error -- a misspelled option is an error
       await drill('x.yaml', { variables: {} });
      `,
      );
      const options = {
        module: resolution === 'bundler' ? 'esnext' : 'nodenext',
        moduleResolution: resolution,
      };
      writeFileSync(
        join(consumer.folder, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            ...options,
            target: 'es2022',
            strict: true,
            noEmit: true,
            types: [],
            lib: ['es2022', 'dom'],
          },
          files: ['types.ts', 'example.ts'],
        }),
      );
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      await run([process.execPath, tsc, '-p', 'tsconfig.json', '--skipLibCheck'], { cwd: consumer.folder });
      // The package's own declarations, which skipLibCheck leaves out.
      await run(
        [
          process.execPath,
          tsc,
          '--ignoreConfig',
          '--noEmit',
          '--strict',
          '--types',
          '',
          '--lib',
          'es2022,dom',
          'node_modules/firedrill/dist/index.d.ts',
        ],
        { cwd: consumer.folder },
      );
    },
  );

  function linkOnce(name: string): void {
    if (!existsSync(join(consumer.folder, 'node_modules', name))) linkPackage(consumer, name);
  }
});

describe('installed in another way', () => {
  test('by npm, globally', async () => {
    const prefix = join(shared, 'prefix');
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    await run(['npm', 'install', '--global', '--prefix', prefix, ...quiet, tarball], { cwd: shared });
    const project = createConsumer();
    try {
      const { stdout, stderr } = await run(
        [join(prefix, 'bin/firedrill'), 'init', 'drills', ...answers, '--no-input'],
        {
          cwd: project.folder,
          env: { ...project.env, PATH: `${join(prefix, 'bin')}:${process.env['PATH'] ?? ''}` },
        },
      );
      expect(stdout).toContain('drills/target.yaml');
      expect(stderr).toContain('  firedrill run drills/scenarios/service-stop.yaml');
    } finally {
      project.remove();
    }
  });

  test.each([
    ['pnpm', ['npx', '--yes', 'pnpm@11', 'add', '--save-dev', '--ignore-scripts']],
    [
      'yarn',
      ['npx', '--yes', 'yarn@1', 'add', '--dev', '--ignore-scripts', '--no-progress', '--non-interactive'],
    ],
  ] as const)('by %s', async (_name, [command, ...args]) => {
    const project = createConsumer();
    try {
      // The client's own cache is used, and not that of the project's home folder.
      await run([command, ...args, tarball], { cwd: project.folder, env: { CI: 'true' } });
      await expectFirstCommandsToWork(project);
    } finally {
      project.remove();
    }
  });

  test.runIf(isLong).each(['22', '24', '26'])('and run by Node %s', async (line) => {
    const folder = join(shared, `node-${line}`);
    const name = `node-linux-${process.arch}`;
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
    await run(['npm', 'install', '--prefix', folder, ...quiet, `${name}@${line}`], { cwd: shared });
    const node = join(folder, 'node_modules', name, 'bin/node');
    const project = createConsumer(node);
    const small = await createSmallDrill();
    try {
      expect((await run([node, '--version'], { cwd: shared })).stdout).toMatch(new RegExp(`^v${line}\\.`));
      await npmInstall(project, tarball);
      await expectFirstCommandsToWork(project);
      const out = join(small.folder, 'runs');
      const { exitCode, stderr } = await project.firedrill('run', small.scenario, '--out', out);
      expect({ exitCode, stderr: [0, 3].includes(exitCode ?? -1) ? '' : stderr }).toEqual({
        exitCode: expect.toBeOneOf([0, 3]) as number,
        stderr: '',
      });
      expect(readdirSync(out)).toHaveLength(1);
      expect(small.isDown()).toBe(false);
    } finally {
      small.remove();
      project.remove();
    }
  });
});
