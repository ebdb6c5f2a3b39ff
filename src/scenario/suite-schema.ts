import { z } from 'zod';
import { duration } from '../core/duration.ts';
import { parseWith } from './problems.ts';
import { fileName } from './scenario-schema.ts';
import type { Source } from './source.ts';

/** Figures of a drill that a row of the table can show, besides `happens:NAME`. */
const figures = ['rto', 'first', 'downtime', 'return', 'heal-outage', 'redundancy'] as const;

const figure = z
  .string()
  .regex(new RegExp(`^(?:${figures.join('|')}|happens:.+)$`), {
    error: `expected ${figures.join(', ')} or happens:NAME of a check`,
  })
  .default('rto')
  .describe(
    'What "measured" shows: the RTO, the first sign of recovery, the downtime, the return, the outage it costs, the time to redundancy, or the total of a `happens` or `ownership` check.',
  );

const row = z.strictObject({
  row: z
    .union([z.string().min(1), z.number()])
    .transform(String)
    .describe('Number of the row; scenarios that reproduce one row together share it.'),
  failure: z.string().min(1).describe('What fails, in a few words.'),
  recoveredBy: z.string().min(1).describe('Who mends it, as reported.'),
  reported: z.string().min(1).describe('The reported recovery time.'),
  scenario: z
    .string()
    .min(1)
    .describe(
      'Scenario file, relative to this file; a matrix gives several drills. Rows with the same scenario and variables show the same drills.',
    ),
  variables: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe("Values for the scenario's variables, as --var."),
  figure,
});

/** A suite file: the rows of a failure table, each with the scenario that reproduces it. */
export const suiteSchema = z
  .strictObject({
    name: fileName.describe('Name of the table: part of the name of its folder.'),
    title: z.string().min(1).describe('Heading of the table.'),
    target: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Target file for all rows, relative to this file; each scenario's own by default, --target overrides it.",
      ),
    settle: z
      .strictObject({
        within: duration.describe('How long the stack may take to be steady again between two drills.'),
      })
      .optional()
      .describe('What happens between two drills.'),
    rows: z.array(row).min(1).describe('The rows of the table, in order.'),
  })
  .meta({ title: 'firedrill suite', description: 'A failure table and the scenarios that reproduce it.' });

/** A suite as parsed; durations in ms. */
export type Suite = z.output<typeof suiteSchema>;

/** Parses a suite file. @throws InvalidInput */
export function parseSuite(source: Source): Suite {
  return parseWith(source, suiteSchema);
}
