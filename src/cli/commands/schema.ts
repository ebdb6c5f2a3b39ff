import { z } from 'zod';
import { scenarioSchema } from '../../scenario/scenario-schema.ts';
import { suiteSchema } from '../../scenario/suite-schema.ts';
import { targetSchema } from '../../scenario/target-schema.ts';

/** Names that `firedrill schema` takes. */
export const schemaNames = ['scenario', 'target', 'suite'] as const;

const schemas = { scenario: scenarioSchema, target: targetSchema, suite: suiteSchema } as const;

const made = new Map<string, string>();

/** The JSON Schema (draft-07, what editors read) of a file kind, as text. Made once. */
export function schemaText(name: (typeof schemaNames)[number]): string {
  const text = made.get(name) ?? makeSchema(name);
  made.set(name, text);
  return text;
}

function makeSchema(name: (typeof schemaNames)[number]): string {
  const schema = schemaOf(name);
  return `${JSON.stringify(name === 'scenario' ? allowVariables(schema) : schema, null, 2)}\n`;
}

/** The JSON Schema of a file kind, as it is once variables are filled in. */
export function schemaOf(name: (typeof schemaNames)[number]): object {
  return z.toJSONSchema(schemas[name], { target: 'draft-7', io: 'input' });
}

/** Text with a variable in it. */
const withVariable = { type: 'string', pattern: '\\$\\{[^}]+\\}' } as const;
/** What makes a value more than any text; a variable may stand for it. */
const limits = ['pattern', 'enum', 'maxLength'];
/** Where nothing is filled in: definitions, names, and the words that tell kinds apart. */
const literal = new Set(['variables', 'matrix', 'propertyNames', 'const', 'enum', 'required']);

/** The schema with `${name}` allowed wherever a scenario may say it: editors must not mark it as wrong. */
function allowVariables(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(allowVariables);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema);
  const { type } = schema as { readonly type?: unknown };
  const scalar = type === 'string' || type === 'number' || type === 'integer' || type === 'boolean';
  if (!scalar)
    return withOpenKind(
      Object.fromEntries(entries.map(([key, it]) => [key, literal.has(key) ? it : allowVariables(it)])),
    );
  const limited = type !== 'string' || limits.some((key) => key in schema);
  if (!limited || 'const' in schema) return schema;
  // What editors show of a field stands on the field, not within one of the things that it may be.
  const { description, default: fallback, ...plain } = schema as Record<string, unknown>;
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [plain, withVariable],
  };
}

/** A variable may stand for the kind itself: then nothing can be said of the other fields. */
function withOpenKind(schema: Readonly<Record<string, unknown>>): unknown {
  const { oneOf } = schema;
  const isKind = (option: unknown): boolean =>
    typeof (option as { properties?: { kind?: { const?: unknown } } }).properties?.kind?.const === 'string';
  if (!Array.isArray(oneOf) || !oneOf.every(isKind)) return schema;
  const kind = { description: 'The kind that the variable says.', ...withVariable };
  return { ...schema, oneOf: [...oneOf, { type: 'object', properties: { kind }, required: ['kind'] }] };
}
