import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';

/** A valid file. */
export interface ValidInput {
  readonly kind: 'scenario' | 'target' | 'suite';
  readonly path: string;
  readonly text: string;
  /** A scenario's target file, as text. */
  readonly target?: string;
}

const root = join(import.meta.dirname, '..', '..', '..');

function yamlFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(folder, name));
}

/** All scenarios, suites, and targets in the repository. */
export function validInputs(): ValidInput[] {
  const scenarios = yamlFiles('scenarios').map((path): ValidInput => {
    const text = readFileSync(join(root, path), 'utf8');
    const { rows, target } = parse(text) as { rows?: unknown; target: string };
    if (rows !== undefined) return { kind: 'suite', path, text };
    return {
      kind: 'scenario',
      path,
      text,
      target: readFileSync(resolve(root, dirname(path), target), 'utf8'),
    };
  });
  const targets = yamlFiles('compose-lab')
    .filter((path) => path.endsWith('/target.yaml'))
    .map((path): ValidInput => ({ kind: 'target', path, text: readFileSync(join(root, path), 'utf8') }));
  return [...scenarios, ...targets];
}
