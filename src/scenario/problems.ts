import { z } from 'zod';
import { knownFields, type KnownFields } from './known-fields.ts';
import { renamedField, renamedValue } from '../core/renamed-words.ts';
import { InvalidInput, type NodePath, type Problem, type Source } from './source.ts';
import { nearest, suggest } from './suggest.ts';

/**
 * Parses a source with a schema. Each problem has a position and, for a typo, a suggestion.
 * @param isPart the schema covers a part of the file; problems of the text are then left to the schema of the whole file
 * @throws InvalidInput
 */
export function parseWith<T>(source: Source, schema: z.ZodType<T>, isPart = false): T {
  const result = schema.safeParse(source.value);
  const textProblems = isPart ? [] : source.textProblems;
  if (result.success && textProblems.length === 0) return result.data;
  const known = knownFields(schema);
  const problems = (result.error?.issues ?? []).flatMap((issue) => problemsOf(source, issue, known));
  throw new InvalidInput(source.path, [...textProblems, ...problems]);
}

function problemsOf(source: Source, issue: z.core.$ZodIssue, known: KnownFields): Problem[] {
  const path: NodePath = issue.path.filter((part) => typeof part !== 'symbol');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) =>
        source.atKey(path, key, strayField(key, known.at(source.value, path), known.all)),
      );
    case 'invalid_union': {
      if ('note' in issue && issue.note === 'No matching discriminator') {
        const given = valueAt(source.value, path);
        const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
        if (given === undefined) return [missingKind(source, path, options, known)];
        const field = String(path.at(-1) ?? 'value');
        const now = renamedValue(field, given);
        const text = typeof given === 'string' ? given : JSON.stringify(given);
        return [
          source.at(
            path,
            now === undefined
              ? `unknown ${field} ${JSON.stringify(given)}${ofExtension(text, options) || suggest(text, options)}`
              : renamed(`${field} "${text}"`, now),
          ),
        ];
      }
      // A message of the schema itself is more specific than those of its branches.
      if (!issue.message.startsWith('Invalid input')) {
        return [source.at(path, `${nameOf(path)}${issue.message}`)];
      }
      // The problems of the deepest branch are more specific than "invalid input".
      const branches = issue.errors.filter((branch) => branch.length > 0);
      const deepest = branches.sort((a, b) => depth(b) - depth(a))[0];
      if (deepest === undefined) return [source.at(path, issue.message)];
      return deepest.flatMap((inner) =>
        problemsOf(source, { ...inner, path: [...path, ...inner.path] }, known),
      );
    }
    case 'invalid_type': {
      const field = path.at(-1);
      if (valueAt(source.value, path) === undefined && field !== undefined) {
        if (field === 'on' && rewrittenOn(valueAt(source.value, path.slice(0, -1))) !== undefined) return [];
        return [source.at(path, `missing field "${field}" (${typeWord(issue.expected)})`)];
      }
      // A message of the schema itself is more specific than the expected type.
      if (!issue.message.startsWith('Invalid input')) {
        return [source.at(path, `${nameOf(path)}${issue.message}`)];
      }
      return [
        source.at(
          path,
          `${nameOf(path)}expected ${typeWord(issue.expected)}, found ${kindOf(valueAt(source.value, path))}`,
        ),
      ];
    }
    case 'invalid_value':
      if (valueAt(source.value, path) === undefined) {
        return [
          source.at(path, `missing field "${String(path.at(-1) ?? '')}"${listOf(issue.values.map(String))}`),
        ];
      }
      return [source.at(path, wrongValue(path, valueAt(source.value, path), issue.values.map(String)))];
    case 'invalid_key': {
      const key = String(path.at(-1) ?? '');
      return [source.atKey(path.slice(0, -1), key, `"${key}": ${issue.issues[0]?.message ?? issue.message}`)];
    }
    case 'too_small':
    case 'too_big':
      return [source.at(path, `${nameOf(path)}${limitText(issue)}`)];
    default:
      return [source.at(path, `${nameOf(path)}${issue.message}`)];
  }
}

