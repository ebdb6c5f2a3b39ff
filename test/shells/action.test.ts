import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';
import { githubProblems, readYaml, root, shellcheck } from './lib/ci-readers.ts';

// action.yml and its scripts, with programs that print their arguments in place of npm, docker, and firedrill.

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: {
    readonly steps: readonly {
      readonly name?: string;
      readonly if?: string;
      readonly run?: string;
      readonly uses?: string;
      readonly env?: Readonly<Record<string, string>>;
    }[];
  };
}

const text = readFileSync(join(root, 'action.yml'), 'utf8');
const action = readYaml('action.yml') as Action;
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** Prints its name and arguments, each in brackets. */
const printer = '#!/bin/sh\nprintf "%s" "$(basename "$0")"\nprintf " [%s]" "$@"\necho\n';

/** A runner's folder, with programs on its PATH. */
function runner(programs: Readonly<Record<string, string>>) {
  const folder = temporaryFolder();
  const bin = join(folder, 'bin');
  for (const path of [bin, join(folder, 'work'), join(folder, 'temp'), join(folder, 'home')]) mkdirSync(path);
  const program = (path: string, script: string): void => {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, script);
    chmodSync(path, 0o755);
  };
  for (const [name, script] of Object.entries(programs)) program(join(bin, name), script);
  return {
    folder,
    /** A program in the repository's or the action's node_modules. */
    install: (where: 'work' | 'temp/firedrill', script: string) =>
      program(join(folder, where, 'node_modules/.bin/firedrill'), script),
    start: (script: string, env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
      execa('bash', [join(root, 'action', script), ...args], {
        cwd: join(folder, 'work'),
        env: {
          PATH: `${bin}:${process.env['PATH'] ?? ''}`,
          HOME: join(folder, 'home'),
          RUNNER_TEMP: join(folder, 'temp'),
          XDG_STATE_HOME: '',
          SSH_AUTH_SOCK: '',
          ...env,
        },
        reject: false,
        all: true,
        stdin: 'ignore',
      }),
  };
}

/** The variables that action.yml sets for the step with the drills, with the defaults of the inputs. */
function drillsEnv(inputs: Readonly<Record<string, string>> = {}): Record<string, string> {
  const step = action.runs.steps.find(({ name }) => name === 'Drills');
  return Object.fromEntries(
    Object.entries(step?.env ?? {}).map(([variable, value]) => {
      const input = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(value)?.[1];
      return [variable, input === undefined ? root : (inputs[input] ?? action.inputs[input]?.default ?? '')];
    }),
  );
}

describe('the action', () => {
  test('is valid for GitHub', async () => {
    expect(await githubProblems(text, 'action.yml')).toEqual([]);
    const wrong = text.replace(
      'value: ${{ steps.drills.outputs.verdict',
      'valeu: ${{ steps.drills.outputs.verdict',
    );
    expect(await githubProblems(wrong, 'action.yml')).not.toEqual([]);
  });

  test('reads only inputs that it has', () => {
    const read = [...text.matchAll(/\binputs\.([\w-]+)/g)].map(([, name = '']) => name);
    expect(new Set(read)).toEqual(new Set(Object.keys(action.inputs)));
  });

  test('gives its inputs to scripts as variables only, and ShellCheck finds nothing in them', async () => {
    const runs = action.runs.steps.flatMap(({ run }) => run ?? []);
    expect(runs.filter((run) => run.includes('${{'))).toEqual([]);
    const scripts = readdirSync(join(root, 'action')).map((name) =>
      readFileSync(join(root, 'action', name), 'utf8'),
    );
    for (const script of [...runs, ...scripts]) expect(await shellcheck(script)).toBe('');
  });

  test('heals and uploads also after a failure', () => {
    const always = action.runs.steps.filter((step) => step.if?.startsWith('always()') === true);
    expect(always.map(({ run, uses }) => uses?.replace(/@.*/, '') ?? run)).toEqual([
      'exec bash "$FIREDRILL_ACTION/action/firedrill.sh" heal',
      'actions/upload-artifact',
    ]);
  });
});

