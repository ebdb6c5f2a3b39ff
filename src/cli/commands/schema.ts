import { z } from 'zod';
import { scenarioSchema } from '../../scenario/scenario-schema.ts';
import { targetSchema } from '../../scenario/target-schema.ts';

/** Names that `firedrill schema` takes. */
export const schemaNames = ['scenario', 'target'] as const;

/** The JSON Schema (draft-07, what editors read) of a file kind, as text. */
export function schemaText(name: (typeof schemaNames)[number]): string {
  const schema = name === 'scenario' ? scenarioSchema : targetSchema;
  return `${JSON.stringify(z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }), null, 2)}\n`;
}
