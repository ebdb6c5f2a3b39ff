import { schemaNames, schemaText } from '../../src/cli/commands/schema.ts';
import { messagesPage } from './messages.ts';
import { publicTypes } from './public-types.ts';
import { referencePages } from './reference.ts';

/** The text of the generated files in the repository, by their path from its root. */
export function madeFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...schemaNames.map((name) => [`schemas/${name}.schema.json`, schemaText(name)] as const),
    ['docs/reference/messages.txt', messagesPage()] as const,
    ['docs/reference/api.d.ts.txt', publicTypes()] as const,
    ...[...referencePages()].map(([name, text]) => [`docs/reference/${name}`, text] as const),
  ]);
}
