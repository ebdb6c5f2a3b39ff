import { z } from 'zod';
import type { Condition, GateCondition } from '../core/condition.ts';

const value = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const is = z
  .union([value, z.array(value).min(1)])
  .optional()
  .describe(
    'Value or values that match (default: any good sample). A failed sample has no value unless the probe declares one in `onFailure`.',
  );

const plainFields = {
  probe: z.string().min(1).describe('Id of a probe of the target.'),
  host: z.string().min(1).optional().describe("Limits the condition to this host's instance of the probe."),
  is,
};

const ownerFields = {
  ...plainFields,
  and: z
    .array(z.strictObject({ probe: z.string().min(1).describe('Id of a probe of the target.'), is }))
    .min(1)
    .optional()
    .describe(
      'Conditions on other probes. An instance matches only if all of them hold, too. A probe with `on` is read on the instance’s own host; a probe without `on` is the same for all hosts. One condition that does not hold is enough for no match, even if others are unknown.',
    ),
};

const count = {
  count: z
    .union([
      z.int().min(0),
      z.strictObject({
        min: z.int().min(0).default(0).describe('Fewest instances that must match (default: 0).'),
        max: z.int().min(0).optional().describe('Most instances that may match (default: no limit).'),
      }),
    ])
    .optional()
    .describe('Number of instances that must match (default: all).'),
};

const fields = { ...ownerFields, ...count };

/** The condition that ends a stage. It reads one probe only, because only samples of one probe have a certain order. */
export const plainConditionSchema = z.strictObject({ ...plainFields, ...count }).transform(toCondition);

/** A condition as scenario and target files write it. */
export const conditionSchema = z.strictObject(fields).transform(toCondition);

/** The condition for a host to be an owner, evaluated per host. */
export const ownerConditionSchema = z.strictObject(ownerFields).transform(toCondition);

/** A condition of a gate. It may be limited to the host that has a role at that moment. */
export const gateConditionSchema = z
  .strictObject({
    ...fields,
    role: z
      .string()
      .min(1)
      .optional()
      .describe('Limits the condition to instances on hosts that have this role at that moment.'),
  })
  .transform((input): GateCondition => ({
    ...toCondition(input),
    ...(input.role === undefined ? {} : { role: input.role }),
  }));

function toCondition(
  input: z.output<z.ZodObject<typeof plainFields>> & {
    and?: z.output<(typeof ownerFields)['and']>;
    count?: z.output<(typeof fields)['count']>;
  },
): Condition {
  return {
    probe: input.probe,
    ...(input.host === undefined ? {} : { host: input.host }),
    ...valuesOf(input.is),
    ...(input.and === undefined
      ? {}
      : { and: input.and.map((part) => ({ probe: part.probe, ...valuesOf(part.is) })) }),
    ...(input.count === undefined ? {} : { count: countOf(input.count) }),
  };
}

function valuesOf(values: z.output<typeof is>): Pick<Condition, 'is'> {
  return values === undefined ? {} : { is: Array.isArray(values) ? values : [values] };
}

function countOf(count: number | { min: number; max?: number | undefined }): { min: number; max?: number } {
  if (typeof count === 'number') return { min: count, max: count };
  return count.max === undefined ? { min: count.min } : { min: count.min, max: count.max };
}
