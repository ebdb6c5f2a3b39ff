import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parse } from 'yaml';

export const root = join(import.meta.dirname, '../../..');

/** A YAML file of the checkout. */
export function readYaml(path: string): unknown {
  return parse(readFileSync(join(root, path), 'utf8'));
}

/** An action that a workflow under test uses, by its name in `uses`, without the version. */
export type KnownActions = Readonly<Record<string, { readonly inputs?: Readonly<Record<string, object>> }>>;

/**
 * Messages of GitHub's own language service about a workflow, or about an action if `path` ends with action.yml. With
 * `actions`, it also checks each `uses` and its inputs.
 */
export async function githubProblems(
  text: string,
  path = '.github/workflows/drills.yml',
  actions?: KnownActions,
): Promise<readonly string[]> {
  // The package imports JSON without an import attribute, as bundlers allow.
  const hooks = registerHooks({
    load: (url, context, next) =>
      next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context),
  });
  const { validate } = await import('@actions/languageservice');
  hooks.deregister();
  // The service caches documents by URI, so use a new one each time.
  const document = TextDocument.create(`file:///${randomUUID()}/${path}`, 'yaml', 1, text);
  const found = await validate(
    document,
    actions === undefined
      ? {}
      : {
          actionsMetadataProvider: {
            fetchActionMetadata: async ({ owner, name }) => actions[`${owner}/${name}`] as never,
          },
        },
  );
  return found.map(({ message }) => (typeof message === 'string' ? message : message.value));
}

/**
 * Runs gitlab-ci-local, a GitLab runner without a GitLab server, in a folder with these files. It validates the pipeline with
 * GitLab's schema first.
 */
export async function gitlabRunner(
  folder: string,
  files: Readonly<Record<string, string>>,
  ...args: readonly string[]
) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  // Local includes are read from the files that Git tracks.
  await execa('git', ['init', '--quiet'], { cwd: folder });
  await execa('git', ['add', '--', ...Object.keys(files)], { cwd: folder });
  return execa(
    'gitlab-ci-local',
    ['--state-dir', 'state', '--ignore-predefined-vars', 'CI_PIPELINE_SOURCE,CI_COMMIT_TAG', ...args],
    {
      cwd: folder,
      preferLocal: true,
      localDir: root,
      reject: false,
      all: true,
    },
  );
}

/** What ShellCheck finds in a script; empty if nothing. */
export async function shellcheck(script: string): Promise<string> {
  const { stdout } = await execa('shellcheck', ['--shell=bash', '-'], { input: script, reject: false });
  return stdout;
}
