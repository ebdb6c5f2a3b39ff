import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parse } from 'yaml';
import { sharedTemporaryFolder } from '../temporary-folder.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): unknown => parse(readFileSync(join(root, path), 'utf8'));

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
      readonly steps: readonly { readonly run?: string; readonly uses?: string; readonly if?: string }[];
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

const workflow = read('.github/workflows/drills.yml') as Workflow;
const pipeline = read('.gitlab-ci.yml') as Pipeline;
const { steps } = workflow.jobs.drills;
const github = steps.flatMap(({ run }) => run ?? []);
const gitlab = [...pipeline.drills.script, ...pipeline.drills.after_script];
const ours = (commands: readonly string[]): string[] =>
  commands.filter((command) => /^(?:npx|npm) /.test(command));

/** Messages of GitHub's own language service about a workflow. */
async function problems(text: string): Promise<readonly string[]> {
  // The package imports JSON without an import attribute, as bundlers allow.
  const hooks = registerHooks({
    load: (url, context, next) =>
      next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context),
  });
  const { validate } = await import('@actions/languageservice');
  hooks.deregister();
  // The service caches documents by URI, so use a new one each time.
  const address = `file:///${randomUUID()}/.github/workflows/drills.yml`;
  const found = await validate(TextDocument.create(address, 'yaml', 1, text));
  return found.map(({ message }) => (typeof message === 'string' ? message : message.value));
}

const checkout = sharedTemporaryFolder();

/** Runs gitlab-ci-local, a GitLab runner without a GitLab server. It validates the pipeline with GitLab's schema first. */
async function gitlabRunner(text: string, ...args: readonly string[]) {
  writeFileSync(join(checkout, '.gitlab-ci.yml'), text);
  return execa(
    'gitlab-ci-local',
    ['--state-dir', 'state', '--ignore-predefined-vars', 'CI_PIPELINE_SOURCE,CI_COMMIT_TAG', ...args],
    {
      cwd: checkout,
      preferLocal: true,
      localDir: root,
      reject: false,
      all: true,
    },
  );
}

describe('the CI of the repository', () => {
  test('is valid for GitHub, including its expressions', async () => {
    const text = readFileSync(join(root, '.github/workflows/drills.yml'), 'utf8');
    expect(await problems(text)).toEqual([]);
    expect(await problems(text.replace('timeout-minutes', 'timeout-minuts'))).toEqual([
      "Unexpected value 'timeout-minuts'",
    ]);
    expect(await problems(text.replace('github.ref_type', 'github.reftype'))).toEqual([
      'Context access might be invalid: reftype',
    ]);
  });

  test('from the docs, with multiple machines, is valid for GitHub', async () => {
    const [, jobs = ''] =
      /```yaml\n(jobs:\n[\s\S]*?)```/.exec(readFileSync(join(root, 'docs/nightly-ci.md'), 'utf8')) ?? [];
    expect(await problems(`on: workflow_dispatch\n${jobs}`)).toEqual([]);
    expect(await problems(`on: workflow_dispatch\n${jobs.replace('matrix.shard', 'matrix.shart')}`)).toEqual([
      'Context access might be invalid: shart',
    ]);
  });

  test('is valid for GitLab, which runs it each night, by hand, and for release tags, but not for a push', async () => {
    const text = readFileSync(join(root, '.gitlab-ci.yml'), 'utf8');
    const jobs = async (...variables: readonly string[]) => {
      const set = variables.flatMap((variable) => ['--variable', variable]);
      const { stdout, exitCode, all } = await gitlabRunner(text, '--list-csv', ...set);
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
    const wrong = await gitlabRunner(text.replace('expire_in', 'expire'), '--list');
    expect(wrong.exitCode).not.toBe(0);
    expect(wrong.all).toContain("'expire' property is not expected to be here at drills.artifacts");
  });

  test('runs the same commands on GitHub and GitLab', () => {
    expect(ours(github)).toEqual(ours(gitlab));
    expect(ours(github).map((command) => command.split(' ').slice(0, 3).join(' '))).toEqual([
      'npm ci',
      'npx firedrill doctor',
      'npx firedrill lab',
      'npx firedrill table',
      'npx firedrill heal',
      'npx firedrill lab',
    ]);
  });

  test.each(ours(github).filter((command) => command.startsWith('npx ')))(
    '%s: has only existing options',
    async (command) => {
      const words = command.split(' ').slice(2);
      const verbs = words.slice(0, words[0] === 'lab' ? 2 : 1);
      const { stdout } = await execa(process.execPath, [join(root, 'bin/firedrill.mjs'), ...verbs, '--help']);
      expect(
        words.filter(
          (word) => word.startsWith('--') && !stdout.includes(`${word} `) && !stdout.includes(`${word}\n`),
        ),
      ).toEqual([]);
    },
  );

  test.each([...github, ...gitlab])('%s: ShellCheck has no finding', async (command) => {
    const { stdout } = await execa('shellcheck', ['--shell=bash', '-'], { input: command, reject: false });
    expect(stdout).toBe('');
  });

  test('runs each night, by hand, and for release tags, and never twice in parallel', () => {
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

  test('heals and keeps its results also after a failure', () => {
    const always = steps.filter((step) => step.if === 'always()');
    expect(
      always.flatMap(({ run, uses }) => run?.split(' ').slice(0, 3).join(' ') ?? uses?.replace(/@.*/, '')),
    ).toEqual(['npx firedrill heal', 'actions/upload-artifact', 'npx firedrill lab']);
    expect(pipeline.drills.artifacts).toMatchObject({ when: 'always', paths: ['drills'] });
  });

  test('sets every variable of its commands', () => {
    const used = [
      ...ours(github)
        .join('\n')
        .matchAll(/\$([A-Z_]+)/g),
    ].map(([, name]) => name);
    for (const set of [workflow.jobs.drills.env, pipeline.drills.variables])
      expect(used.filter((name) => !Object.keys(set).includes(name ?? ''))).toEqual([]);
  });
});
