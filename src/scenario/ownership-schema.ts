import { z } from 'zod';
import { ownerConditionSchema } from './condition-schema.ts';
import { idSchema } from './id-schema.ts';
import { checkCondition, type Known, type Report } from './references.ts';

/** The field `ownership` of a target file: things that exactly one host should own, and for each the sides that show its owner. */
export const ownershipSchema = z.record(
  idSchema,
  z.record(idSchema, ownerConditionSchema).refine((sides) => Object.keys(sides).length > 0, {
    error: 'needs at least one side',
  }),
);

/** Checks that each side has a probe with hosts, because only a host can be an owner. */
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
          `side "${side}" of "${thing}" needs a probe with \`on:\`, so that its value belongs to a host`,
        );
      }
    }
  }
}
