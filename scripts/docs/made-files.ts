import { schemaNames, schemaText } from '../../src/cli/commands/schema.ts';
import { referencePages } from './reference.ts';

/** The committed files that are made from the sources, by path from the root of the checkout, with their text. */
export function madeFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...schemaNames.map((name) => [`schemas/${name}.schema.json`, schemaText(name)] as const),
    ...[...referencePages()].map(([name, text]) => [`docs/reference/${name}`, text] as const),
  ]);
}
