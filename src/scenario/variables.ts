import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { Scalar } from '../core/plan.ts';
import { parseWith } from './problems.ts';
import { nearest, suggest } from './suggest.ts';
import { matrixSchema, scenarioSchema, variablesSchema } from './scenario-schema.ts';
import { InvalidInput, withValue, type NodePath, type Problem, type Source } from './source.ts';

/** The variables of a scenario with their defaults, and its matrix of values. */
export interface Composition {
  readonly variables: ReadonlyMap<string, Scalar>;
  /** Entries by dimension. An entry sets the variable that has the dimension's name, or multiple variables together. */
  readonly matrix: ReadonlyMap<string, readonly Entry[]>;
}

/** Pairs of variable and value; never empty. */
type Entry = readonly (readonly [name: string, value: Scalar])[];

/** Every name that `--var` may set. */
export function variableNames({ variables, matrix }: Composition): string[] {
  return [...variables.keys(), ...new Set([...matrix.values()].flat().flatMap(namesIn))];
}

function namesIn(entry: Entry): string[] {
  return entry.map(([name]) => name);
}

/** A scenario with one set of values. */
export interface Combination {
  /** The scenario with every variable replaced by its value; positions stay those of the file. */
  readonly source: Source;
  /** Values of all variables; those of the matrix come last. */
  readonly values: Readonly<Record<string, Scalar>>;
  /** The first value of each matrix entry, which identifies this combination. Empty without a matrix. */
  readonly matrix: Readonly<Record<string, Scalar>>;
}

/** Most drills of a matrix; more than fit into any maintenance window. */
const maxDrills = 1000;
/** A value replaces each use of its variable, so its length bounds the growth of the text. */
const maxValueChars = 1000;

/** Reserved names, which refer to a step's host. */
const reserved = ['host', 'address'];
const reference = /\$\{([A-Za-z][\w.-]*)\}/g;

const compositionSchema = z.looseObject({
  variables: variablesSchema.default({}),
  matrix: matrixSchema.default({}),
});

/** Reads `variables` and `matrix` of a scenario file. @throws InvalidInput */
export function compositionOf(source: Source): Composition {
  const { variables, matrix } = parseWith(source, compositionSchema, true);
  const problems: Problem[] = [];
  for (const key of Object.keys(Object(source.value))) {
    // Without this check, a typo here would be reported at every use of a variable instead.
    const meant = Object.hasOwn(scenarioSchema.shape, key)
      ? undefined
      : nearest(key, ['variables', 'matrix']);
    if (meant !== undefined)
      problems.push(source.atKey([], key, `unknown field "${key}"; did you mean "${meant}"?`));
  }
  for (const section of ['variables', 'matrix'] as const) {
    for (const name of Object.keys({ variables, matrix }[section])) {
      if (reserved.includes(name)) {
        problems.push(
          source.atKey(
            [section],
            name,
            `"\${${name}}" is reserved for the fault's host; choose another name`,
          ),
        );
      }
    }
    for (const { path, text } of textsIn(Reflect.get(Object(source.value), section), [section])) {
      if (variablesIn(text).length > 0) {
        problems.push(source.at(path, `the value of a variable cannot contain another variable`));
      }
      if (text.length > maxValueChars) {
        problems.push(source.at(path, `the value of a variable is longer than ${maxValueChars} characters`));
      }
    }
  }
  const dimensions = Object.entries(matrix).map(([dimension, items]) => ({
    dimension,
    entries: items.map((item): Entry =>
      typeof item === 'object' ? Object.entries(item) : [[dimension, item]],
    ),
  }));
  const drills = dimensions.reduce((product, { entries }) => product * entries.length, 1);
  if (drills > maxDrills) {
    problems.push(
      source.atKey(
        [],
        'matrix',
        `matrix: has ${drills} combinations, but a scenario may have at most ${maxDrills} drills`,
      ),
    );
  }
  const setBy = new Map<string, string>();
  for (const { dimension, entries } of dimensions) {
    const slugs = entries.map(labelOf).map(slugOf);
    for (const [i, entry] of entries.entries()) {
      const at = (message: string): void => {
        problems.push(source.at(['matrix', dimension, i], message));
      };
      if (entry.length === 0) at(`${dimension}: must not be empty`);
      if (slugs.indexOf(slugs[i] ?? '') < i) {
        at(`${dimension}: two values give their drills the same name, "${slugs[i] ?? ''}"; change one`);
      }
      for (const name of namesIn(entry)) {
        const other = setBy.get(name) ?? dimension;
        if (other !== dimension) at(`"${name}" is also set by "${other}"; remove one`);
        setBy.set(name, other);
      }
    }
  }
  for (const [name, dimension] of setBy) {
    if (name !== dimension && reserved.includes(name)) {
      problems.push(
        source.atKey(
          ['matrix'],
          dimension,
          `"\${${name}}" is reserved for the fault's host; choose another name`,
        ),
      );
    }
    if (Object.hasOwn(variables, name)) {
      problems.push(source.atKey(['matrix'], dimension, `"${name}" is also in \`variables\`; remove one`));
    }
  }
  if (problems.length > 0) throw new InvalidInput(source.path, problems);
  return {
    variables: new Map(Object.entries(variables)),
    matrix: new Map(dimensions.map(({ dimension, entries }) => [dimension, entries])),
  };
}

