import * as fc from 'fast-check';
import { parse, stringify } from 'yaml';

/** One change of a text; `at` and `to` are positions from 0 to 1. */
export type Edit =
  | {
      readonly kind: 'insert' | 'replace';
      readonly at: number;
      readonly length: number;
      readonly text: string;
    }
  | { readonly kind: 'delete' | 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'swap'; readonly at: number; readonly to: number }
  | { readonly kind: 'line-ends' | 'mark' }
  | { readonly kind: 'set'; readonly at: number; readonly value: unknown }
  | { readonly kind: 'rename'; readonly at: number; readonly text: string }
  | { readonly kind: 'move'; readonly at: number; readonly to: number }
  | { readonly kind: 'drop' | 'wrap' | 'share'; readonly at: number };

/** Texts with a meaning in YAML, in firedrill's files, or in JavaScript. */
const tokens = [
  '\t',
  '\n',
  '\r\n',
  '\r',
  ' ',
  '  ',
  '\0',
  '\u0007',
  '\uFEFF',
  '\u2028',
  '\u0085',
  '\uD800',
  '𝕏',
  '\u202E',

  '{',
  '}',
  '[',
  ']',
  ',',
  '- ',
  '? ',
  ': ',
  ':',
  '#',
  ' # ',
  '|\n',
  '>-\n',
  '"',
  "'",
  '\\',
  '`',
  '@',
  '%',
  '&',
  '*',

  '&a ',
  '*a',
  '!a ',
  '!!str ',
  '!!set ',
  '<<: ',
  '---\n',
  '...\n',
  '%YAML 1.1\n---\n',
  '%TAG ! a\n---\n',

  '~',
  'null',
  'true',
  'on',
  '.nan',
  '.inf',
  '-0',
  '0x1F',
  '0o7',
  '1e999',
  '1_000',
  '2001-01-01',
  '9'.repeat(400),

  '${',
  '}',
  '${host}',
  '${address}',
  '${address.x}',
  '${x}',
  '${container}',
  '$',
  '0s',
  '1ms',
  '-1s',
  '1e9h',

  '__proto__',
  'constructor',
  'toString',
  'length',
  'kind: ',
  'kind: http',
  'on: ',
  'matrix: ',
  'variables: ',
  'a'.repeat(3000),
  '['.repeat(200),
  '{a: '.repeat(200),
  '- '.repeat(200),
  '('.repeat(500),
  '(a+)+$',
];

const token = fc.oneof(
  fc.constantFrom(...tokens),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

const scalar = fc.oneof(
  fc.constantFrom(null, true, false, 0, -1, 1, 0.5, 1e21, Number.NaN, Number.POSITIVE_INFINITY, -0, 2 ** 53),
  fc.constantFrom(
    '',
    ' ',
    '0s',
    '5s',
    '0.0001ms',
    '999999h',
    '${host}',
    '${x}',
    'http://a:b@c/',
    '(',
    '[',
    '../..',
  ),
  token,
  fc.double(),
  fc.integer(),
);

const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.dictionary(token, scalar, { maxKeys: 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 120 }).map((depth) => nested(depth)) },
);

function nested(depth: number): unknown {
  return depth === 0 ? 'x' : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) };
}

const at = fc.double({ min: 0, max: 1, noNaN: true });
const length = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 400 }));

const ofBytes: readonly fc.Arbitrary<Edit>[] = [
  fc.record({ kind: fc.constantFrom('insert', 'replace'), at, length, text: token }),
  fc.record({ kind: fc.constantFrom('delete', 'repeat'), at, length }),
  fc.record({ kind: fc.constant('swap'), at, to: at }),
  fc.record({ kind: fc.constantFrom('line-ends', 'mark') }),
];
const ofStructure: readonly fc.Arbitrary<Edit>[] = [
  fc.record({ kind: fc.constant('set'), at, value }),
  fc.record({ kind: fc.constant('rename'), at, text: token }),
  fc.record({ kind: fc.constant('move'), at, to: at }),
  fc.record({ kind: fc.constantFrom('drop', 'wrap', 'share'), at }),
];

