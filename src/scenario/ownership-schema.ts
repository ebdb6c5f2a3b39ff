import { z } from 'zod';
import { ownerConditionSchema } from './condition-schema.ts';
import { checkCondition, type Known, type Report } from './references.ts';

const word = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: 'expected letters, digits, dots, dashes' });

/** Things that exactly one host should own, each with the sides from which its owner is seen, as a target file writes them. */
export const ownershipSchema = z.record(
  word,
  z.record(word, ownerConditionSchema).refine((sides) => Object.keys(sides).length > 0, {
    error: 'needs at least one side',
  }),
);

/** Checks that each side looks at hosts, which alone can own something. */
export function checkOwnership(
  ownership: z.output<typeof ownershipSchema>,
  known: Known,
  report: Report,
): void {
  for (const [thing, sides] of Object.entries(ownership)) {
    for (const [side, condition] of Object.entries(sides)) {
      const path = ['ownership', thing, side];
      checkCondition(condition, known, path, report);
      const instances = known.probes.filter((probe) => probe.name === condition.probe);
      if (instances.length > 0 && instances.every((probe) => probe.host === undefined)) {
        report(
          [...path, 'probe'],
          `"${thing}" as ${side} needs a probe with \`on:\`, so that its value belongs to a host`,
        );
      }
    }
  }
}
