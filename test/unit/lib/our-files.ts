import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { schemaNames } from '../../../src/cli/commands/schema.ts';
import { parseSource } from '../../../src/scenario/source.ts';

/** The root of the checkout. */
export const root = join(import.meta.dirname, '../../..');

/** The kind of a file: the name of its schema. */
export type FileKind = (typeof schemaNames)[number];

/** A committed scenario, target, or suite. */
export interface OurFile {
  readonly path: string;
  readonly kind: FileKind;
  readonly text: string;
  readonly value: unknown;
}

const others = new Set(['node_modules', '.git', '.firedrill', 'reports', 'coverage', 'dist']);

/** Paths of all files of the checkout, relative to its root, without the folders of runs and tools. */
function checkoutFiles(): string[] {
  return readdirSync(root)
    .filter((name) => !others.has(name))
    .flatMap((name) =>
      statSync(join(root, name)).isDirectory()
        ? readdirSync(join(root, name), { recursive: true, encoding: 'utf8' })
            .map((path) => join(name, path))
            .filter((path) => statSync(join(root, path)).isFile())
        : [name],
    )
    .sort();
}

/** All committed scenarios, targets, and suites except those in testdata. Their top-level keys identify them. */
export function ourFiles(): OurFile[] {
  return checkoutFiles()
    .filter((path) => /\.ya?ml$/.test(path) && !path.includes('/testdata/'))
    .flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      const kind = kindOf(text);
      return kind === undefined ? [] : [{ path, kind, text, value: parseSource(path, text).value }];
    });
}

function kindOf(text: string): FileKind | undefined {
  const has = (field: string): boolean => new RegExp(`^${field}:`, 'm').test(text);
  if (has('faults')) return 'scenario';
  if (has('rows') && has('title')) return 'suite';
  return has('hosts') && has('probes') ? 'target' : undefined;
}
