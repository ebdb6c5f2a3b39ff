import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { sharedTemporaryFolder } from '../temporary-folder.ts';
import {
  githubProblems,
  gitlabRunner,
  readYaml,
  root,
  shellcheck,
  type KnownActions,
} from './lib/ci-readers.ts';

// The CI files of examples/own-repository, with the action and the component of this checkout.

const example = join(root, 'examples/own-repository');
const folder = sharedTemporaryFolder();

describe('the CI of examples/own-repository', () => {
  test('is valid for GitHub, with inputs that the action has', async () => {
    const text = readFileSync(join(example, '.github/workflows/drills.yml'), 'utf8');
    const actions: KnownActions = {
      'actions/checkout': {},
      'OWNER/firedrill': readYaml('action.yml') as KnownActions[string],
    };
    const path = '.github/workflows/drills.yml';
    expect(await githubProblems(text, path, actions)).toEqual([]);
    expect(await githubProblems(text.replace('scenarios:', 'scenario:'), path, actions)).toEqual([
      "Invalid action input 'scenario'",
    ]);
  });

  test('is valid for GitLab, with inputs that the component has', async () => {
    const text = readFileSync(join(example, '.gitlab-ci.yml'), 'utf8').replace(
      /component: .*/,
      'local: templates/firedrill/template.yml',
    );
    const template = readFileSync(join(root, 'templates/firedrill/template.yml'), 'utf8');
    const files = { '.gitlab-ci.yml': text, 'templates/firedrill/template.yml': template };
    const { stdout, exitCode, all } = await gitlabRunner(folder, files, '--preview');
    expect(exitCode, all).toBe(0);
    const { drills } = parse(stdout) as { drills: { script: string[]; after_script: string[] } };
    expect(drills.script.at(-1)).toBe(
      'firedrill run drills/scenarios --out "drill-results" --reporter "list,junit" --label "$CI_COMMIT_REF_NAME"',
    );
    for (const script of [drills.script, drills.after_script])
      expect(await shellcheck(script.join('\n'))).toBe('');
  });
});
