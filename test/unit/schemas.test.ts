import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { madeFiles } from '../../scripts/docs/made-files.ts';
import { schemaNames, schemaText, schemaTextFor } from '../../src/cli/commands/schema.ts';
import { malformedFiles } from '../../src/scenario/testing/corpus.ts';
import { scenarioSchema } from '../../src/scenario/scenario-schema.ts';
import { parseSource } from '../../src/scenario/source.ts';
import { suiteSchema } from '../../src/scenario/suite-schema.ts';
import { targetSchema } from '../../src/scenario/target-schema.ts';
import { type FileKind, ourFiles, root } from './lib/our-files.ts';

const files = ourFiles();
const zodSchemas = { scenario: scenarioSchema, target: targetSchema, suite: suiteSchema };

/** Compiles the published schema. In strict mode, an unknown keyword is an error. */
function validatorOf(kind: FileKind) {
  return compiled(readFileSync(join(root, `schemas/${kind}.schema.json`), 'utf8'));
}

function compiled(schema: string) {
  const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true });
  return ajv.compile(JSON.parse(schema) as object);
}
const validators = {
  scenario: validatorOf('scenario'),
  target: validatorOf('target'),
  suite: validatorOf('suite'),
};

describe('a generated file', () => {
  test.each([...madeFiles()])('%s is equal to the output of `npm run docs`', (path, text) => {
    expect(existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : 'missing').toBe(text);
  });
});

describe('a committed file', () => {
  test('of each kind is found', () => {
    const count = (kind: FileKind): number => files.filter((file) => file.kind === kind).length;
    expect(count('scenario')).toBeGreaterThan(50);
    expect(count('target')).toBeGreaterThanOrEqual(5);
    expect(count('suite')).toBeGreaterThanOrEqual(3);
  });

  const isExtended = ({ path }: { readonly path: string }): boolean =>
    path.startsWith('examples/extensions/');
  const plain = files.filter((file) => !isExtended(file));

  test.each(plain.map((file) => [file.path, file] as const))('%s', (_path, { path, kind, text, value }) => {
    // A user's repository has the schemas in its installed package.
    const [own = ''] = /^examples\/own-repository\//.exec(path) ?? [];
    const folder = own === '' ? '' : `${own}node_modules/firedrill/`;
    const schema = relative(dirname(path), `${folder}schemas/${kind}.schema.json`);
    expect(text.split('\n')[0]).toBe(`# yaml-language-server: $schema=${schema}`);
    validators[kind](value);
    expect(validators[kind].errors ?? []).toEqual([]);
  });

  test.each(files.filter(isExtended).map((file) => [file.path, file] as const))(
    '%s, with the kinds of its extensions',
    (_path, { kind, value }) => {
      const schema = schemaTextFor(kind, join(root, 'examples/extensions/target.yaml'));
      const validate = compiled(schema);
      validate(value);
      expect(validate.errors ?? []).toEqual([]);
      validators[kind](value);
      expect(validators[kind].errors).not.toEqual(null);
    },
  );
});

type Branch = readonly { readonly code: string; readonly errors?: unknown }[];

/** Whether an issue comes from a refinement in code. The published schema cannot express such an issue. */
function isRefined(issue: Branch[number]): boolean {
  if (issue.code === 'custom') return true;
  const branches = Array.isArray(issue.errors) ? (issue.errors as Branch[]) : [];
  return branches.some((branch) => branch.length > 0 && branch.every(isRefined));
}

/** Malformed files in valid YAML with an error that the schema can express, without errors that depend on other fields or files. */
const structural = malformedFiles().flatMap(({ name, text }) => {
  const kind: FileKind = name.startsWith('invalid-suite-')
    ? 'suite'
    : name.startsWith('invalid-target-')
      ? 'target'
      : 'scenario';
  let value: unknown;
  try {
    value = parseSource(name, text).value;
  } catch {
    return [];
  }
  // The schema cannot check a variable: its value is unknown.
  if (kind === 'scenario' && /^(?:variables|matrix):/m.test(text)) return [];
  const issues = zodSchemas[kind].safeParse(value).error?.issues ?? [];
  return issues.every((issue) => isRefined(issue)) ? [] : [{ name, kind, value }];
});

describe('a malformed file', () => {
  test('has an error that the schema can express, in more than 60 files', () => {
    expect(structural.length).toBeGreaterThan(60);
  });

  test.each(structural)('$name is refused by the published schema', ({ kind, value }) => {
    expect(validators[kind](value)).toBe(false);
  });
});

interface Node {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
}

/** Each field of a schema, with its path. */
function fieldsOf(node: unknown, path = ''): { readonly path: string; readonly field: Node }[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = Object.entries((node as Node).properties ?? {}).flatMap(([name, field]) => [
    { path: `${path}.${name}`, field },
    ...fieldsOf(field, `${path}.${name}`),
  ]);
  const within = Object.entries(node)
    .filter(([key]) => key !== 'properties')
    .flatMap(([key, value]) => fieldsOf(value, /^\d+$|Of$/.test(key) ? path : `${path}.${key}`));
  return [...own, ...within];
}

describe.each(schemaNames)('the schema of a %s', (name) => {
  const fields = fieldsOf(JSON.parse(schemaText(name)));

  test('has a description of each field', () => {
    expect(fields.length).toBeGreaterThan(10);
    expect(fields.filter(({ field }) => !field.description?.endsWith('.')).map(({ path }) => path)).toEqual(
      [],
    );
  });

  test('has only valid defaults', () => {
    const ajv = new Ajv({ strict: false });
    const wrong = fields.filter(
      ({ field }) => field.default !== undefined && !ajv.validate(field, field.default),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});
