import { z } from 'zod';
import type { Condition, GateCondition } from '../core/condition.ts';

const value = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const is = z
  .union([value, z.array(value).min(1)])
  .optional()
  .describe(
    'Value or values that count; without it, any good sample counts. A failed sample has no value unless the probe declares one in `onFailure`.',
  );

const plainFields = {
  probe: z.string().min(1).describe('Id of a probe of the target.'),
  host: z.string().min(1).optional().describe("Only this host's instance of the probe."),
  is,
};

const ownerFields = {
  ...plainFields,
  and: z
    .array(z.strictObject({ probe: z.string().min(1).describe('Id of a probe of the target.'), is }))
    .min(1)
    .optional()
    .describe(
      'Conditions on other probes. An instance counts only if they hold as well: on its own host, or of a probe without `on`. If one is known not to hold, the instance does not count, even if the others are unknown.',
    ),
};

const count = {
  count: z
    .union([
      z.int().min(0),
      z.strictObject({
        min: z.int().min(0).default(0).describe('At least so many.'),
        max: z.int().min(0).optional().describe('At most so many; no limit by default.'),
      }),
    ])
    .optional()
    .describe('How many instances must match; all of them when left out.'),
};

const fields = { ...ownerFields, ...count };

/** A condition of one probe, as the end of a stage: the samples of one probe show the order of events. */
export const plainConditionSchema = z.strictObject({ ...plainFields, ...count }).transform(toCondition);

/** A condition as scenario and target files write it. */
export const conditionSchema = z.strictObject(fields).transform(toCondition);

/** What holds on a host that owns something: a condition that is asked of each host by itself. */
export const ownerConditionSchema = z.strictObject(ownerFields).transform(toCondition);

/** A condition of a gate: may speak of the host that has a role at that moment. */
export const gateConditionSchema = z
  .strictObject({
    ...fields,
    role: z
      .string()
      .min(1)
      .optional()
      .describe('Only the instances on hosts that have this role at that moment.'),
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