/**
 * All combinations of the matrix; the last dimension varies fastest. An override replaces the default of a variable, or
 * selects the matrix entries that have its value.
 * @throws DrillError `invalid-input` for an invalid override; InvalidInput for an unknown `${name}`
 */
export function combinationsOf(
  source: Source,
  composition: Composition,
  overrides: Readonly<Record<string, string>>,
): Combination[] {
  const { variables, matrix } = composition;
  const given = new Map(Object.entries(overrides));
  const names = variableNames(composition);
  const stray = [...given.keys()].find((name) => !names.includes(name));
  if (stray !== undefined) throw unknownOverride(stray, source.path, names);
  const fixed = [...variables].map(([name, value]): [string, Scalar] => {
    const text = given.get(name);
    return [name, text === undefined ? value : parseOverride(name, text, value)];
  });
  let rows: { readonly entries: Entry; readonly label: [string, Scalar][] }[] = [{ entries: [], label: [] }];
  for (const all of matrix.values()) {
    const picked = pickOverrides(all, given);
    rows = rows.flatMap(({ entries, label }) =>
      picked.map((entry) => {
        const [first] = entry;
        return {
          entries: [...entries, ...entry],
          label: first === undefined ? label : [...label, [...first] as [string, Scalar]],
        };
      }),
    );
  }
  return rows.map(({ entries, label }) => {
    const values = new Map([...fixed, ...entries]);
    return {
      source: substitute(source, values),
      values: Object.fromEntries(values),
      matrix: Object.fromEntries(label),
    };
  });
}

/** Suffix of a combination for the scenario's name: `-edge-active`. */
export function nameSuffix(matrix: Combination['matrix']): string {
  return Object.values(matrix)
    .map((value) => `-${slugOf(value)}`)
    .join('');
}

/** Suffix of a combination for the scenario's title: ` (container edge, on active)`. */
export function titleSuffix(matrix: Combination['matrix']): string {
  const parts = Object.entries(matrix).map(([name, value]) => `${name} ${value}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** Every text in a parsed value, with its path. */
export function textsIn(value: unknown, path: NodePath): { path: NodePath; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((item, i) => textsIn(item, [...path, i]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => textsIn(item, [...path, key]));
}

/** Replaces `${name}` everywhere except in `variables` and `matrix`. @throws InvalidInput */
function substitute(source: Source, values: ReadonlyMap<string, Scalar>): Source {
  const problems: Problem[] = [];
  const fill = (value: unknown, path: NodePath): unknown => {
    if (typeof value === 'string') {
      const unknown = variablesIn(value).filter((name) => !values.has(name));
      for (const name of unknown) {
        const hint = suggest(name, [...values.keys(), ...reserved]);
        problems.push(source.at(path, `unknown variable "${name}"${hint}`));
      }
      const whole = /^\$\{([^}]*)\}$/.exec(value)?.[1];
      // A text that is only a variable gets the type of its value: a number stays a number.
      if (whole !== undefined && values.has(whole)) return values.get(whole);
      return value.replaceAll(reference, (written, name: string) => String(values.get(name) ?? written));
    }
    if (Array.isArray(value)) return value.map((item, i) => fill(item, [...path, i]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        const defines = path.length === 0 && (key === 'variables' || key === 'matrix');
        return [key, defines ? item : fill(item, [...path, key])];
      }),
    );
  };
  const value = fill(source.value, []);
  if (problems.length > 0) throw new InvalidInput(source.path, problems);
  return withValue(source, value);
}

/** Names of the variables in a text. `${host}`, `${address}`, and `${address.NAME}` are not variables. */
function variablesIn(text: string): string[] {
  return [...text.matchAll(reference)]
    .map(([, name = '']) => name)
    .filter((name) => !reserved.includes(name) && !name.startsWith('address.'));
}

/** The error for a `--var` that no scenario has. `where` is its file, or a name for the files. */
export function unknownOverride(name: string, where: string, known: readonly string[]): DrillError {
  return new DrillError(
    'invalid-input',
    `--var ${name}: ${where} has no such variable${suggest(name, known)}`,
  );
}

/** Converts the text of `--var name=text` to the type of the default. */
function parseOverride(name: string, text: string, fallback: Scalar): Scalar {
  switch (typeof fallback) {
    case 'number':
      if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
      throw wrongForm(name, text, `expected a number, like the default (${fallback})`);
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true';
      throw wrongForm(name, text, 'expected true or false');
    default:
      return text;
  }
}

/** The entries of a dimension that match the overrides. */
function pickOverrides(entries: readonly Entry[], given: ReadonlyMap<string, string>): readonly Entry[] {
  let picked = entries;
  for (const [name, text] of given) {
    const values = entries.flatMap((entry) =>
      entry.filter(([own]) => own === name).map(([, value]) => value),
    );
    if (values.length === 0) continue;
    if (!values.map(String).includes(text)) {
      throw wrongForm(name, text, `the matrix has no such value${suggest(text, values.map(String))}`);
    }
    picked = picked.filter((entry) => entry.some(([own, value]) => own === name && String(value) === text));
  }
  return picked;
}

/** The label of an entry is its first value. */
function labelOf(entry: Entry): Scalar {
  return entry[0]?.[1] ?? '';
}

function wrongForm(name: string, text: string, why: string): DrillError {
  return new DrillError('invalid-input', `--var ${name}=${text}: ${why}`);
}

function slugOf(value: Scalar): string {
  return String(value)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
}
