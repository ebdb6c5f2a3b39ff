import * as fc from 'fast-check';
import { knownFields } from '../../../src/scenario/known-fields.ts';
import { scenarioSchema } from '../../../src/scenario/scenario-schema.ts';
import { parseSource, type NodePath } from '../../../src/scenario/source.ts';
import { suiteSchema } from '../../../src/scenario/suite-schema.ts';
import { targetSchema } from '../../../src/scenario/target-schema.ts';
import type { ValidInput } from './valid-inputs.ts';

const schemas = { scenario: scenarioSchema, target: targetSchema, suite: suiteSchema } as const;

/** A field of a valid file. */
interface Field {
  readonly key: string;
  /** Position of its key: an offset in the text, and line and column as problems have them. */
  readonly offset: number;
  readonly line: number;
  readonly column: number;
  /** The fields that are allowed in its place. */
  readonly here: readonly string[];
}

/** A typo in a key, and the expected problem. */
export interface Typo {
  readonly text: string;
  readonly key: string;
  readonly typed: string;
  readonly place: string;
  readonly here: readonly string[];
}

/** Every field of a file, except fields with free names. */
export function fieldsOf({ kind, path, text }: ValidInput): Field[] {
  const source = parseSource(path, text);
  const known = knownFields(schemas[kind]);
  const starts = [0];
  for (const [i, letter] of [...text.matchAll(/\n/g)].entries()) starts[i + 1] = letter.index + 1;
  const visit = (value: unknown, at: NodePath): Field[] => {
    if (Array.isArray(value)) return value.flatMap((item, i) => visit(item, [...at, i]));
    if (typeof value !== 'object' || value === null) return [];
    const here = known.at(source.value, at);
    return Object.entries(value).flatMap(([key, item]) => {
      const { line, column } = source.atKey(at, key, '');
      const offset = (starts[line - 1] ?? 0) + column - 1;
      const inside = visit(item, [...at, key]);
      return here.includes(key) && text.startsWith(key, offset)
        ? [{ key, offset, line, column, here }, ...inside]
        : inside;
    });
  };
  return visit(source.value, []);
}

/** Generates typos. */
export const slips = fc.record({
  field: fc.nat(),
  kind: fc.constantFrom('lost', 'doubled', 'wrong', 'swapped'),
  at: fc.nat(),
  letter: fc.integer({ min: 97, max: 122 }).map((code) => String.fromCharCode(code)),
});
type Slip = typeof slips extends fc.Arbitrary<infer T> ? T : never;

/** The file with the typo; undefined if the result is a known field, or empty. */
export function typoIn(valid: ValidInput, fields: readonly Field[], slip: Slip): Typo | undefined {
  const field = fields[slip.field % fields.length];
  if (field === undefined) return undefined;
  const { key, offset, line, column, here } = field;
  const at = slip.at % key.length;
  const [head, letter, tail] = [key.slice(0, at), key[at] ?? '', key.slice(at + 1)];
  const typed = {
    lost: head + tail,
    doubled: head + letter + slip.letter + tail,
    wrong: head + slip.letter + tail,
    swapped: tail === '' ? key : head + (tail[0] ?? '') + letter + tail.slice(1),
  }[slip.kind];
  if (typed === '' || knownFields(schemas[valid.kind]).all.includes(typed)) return undefined;
  const text = valid.text.slice(0, offset) + typed + valid.text.slice(offset + key.length);
  return { text, key, typed, place: `${valid.path}:${line}:${column}:`, here };
}
