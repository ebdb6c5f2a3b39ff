import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { sharedTemporaryFolder } from '../temporary-folder.ts';
import { githubProblems, gitlabRunner, readYaml, root, shellcheck } from './lib/ci-readers.ts';

/** The parts of a GitHub workflow that the tests check. */
interface Workflow {
  readonly on: {
    readonly schedule: readonly { readonly cron: string }[];
    readonly push: { readonly tags: readonly string[] };
  };
  readonly concurrency: { readonly 'cancel-in-progress': boolean };
  readonly jobs: {
    readonly drills: {
      readonly env: object;
      readonly steps: readonly {
        readonly run?: string;
        readonly uses?: string;
        readonly if?: string;
        readonly with?: Readonly<Record<string, string>>;
      }[];
    };
  };
}

/** The parts of a GitLab pipeline that the tests check. */
interface Pipeline {
  readonly stages: readonly string[];
  readonly drills: {
    readonly stage: string;
    readonly rules: readonly { readonly if: string }[];
    readonly variables: object;
    readonly script: readonly string[];
    readonly after_script: readonly string[];
    readonly artifacts: { readonly when: string; readonly paths: readonly string[] };
  };
}

const workflow = readYaml('.github/workflows/drills.yml') as Workflow;
const action = readYaml('action.yml') as { readonly inputs: object };
const { steps } = workflow.jobs.drills;
const drills = steps.find(({ uses }) => uses === './')?.with ?? {};
const github = steps.flatMap(({ run }) => run ?? []);

const files = (): Record<string, string> =>
  Object.fromEntries(
    ['.gitlab-ci.yml', 'templates/firedrill/template.yml'].map((path) => [
      path,
      readFileSync(join(root, path), 'utf8'),
    ]),
  );
const checkout = sharedTemporaryFolder();

let pipelineOnce: Promise<Pipeline> | undefined;

/** The pipeline with the component in place of its `include`. */
function expanded(): Promise<Pipeline> {
  pipelineOnce ??= preview();
  return pipelineOnce;
}

async function preview(): Promise<Pipeline> {
  const { stdout, exitCode, all } = await gitlabRunner(checkout, files(), '--preview');
  expect(exitCode, all).toBe(0);
  return parse(stdout) as Pipeline;
}

/** The commands of firedrill in lines of shell, without what differs between an action and a shell. */
function firedrillIn(lines: readonly string[]): string[] {
  return lines
    .flatMap((line) => line.split('&&'))
    .map((command) => command.trim().replace(/^npx /, ''))
    .filter((command) => command.startsWith('firedrill '));
}

