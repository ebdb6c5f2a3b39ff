import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { faultKinds } from '../faults/catalog.ts';
import type { Extension } from './define.ts';

/** Methods that each kind of a list must have. */
const methods = {
  faults: ['describe', 'before', 'inject', 'effect', 'heal', 'healed'],
  probes: ['cost', 'describe', 'open'],
  writers: ['newConnections', 'describe', 'open'],
  transports: ['describe', 'create'],
  reporters: ['create'],
} as const;

const lists = Object.keys(methods) as (keyof typeof methods)[];
const extensionName = /^[a-z][a-z0-9-]*$/;
const kindName = /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+$/;

/** Beginnings of built-in kinds, such as `network`: an extension of such a name could be mistaken for one. */
const reserved = new Set(faultKinds.map(({ kind }) => kind.replace(/\..*$/, '')));

/**
 * What is wrong with a module's default export, as text with the edit that fixes it; undefined if it is an extension.
 * A wrong kind is found when the target is read, and not when its drill has begun.
 */
export function shapeProblem(exported: unknown): string | undefined {
  if (typeof exported !== 'object' || exported === null)
    return 'it has no default export; write `export default defineExtension({ name, faults: […] })`';
  const name: unknown = Reflect.get(exported, 'name');
  if (typeof name !== 'string' || !extensionName.test(name))
    return `its \`name\` is ${textOf(name)}; write lowercase letters, digits, and dashes, such as \`name: 'acme'\``;
  if (reserved.has(name))
    return `its name "${name}" is the beginning of built-in kinds; choose another name, such as that of your company`;
  const stray = Object.keys(exported).find((key) => key !== 'name' && !lists.some((list) => list === key));
  if (stray !== undefined) return `it has an unknown field "${stray}"; one of name, ${lists.join(', ')}`;
  for (const list of lists) {
    const kinds: unknown = Reflect.get(exported, list) ?? [];
    if (!Array.isArray(kinds)) return `its \`${list}\` is not a list`;
    for (const [i, kind] of kinds.entries()) {
      const problem = kindProblem(list, kind, name);
      if (problem !== undefined) return `${list}[${i}]${problem}`;
    }
  }
  return undefined;
}

/** The extension of a module whose shape was checked. */
export function extensionOf(exported: object): Extension {
  const { name, ...own } = exported as Pick<Extension, 'name'> & Partial<Extension>;
  return { faults: [], probes: [], writers: [], transports: [], reporters: [], ...own, name };
}

function kindProblem(list: keyof typeof methods, kind: unknown, extension: string): string | undefined {
  if (typeof kind !== 'object' || kind === null) return ' is not an object';
  const field = list === 'reporters' ? 'name' : 'kind';
  const name: unknown = Reflect.get(kind, field);
  if (typeof name !== 'string') return `: its \`${field}\` is ${textOf(name)}; write \`${extension}.NAME\``;
  if (!name.startsWith(`${extension}.`) || !kindName.test(name))
    return `: the name "${name}" must be "${extension}." and a word of lowercase letters, digits, and dashes; write "${extension}.${lastWord(name)}"`;
  const lacking = methods[list].find((method) => typeof Reflect.get(kind, method) !== 'function');
  if (lacking !== undefined) return `: ${name} has no method \`${lacking}\``;
  const text = list === 'reporters' ? 'describe' : 'summary';
  if (typeof Reflect.get(kind, text) !== 'string') return `: ${name} has no text \`${text}\``;
  if (list === 'reporters') return undefined;
  return valueProblem(list, kind, name) ?? paramsProblem(Reflect.get(kind, 'params'), name);
}

function valueProblem(list: keyof typeof methods, kind: object, name: string): string | undefined {
  const oneOf = (field: string, allowed: readonly unknown[]): string | undefined => {
    const value: unknown = Reflect.get(kind, field);
    return allowed.includes(value)
      ? undefined
      : `: ${name}: \`${field}\` is ${textOf(value)}; write ${allowed.map((one) => textOf(one)).join(' or ')}`;
  };
  if (list === 'faults') return oneOf('healAfter', ['recovery', 'redundancy']);
  if (list === 'probes') return oneOf('lane', ['network', 'host']) ?? oneOf('needsHost', [true, false]);
  return undefined;
}

/** The parameters must be a strict object, as zod parses it and JSON Schema describes it. */
function paramsProblem(params: unknown, name: string): string | undefined {
  const shape: unknown = typeof params === 'object' && params !== null && Reflect.get(params, 'shape');
  if (typeof shape !== 'object' || shape === null || !('_zod' in Object(params)))
    return `: \`params\` of ${name} is no object schema of zod 4; write \`params: z.strictObject({ … })\` with the \`z\` that firedrill exports`;
  try {
    const { additionalProperties } = z.toJSONSchema(params as z.ZodType, { target: 'draft-7', io: 'input' });
    return additionalProperties === false
      ? undefined
      : `: \`params\` of ${name} accept unknown fields; write \`z.strictObject\``;
  } catch (error) {
    return `: \`params\` of ${name} cannot be written as JSON Schema: ${messageOf(error)}`;
  }
}

function lastWord(name: string): string {
  const word = name.split('.').at(-1) ?? '';
  return word.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-') || 'name';
}

function textOf(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value) ?? typeof value);
}
