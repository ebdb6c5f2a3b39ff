import { z } from 'zod';
import type { NodePath } from './source.ts';

/** Names of the fields of a schema. */
export interface KnownFields {
  /** Names of fields anywhere in the schema. */
  readonly all: readonly string[];
  /** Names of the fields of the map at a path, for the kind that the value there names. Empty for a map with free keys. */
  readonly at: (value: unknown, path: NodePath) => readonly string[];
}

/** The parts of a JSON Schema that describe fields. */
interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: Shape | boolean;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
  readonly allOf?: readonly Shape[];
  readonly const?: unknown;
}

const made = new WeakMap<z.ZodType, KnownFields>();

/** The fields of a schema, as candidates for a misspelled key. Computed once per schema. */
export function knownFields(schema: z.ZodType): KnownFields {
  const before = made.get(schema);
  if (before !== undefined) return before;
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape;
  const known = {
    all: [...allIn(root)],
    at: (value: unknown, path: NodePath) => fieldsAt(root, value, path),
  };
  made.set(schema, known);
  return known;
}

function allIn(shape: Shape): Set<string> {
  const names = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const properties: unknown = Reflect.get(node, 'properties');
    if (typeof properties === 'object' && properties !== null) {
      for (const name of Object.keys(properties)) names.add(name);
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(shape);
  return names;
}

function fieldsAt(root: Shape, value: unknown, path: NodePath): string[] {
  let shapes = choices(root, value);
  let current = value;
  for (const part of path) {
    current = Object.hasOwn(Object(current), part) ? Reflect.get(Object(current), part) : undefined;
    shapes = shapes.flatMap((shape) => {
      const next = typeof part === 'number' ? shape.items : fieldOf(shape, part);
      return next === undefined ? [] : choices(next, current);
    });
  }
  return [...new Set(shapes.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

function fieldOf({ properties = {}, additionalProperties }: Shape, name: string): Shape | undefined {
  if (Object.hasOwn(properties, name)) return properties[name];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

/** The shapes that a value may have. In a discriminated union, only the shape that the value names. */
function choices(shape: Shape, value: unknown): Shape[] {
  const options = [shape.anyOf, shape.oneOf, shape.allOf].flatMap((list) => list ?? []);
  if (options.length === 0) return [shape];
  const all = options.flatMap((option) => choices(option, value));
  const named = all.filter(({ properties = {} }) =>
    Object.entries(properties).some(
      ([name, field]) =>
        field.const !== undefined &&
        Object.hasOwn(Object(value), name) &&
        Reflect.get(Object(value), name) === field.const,
    ),
  );
  return named.length > 0 ? named : all;
}