/** Up to three changes of a file's structure, then up to three of its text. */
export const edits: fc.Arbitrary<readonly Edit[]> = fc
  .tuple(
    fc.array(fc.oneof(...ofStructure), { maxLength: 3 }),
    fc.array(fc.oneof(...ofBytes), { maxLength: 3 }),
  )
  .map(([structure, bytes]) => [...structure, ...bytes])
  .filter((all) => all.length > 0);

const parsed = new Map<string, unknown>();

/** Applies the changes to the text. */
export function edited(text: string, all: readonly Edit[]): string {
  const structure = all.filter((edit) => structural.has(edit.kind));
  let made = text;
  if (structure.length > 0) {
    if (!parsed.has(text)) parsed.set(text, parse(text));
    const root = { file: structuredClone(parsed.get(text)) };
    for (const edit of structure) change(root, edit);
    made = stringify(root.file) ?? '';
  }
  for (const edit of all) if (!structural.has(edit.kind)) made = changed(made, edit);
  return made;
}

const structural: ReadonlySet<Edit['kind']> = new Set(['set', 'rename', 'move', 'drop', 'wrap', 'share']);

/** A place in a value: its holder and its key there. */
type Place = { readonly holder: Record<string, unknown>; readonly key: string };

function placesIn(holder: object, depth = 0): Place[] {
  if (depth > 20) return [];
  return Object.entries(holder).flatMap(([key, item]: [string, unknown]) => [
    { holder: holder as Record<string, unknown>, key },
    ...(typeof item === 'object' && item !== null ? placesIn(item, depth + 1) : []),
  ]);
}

function change(root: { file: unknown }, edit: Edit): void {
  const places = placesIn(root);
  const placeAt = (share: number): Place | undefined =>
    places[Math.min(Math.floor(share * places.length), places.length - 1)];
  const place = 'at' in edit ? placeAt(edit.at) : undefined;
  if (place === undefined) return;
  const { holder, key } = place;
  const other = 'to' in edit ? placeAt(edit.to) : undefined;
  switch (edit.kind) {
    case 'set':
      holder[key] = structuredClone(edit.value);
      break;
    case 'rename':
      if (!Array.isArray(holder) && holder !== root) {
        const item = holder[key];
        delete holder[key];
        Object.defineProperty(holder, edit.text, {
          value: item,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      break;
    case 'move':
      if (other !== undefined) other.holder[other.key] = structuredClone(holder[key]);
      break;
    case 'drop':
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
      break;
    case 'wrap':
      holder[key] = edit.at * 1000 - Math.floor(edit.at * 1000) < 0.5 ? [holder[key]] : { kind: holder[key] };
      break;
    case 'share':
      // Becomes an anchor and an alias.
      if (!Array.isArray(holder)) holder[`${key}s`] = holder[key];
      else holder.push(holder[Number(key)]);
      break;
    default:
  }
}

function changed(text: string, edit: Edit): string {
  const place = (share: number): number => Math.floor(share * text.length);
  switch (edit.kind) {
    case 'insert':
      return text.slice(0, place(edit.at)) + edit.text + text.slice(place(edit.at));
    case 'replace':
      return text.slice(0, place(edit.at)) + edit.text + text.slice(place(edit.at) + edit.length);
    case 'delete':
      return text.slice(0, place(edit.at)) + text.slice(place(edit.at) + edit.length);
    case 'repeat': {
      const part = text.slice(place(edit.at), place(edit.at) + edit.length);
      return text.slice(0, place(edit.at)) + part + text.slice(place(edit.at));
    }
    case 'swap': {
      const lines = text.split('\n');
      const [from, to] = [Math.floor(edit.at * (lines.length - 1)), Math.floor(edit.to * (lines.length - 1))];
      [lines[from], lines[to]] = [lines[to] ?? '', lines[from] ?? ''];
      return lines.join('\n');
    }
    case 'line-ends':
      return text.replaceAll(/\r?\n/g, '\r\n');
    case 'mark':
      return `\uFEFF${text}`;
    default:
      return text;
  }
}
