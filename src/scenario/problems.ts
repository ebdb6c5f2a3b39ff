import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { InvalidInput, type NodePath, type Problem, type Source } from './source.ts';

/** `; did you mean "x"?` when a known word is near, else a list of the known ones. */
export function suggest(word: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const near = closest(word, [...known]);
  if (distance(word, near) <= Math.max(1, Math.floor(word.length / 3))) return `; did you mean "${near}"?`;
  return `; known: ${known.join(', ')}`;
}

/** Parses a source with a schema; each problem has its position and, for a typo, a suggestion. @throws InvalidInput */
export function parseWith<T>(source: Source, schema: z.ZodType<T>): T {
  const result = schema.safeParse(source.value);
  if (result.success) return result.data;
  const known = propertyNames(schema);
  throw new InvalidInput(
    source.path,
    result.error.issues.flatMap((issue) => problemsOf(source, issue, known)),
  );
}

function problemsOf(source: Source, issue: z.core.$ZodIssue, known: readonly string[]): Problem[] {
  const path: NodePath = issue.path.filter((part) => typeof part !== 'symbol');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) =>
        source.atKey(
          path,
          key,
          key === '<<'
            ? 'merge keys (<<) are not supported; write the fields out'
            : known.includes(key)
              ? `field "${key}" does not belong here`
              : `unknown field "${key}"${nearOnly(key, known)}`,
        ),
      );
    case 'invalid_union': {
      if ('note' in issue && issue.note === 'No matching discriminator') {
        const given = valueAt(source.value, path);
        const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
        return [
          given === undefined
            ? source.at(path, `missing field "${String(path.at(-1) ?? '')}"${listOf(options)}`)
            : source.at(
                path,
                `unknown ${String(path.at(-1) ?? 'value')} ${JSON.stringify(given)}${suggest(typeof given === 'string' ? given : JSON.stringify(given), options)}`,
              ),
        ];
      }
      // A schema's own wording tells more than any of its branches.
      if (!issue.message.startsWith('Invalid input')) {
        return [source.at(path, `${nameOf(path)}${issue.message}`)];
      }
      // The branch that got furthest tells more than "invalid input".
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
        return [source.at(path, `missing field "${field}" (${issue.expected})`)];
      }
      // A schema's own wording tells more than the type it wants.
      if (!issue.message.startsWith('Invalid input')) {
        return [source.at(path, `${nameOf(path)}${issue.message}`)];
      }
      return [
        source.at(
          path,
          `${nameOf(path)}expected ${issue.expected}, found ${kindOf(valueAt(source.value, path))}`,
        ),
      ];
    }
    case 'invalid_value':
      return [
        source.at(
          path,
          `${nameOf(path)}expected ${issue.values.map(String).join(' or ')}, found ${JSON.stringify(valueAt(source.value, path))}`,
        ),
      ];
    case 'invalid_key': {
      const key = String(path.at(-1) ?? '');
      return [source.atKey(path.slice(0, -1), key, `"${key}": ${issue.issues[0]?.message ?? issue.message}`)];
    }
    case 'too_small':
      return [source.at(path, `${nameOf(path)}${issue.minimum === 1 ? 'must not be empty' : issue.message}`)];
    default:
      return [source.at(path, `${nameOf(path)}${issue.message}`)];
  }
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

function nearOnly(word: string, known: readonly string[]): string {
  const hint = suggest(word, known);
  return hint.startsWith('; did you mean') ? hint : '';
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return JSON.stringify(value);
}

function valueAt(value: unknown, path: NodePath): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = Reflect.get(current, part);
  }
  return current;
}

/** Every property name that the schema knows anywhere: what a misspelt key may have meant. */
function propertyNames(schema: z.ZodType): string[] {
  const names = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const properties: unknown = Reflect.get(node, 'properties');
    if (typeof properties === 'object' && properties !== null) {
      for (const name of Object.keys(properties)) names.add(name);
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  return [...names];
}