describe('the step that installs', () => {
  test.each([
    ['an exact version', '1.2.3', '1.2.3'],
    ['a release candidate', '1.2.3-rc.1', '1.2.3-rc.1'],
    ['no version: that of the action', '', version],
  ])('installs %s', async (_what, given, installed) => {
    const { start, install } = runner({ npm: printer });
    install('temp/firedrill', printer);
    const { all, exitCode } = await start('install.sh', { FIREDRILL_VERSION: given });
    expect(exitCode, all).toBe(0);
    expect(all).toContain(`[firedrill@${installed}]\nfiredrill [--version]`);
  });

  test.each(['^1.2.3', 'latest', '1', '1.2.3; id', 'https://example.org/x.tgz'])(
    'refuses %s',
    async (given) => {
      const { start } = runner({ npm: printer });
      const { all, exitCode } = await start('install.sh', { FIREDRILL_VERSION: given });
      expect(exitCode).toBe(2);
      expect(all).toBe(
        `::error title=firedrill::version is ${given}: expected an exact version such as 0.2.0, or local`,
      );
    },
  );

  test('installs nothing for `local`, and uses the one of the repository', async () => {
    const { start, install } = runner({ npm: printer });
    install('work', printer);
    const { all } = await start('install.sh', { FIREDRILL_VERSION: 'local' });
    expect(all).toBe('firedrill [--version]');
  });

  test.each(['install.sh', 'drills.sh'])(
    'uses the one of the repository for `local` in %s, also after a step that installed a version',
    async (script) => {
      const { start, install } = runner({ npm: printer });
      install('temp/firedrill', '#!/bin/sh\necho installed\n');
      install('work', '#!/bin/sh\necho own\n');
      expect((await start(script, drillsEnv({ version: 'local' }))).all).toBe('own');
      expect((await start(script, drillsEnv({ version: '1.2.3' }))).all).toContain('installed');
    },
  );

  test('runs no install script of a package', async () => {
    const { start, install } = runner({ npm: printer });
    install('temp/firedrill', printer);
    const { all } = await start('install.sh', { FIREDRILL_VERSION: '1.2.3' });
    expect(all).toContain('[--ignore-scripts]');
  });

  test('pulls an image that the runner does not have', async () => {
    const docker = `#!/bin/sh\n[ "$1" != image ] || exit 1\n${printer.slice(printer.indexOf('printf'))}`;
    const { start } = runner({ docker });
    const { all } = await start('install.sh', { FIREDRILL_IMAGE: 'registry.test/firedrill:1' });
    expect(all).toContain('docker [pull] [--quiet] [registry.test/firedrill:1]');
  });
});