describe('the CI of the repository', () => {
  test('is valid for GitHub, including its expressions', async () => {
    const text = readFileSync(join(root, '.github/workflows/drills.yml'), 'utf8');
    expect(await githubProblems(text)).toEqual([]);
    expect(await githubProblems(text.replace('timeout-minutes', 'timeout-minuts'))).toEqual([
      "Unexpected value 'timeout-minuts'",
    ]);
    expect(await githubProblems(text.replace('github.ref_type', 'github.reftype'))).toEqual([
      'Context access might be invalid: reftype',
    ]);
  });

  test('passes only inputs that the action has', () => {
    expect(Object.keys(drills).length).toBeGreaterThan(4);
    expect(Object.keys(drills).filter((input) => !Object.hasOwn(action.inputs, input))).toEqual([]);
  });

  test('from the docs, with multiple machines, is valid for GitHub', async () => {
    const [, jobs = ''] =
      /```yaml\n(jobs:\n[\s\S]*?matrix:[\s\S]*?)```/.exec(
        readFileSync(join(root, 'docs/nightly-ci.md'), 'utf8'),
      ) ?? [];
    expect(await githubProblems(`on: workflow_dispatch\n${jobs}`)).toEqual([]);
    const wrong = jobs.replace('matrix.shard', 'matrix.shart');
    expect(await githubProblems(`on: workflow_dispatch\n${wrong}`)).toEqual([
      'Context access might be invalid: shart',
    ]);
  });

  test('is valid for GitLab, which runs it each night, by hand, and for release tags, but not for a push', async () => {
    const jobs = async (...variables: readonly string[]) => {
      const set = variables.flatMap((variable) => ['--variable', variable]);
      const { stdout, exitCode, all } = await gitlabRunner(checkout, files(), '--list-csv', ...set);
      expect(exitCode, all).toBe(0);
      return stdout
        .split('\n')
        .slice(1)
        .filter((line) => line !== '')
        .map((line) => line.split(';')[0]);
    };
    expect(await jobs('CI_PIPELINE_SOURCE=schedule')).toEqual(['drills']);
    expect(await jobs('CI_PIPELINE_SOURCE=web')).toEqual(['drills']);
    expect(await jobs('CI_COMMIT_TAG=v1.2')).toEqual(['drills']);
    expect(await jobs('CI_COMMIT_TAG=nightly-1')).toEqual([]);
    expect(await jobs('CI_PIPELINE_SOURCE=push')).toEqual([]);
    const path = 'templates/firedrill/template.yml';
    const broken = { ...files(), [path]: (files()[path] ?? '').replace('expire_in: $', 'expire: $') };
    const wrong = await gitlabRunner(checkout, broken, '--list');
    expect(wrong.exitCode).not.toBe(0);
    expect(wrong.all).toContain("'expire' property is not expected to be here at drills.artifacts");
  });

  test('runs the same commands on GitHub and GitLab', async () => {
    const { drills: job } = await expanded();
    const { command, scenarios, args, out } = drills;
    const variable = (text = ''): string => text.replaceAll(/\$\{\{ env\.([A-Z]+) \}\}/g, '$$$1');
    const table = `firedrill ${command} "${variable(scenarios)}" --out "${out}" --reporter "list,junit" ${variable(args)}`;
    const [doctor = '', up = '', down = ''] = firedrillIn(github);
    expect(firedrillIn([...job.script, ...job.after_script])).toEqual([
      doctor,
      up,
      table,
      'firedrill heal',
      down,
    ]);
    expect([doctor, up, down].map((text) => text.split(' ').slice(1, 3).join(' '))).toEqual([
      'doctor --stack',
      'lab up',
      'lab down',
    ]);
  });

  test('passes only options that the commands have', async () => {
    const { drills: job } = await expanded();
    for (const text of firedrillIn([...job.script, ...job.after_script])) {
      const words = text.split(' ').slice(1);
      const verbs = words.slice(0, words[0] === 'lab' ? 2 : 1);
      const { stdout } = await execa(process.execPath, [join(root, 'bin/firedrill.mjs'), ...verbs, '--help']);
      const options = words.filter((word) => word.startsWith('--'));
      expect(options.filter((word) => !stdout.includes(`${word} `) && !stdout.includes(`${word}\n`))).toEqual(
        [],
      );
    }
  });

  test('has no finding of ShellCheck in its commands', async () => {
    const { drills: job } = await expanded();
    for (const commands of [github, job.script, job.after_script])
      expect(await shellcheck(commands.join('\n'))).toBe('');
  });

  test('runs each night, by hand, and for release tags, and never twice in parallel', async () => {
    const pipeline = await expanded();
    expect(workflow.on).toHaveProperty('workflow_dispatch');
    expect(workflow.on.schedule.map(({ cron }) => cron.split(' ').length)).toEqual([5]);
    expect(workflow.on.push.tags).toEqual(['v*']);
    expect(workflow.concurrency['cancel-in-progress']).toBe(false);
    expect(pipeline.drills.rules.map((rule) => rule.if)).toEqual([
      '$CI_PIPELINE_SOURCE == "schedule"',
      '$CI_COMMIT_TAG =~ /^v/',
      '$CI_PIPELINE_SOURCE == "web"',
    ]);
    expect(pipeline.drills).toHaveProperty('resource_group');
    expect(pipeline.stages).toContain(pipeline.drills.stage);
  });

  test('takes the lab down and keeps its results also after a failure', async () => {
    const always = steps.filter((step) => step.if === 'always()');
    expect(always.map(({ run }) => run?.split(' ').slice(0, 4).join(' '))).toEqual([
      'npx firedrill lab down',
    ]);
    const { drills: job } = await expanded();
    expect(job.artifacts).toMatchObject({ when: 'always', paths: ['drills'] });
    expect(drills).toMatchObject({ out: 'drills', artifact: 'drills' });
  });

  test('sets every variable of its commands', async () => {
    const { drills: job } = await expanded();
    const namesIn = (text: string): string[] =>
      [...text.matchAll(/\$(?:\{\{ env\.)?([A-Z]+)\b/g)].map(([, name = '']) => name);
    const here = [...github, ...Object.values(drills)].flatMap(namesIn);
    expect(here.length).toBeGreaterThan(4);
    expect(here.filter((name) => !Object.hasOwn(workflow.jobs.drills.env, name))).toEqual([]);
    const there = firedrillIn(job.script).flatMap(namesIn);
    expect(there.filter((name) => !Object.hasOwn(job.variables, name))).toEqual([]);
  });
});