/** The message for a violated limit, unless the schema has its own. */
function limitText(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  if (!issue.message.startsWith('Too ')) return issue.message;
  const units: Readonly<Record<string, string>> = { string: ' characters', array: ' items' };
  const unit = units[issue.origin];
  if (issue.code === 'too_big') {
    return `must ${unit === undefined ? 'be' : 'have'} at most ${issue.maximum}${unit ?? ''}`;
  }
  if (unit !== undefined) return issue.minimum === 1 ? 'must not be empty' : issue.message;
  return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
}

/** For a kind that could be an extension's: the edit that brings it. Empty if the name is that of no extension. */
function ofExtension(kind: string, options: readonly string[]): string {
  const [name] = /^[a-z][a-z0-9-]*\.(?=[a-z0-9-])/.exec(kind) ?? [];
  return name === undefined ||
    options.some((option) => option.startsWith(name)) ||
    nearest(kind, options) !== undefined
    ? ''
    : '; if an extension brings it, name its module in `extensions` of the target';
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(...issues.map((issue) => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)));
}

function nameOf(path: NodePath): string {
  const field = path.findLast((part) => typeof part === 'string');
  return field === undefined ? '' : `${field}: `;
}

function listOf(options: readonly string[]): string {
  return options.length === 0 ? '' : `; one of ${options.join(', ')}`;
}

/** A value that is none of those that its field accepts. */
function wrongValue(path: NodePath, given: unknown, accepted: readonly string[]): string {
  const field = path.findLast((part) => typeof part === 'string') ?? '';
  const now = renamedValue(field, given);
  return now !== undefined && accepted.includes(now)
    ? renamed(`${field} ${JSON.stringify(given)}`, now)
    : `${nameOf(path)}expected ${accepted.join(' or ')}, found ${JSON.stringify(given)}`;
}

function renamed(what: string, now: string): string {
  return `${what} was renamed in firedrill 0.2.0: write "${now}"`;
}

/** The message for a field that its map does not have. */
function strayField(key: string, here: readonly string[], anywhere: readonly string[]): string {
  if (here.includes('on') && key === rewrittenOn({ [key]: true }))
    return `unknown field "${key}"; did you mean "on"? A YAML 1.1 tool has rewritten the key \`on\` as a boolean: write "on", with the quotes`;
  const now = renamedField(key, here);
  if (now !== undefined) return renamed(`field "${key}"`, now);
  const elsewhere = anywhere.includes(key);
  const meant = nearest(key, here) ?? (elsewhere ? undefined : nearest(key, anywhere));
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
  return elsewhere ? `field "${key}" does not belong here${hint}` : `unknown field "${key}"${hint}`;
}

/** The key that a YAML 1.1 tool writes in place of `on`. */
function rewrittenOn(map: unknown): string | undefined {
  return Object.keys(Object(map)).find((key) => /^(true|yes|y)$/i.test(key));
}

/** The problem of a map without a kind. A similar key in the map may be a typo of `kind`. */
function missingKind(
  source: Source,
  path: NodePath,
  options: readonly string[],
  known: KnownFields,
): Problem {
  const field = String(path.at(-1) ?? '');
  const parent = path.slice(0, -1);
  const stray = Object.keys(Object(valueAt(source.value, parent))).find(
    (key) => !known.all.includes(key) && nearest(key, [field]) !== undefined,
  );
  return stray === undefined
    ? source.at(path, `missing field "${field}"${listOf(options)}`)
    : source.atKey(parent, stray, `unknown field "${stray}"; did you mean "${field}"?`);
}

/** What YAML users call the types that zod names. */
const typeText: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'a map',
  record: 'a map',
  string: 'text',
};

function typeWord(type: string): string {
  return typeText[type] ?? type;
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return JSON.stringify(value);
}

/** The part of a value at a path; undefined if there is none. */
export function valueAt(value: unknown, path: NodePath): unknown {
  let current = value;
  for (const part of path) {
    if (!Object.hasOwn(Object(current), part)) return undefined;
    current = Reflect.get(Object(current), part);
  }
  return current;
}
