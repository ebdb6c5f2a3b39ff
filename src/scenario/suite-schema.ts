import { z } from 'zod';
import { duration } from '../core/duration.ts';
import { parseWith } from './problems.ts';
import { fileName } from './scenario-schema.ts';
import type { Source } from './source.ts';

/** Figures of a drill that a row of the table can show, in addition to `happens:NAME`. */
const figures = ['rto', 'first', 'downtime', 'return', 'heal-outage', 'redundancy'] as const;

const figure = z
  .string()
  .regex(new RegExp(`^(?:${figures.join('|')}|happens:.+)$`), {
    error: `expected ${figures.join(', ')}, or happens:NAME of a check`,
  })
  .default('rto')
  .describe(
    'Figure in the column "measured" (default: `rto`): the RTO, the first sign of recovery, the downtime, the time of the return, the outage of the heal, the time to redundancy, or the total of a `happens` or `ownership` check.',
  );

const row = z.strictObject({
  row: z
    .union([z.string().min(1), z.number()])
    .transform(String)
    .describe('Number of the row. Scenarios that reproduce one row together share it.'),
  failure: z.string().min(1).describe('The failure, in a few words.'),
  recoveredBy: z.string().min(1).describe('The recovery mechanism, as reported.'),
  reported: z.string().min(1).describe('The reported recovery time.'),
  scenario: z
    .string()
    .min(1)
    .describe(
      'Scenario file, relative to this file. Each combination of its matrix is a drill. Rows with the same scenario and variables share their drills.',
    ),
  variables: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe("Values of the scenario's variables, as with --var."),
  figure,
});

/** A suite file: the rows of a failure table, each with the scenario that reproduces it. */
export const suiteSchema = z
  .strictObject({
    name: fileName.describe('Name of the table. The name of its folder contains it.'),
    title: z.string().min(1).describe('Heading of the table.'),
    target: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Target file for all rows, relative to this file (default: each scenario's own target). --target overrides it.",
      ),
    settle: z
      .strictObject({
        within: duration.describe('Timeout for the return to the steady state between two drills.'),
      })
      .optional()
      .describe('The wait between two drills.'),
    rows: z.array(row).min(1).describe('The rows of the table, in order.'),
  })
  .meta({ title: 'firedrill suite', description: 'A failure table and the scenarios that reproduce it.' });

/** A suite as parsed; durations in ms. */
export type Suite = z.output<typeof suiteSchema>;

/** Parses a suite file. @throws InvalidInput */
export function parseSuite(source: Source): Suite {
  return parseWith(source, suiteSchema);
}
