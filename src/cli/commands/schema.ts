import { z } from 'zod';
import type { Kinds } from '../../core/kinds.ts';
import { builtInKinds } from '../../extension/kinds.ts';
import { extensionsOf } from '../../extension/load.ts';
import { scenarioSchemaOf } from '../../scenario/scenario-schema.ts';
import { suiteSchema } from '../../scenario/suite-schema.ts';
import { targetSchemaOf } from '../../scenario/target-schema.ts';
import { display } from '../display-path.ts';
import { readInput } from '../inputs.ts';

/** Kinds of files that `firedrill schema` accepts. */
export const schemaNames = ['scenario', 'target', 'suite'] as const;

const schemas = {
  scenario: scenarioSchemaOf,
  target: targetSchemaOf,
  suite: () => suiteSchema,
} as const;

const made = new Map<string, string>();

/** The JSON Schema of a file kind with the kinds of a target's extensions, as text. @throws InvalidInput */
export function schemaTextFor(name: (typeof schemaNames)[number], target: string | undefined): string {
  return target === undefined
    ? schemaText(name)
    : makeSchema(name, extensionsOf(readInput(target).source, display).kinds);
}

/** The JSON Schema of a file kind, as text. Draft-07, which editors support. Computed once per kind. */
export function schemaText(name: (typeof schemaNames)[number]): string {
  const text = made.get(name) ?? makeSchema(name);
  made.set(name, text);
  return text;
}

function makeSchema(name: (typeof schemaNames)[number], kinds: Kinds = builtInKinds): string {
  const schema = schemaOf(name, kinds);
  return `${JSON.stringify(name === 'scenario' ? allowVariables(schema) : schema, null, 2)}\n`;
}

/** The JSON Schema of a file kind after variables are replaced. */
export function schemaOf(name: (typeof schemaNames)[number], kinds: Kinds = builtInKinds): object {
  return z.toJSONSchema(schemas[name](kinds), { target: 'draft-7', io: 'input' });
}

/** Text that contains a variable. */
const withVariable = { type: 'string', pattern: '\\$\\{[^}]+\\}' } as const;
/** Keywords that restrict a text. Where one applies, a variable must be allowed as well. */
const limits = ['pattern', 'enum', 'maxLength'];
/** Places without variables: definitions, names, and discriminators of kinds. */
const literal = new Set(['variables', 'matrix', 'propertyNames', 'const', 'enum', 'required']);

/** Allows `${name}` wherever a scenario may use it, so that editors do not mark it as an error. */
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
  // Editors show the description of the field itself, not of its alternatives.
  const { description, default: fallback, ...plain } = schema as Record<string, unknown>;
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [plain, withVariable],
  };
}

/** Allows a variable as the kind itself. The other fields are then not checked. */
function withOpenKind(schema: Readonly<Record<string, unknown>>): unknown {
  const { oneOf } = schema;
  const isKind = (option: unknown): boolean =>
    typeof (option as { properties?: { kind?: { const?: unknown } } }).properties?.kind?.const === 'string';
  if (!Array.isArray(oneOf) || !oneOf.every(isKind)) return schema;
  const kind = { description: 'The kind, from a variable.', ...withVariable };
  return { ...schema, oneOf: [...oneOf, { type: 'object', properties: { kind }, required: ['kind'] }] };
}