describe('the step with the drills', () => {
  test('passes scenarios, target, and options as words, which no shell expands', async () => {
    const { start, install } = runner({});
    install('work', printer);
    const { all } = await start(
      'drills.sh',
      drillsEnv({
        scenarios: "drills/a.yaml\n'drills/b c.yaml' $(id)",
        args: '--var "note=$HOME `id` *" --repeat 3',
        target: 'drills/my target.yaml',
      }),
    );
    expect(all).toBe(
      'firedrill [run] [drills/a.yaml] [drills/b c.yaml] [$(id)] [--out] [drill-results] [--reporter] [list,junit,github]' +
        ' [--var] [note=$HOME `id` *] [--repeat] [3] [--target] [drills/my target.yaml]',
    );
  });

  test.each([
    ['html', 'html,github'],
    ['github', 'github'],
    ['list,github,junit', 'list,github,junit'],
    ['', 'github'],
  ])('with reporters %j passes %j', async (reporters, passed) => {
    const { start, install } = runner({});
    install('work', printer);
    expect((await start('drills.sh', drillsEnv({ reporters }))).all).toContain(`[--reporter] [${passed}]`);
  });

  test.each([
    ['scenarios', { scenarios: "drills/o'clock.yaml" }],
    ['args', { args: '--label "v1.2 --shard 1/2' }],
    ['args', { args: '--label "v1\n2"' }],
    ['image-options', { 'image-options': "--env 'A", image: 'firedrill:1' }],
  ])('does not drop words of %s after a quote without its other one', async (name, inputs) => {
    const { start, install } = runner({ docker: printer });
    install('work', printer);
    const { all, exitCode } = await start('drills.sh', drillsEnv(inputs));
    expect(exitCode, all).toBe(2);
    expect(all).toContain(`::error title=firedrill::${name} has a quote without its other one`);
    expect(all).not.toContain('[run]');
  });

  test('refuses another command', async () => {
    const { start } = runner({});
    const { all, exitCode } = await start('drills.sh', drillsEnv({ command: 'heal' }));
    expect([exitCode, all]).toEqual([2, '::error title=firedrill::command is heal: expected run or table']);
  });

  test('ends with the exit code of firedrill, which gets the signal of the runner', async () => {
    const { start, install } = runner({});
    install('work', '#!/bin/sh\nexit 4\n');
    expect((await start('drills.sh', drillsEnv())).exitCode).toBe(4);
    install(
      'work',
      "#!/usr/bin/env node\nprocess.on('SIGINT', () => process.exit(130));\nsetInterval(() => {}, 1000);\nconsole.log('up');\n",
    );
    const running = start('drills.sh', drillsEnv());
    running.stdout.once('data', () => running.kill('SIGINT'));
    expect((await running).exitCode).toBe(130);
  });

  test('runs the container image as the user of the runner, with its network, keys, and undo records', async () => {
    const { start, folder } = runner({ docker: printer });
    mkdirSync(join(folder, 'home/.ssh'));
    const output = join(folder, 'output');
    const { all } = await start('drills.sh', {
      ...drillsEnv({ image: 'firedrill:1', 'image-options': "--env 'A B=c'" }),
      GITHUB_OUTPUT: output,
      SSH_AUTH_SOCK: '/run/agent',
    });
    for (const words of [
      'docker [run] [--rm] [--network] [host]',
      `[--user] [${process.getuid?.()}:${process.getgid?.()}]`,
      `[--volume] [${folder}/work:/drills] [--volume] [${folder}/home/.local/state:/state]`,
      `[--volume] [${output}:${output}] [--env] [GITHUB_OUTPUT]`,
      `[--volume] [${folder}/home/.ssh:/home/firedrill/.ssh:ro]`,
      '[--volume] [/run/agent:/tmp/ssh-agent] [--env] [SSH_AUTH_SOCK=/tmp/ssh-agent]',
      '[--env] [A B=c] [firedrill:1] [run] [drills/scenarios]',
    ])
      expect(all).toContain(words);
    expect(all).not.toContain('docker.sock');
  });

  test('sets the outputs of the action, from the checkout', async () => {
    const { start, folder } = runner({});
    const output = join(folder, 'output');
    writeFileSync(join(folder, 'work/bad.yaml'), 'name: x\nfaults: 1\n');
    const { all, exitCode } = await start('drills.sh', {
      ...drillsEnv({ scenarios: 'bad.yaml' }),
      GITHUB_OUTPUT: output,
      FIREDRILL_STATE_DIR: join(folder, 'state'),
    });
    expect(exitCode, all).toBe(2);
    expect(all).toContain('::error file=bad.yaml,line=2');
    const names = readFileSync(output, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/=.*/, ''));
    const read = Object.values(action.outputs).map(({ value }) => /outputs\.([\w-]+)/.exec(value)?.[1]);
    expect(read.filter((name) => !names.includes(name ?? ''))).toEqual([]);
  });
});
