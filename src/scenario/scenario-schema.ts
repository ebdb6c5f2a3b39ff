import { z } from 'zod';
import { duration } from '../core/duration.ts';
import { faultKinds } from '../faults/catalog.ts';
import { conditionSchema, gateConditionSchema } from './condition-schema.ts';
import { kindUnion } from './kind-union.ts';

const on = z.union([
  z.string().min(1),
  z.strictObject({ role: z.string().min(1) }),
  z.strictObject({ host: z.string().min(1) }),
]);

const fault = kindUnion(faultKinds, {
  on: on.describe('Role (resolved when the fault is about to happen) or host of the target.'),
  at: duration.optional().describe('When to inject, counted from the steady state; 0s by default.'),
});

const name = z
  .string()
  .min(1)
  .optional()
  .describe('Name in the report; made from the check itself by default.');

const checkSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rto'), name, max: duration }),
  z.strictObject({ kind: z.literal('downtime'), name, max: duration }),
  z.strictObject({ kind: z.literal('redundancy'), name, max: duration }),
  z.strictObject({ kind: z.literal('role-moved'), name, role: z.string().min(1) }),
  z.strictObject({ kind: z.literal('role-stays'), name, role: z.string().min(1) }),
  z.strictObject({ kind: z.literal('finally'), name, condition: conditionSchema }),
  z.strictObject({
    kind: z.literal('never'),
    name,
    condition: conditionSchema,
    tolerance: duration.optional(),
  }),
]);

/** A scenario file. */
export const scenarioSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*$/, { error: 'expected lower-case letters, digits and dashes' }),
    title: z.string().min(1),
    target: z
      .string()
      .min(1)
      .optional()
      .describe('Target file, relative to this file; --target overrides it.'),
    steady: z
      .strictObject({
        require: z.array(gateConditionSchema).optional().describe("Conditions besides the target's own."),
        for: duration.optional(),
        within: duration.optional(),
      })
      .optional()
      .describe('What must hold, and how long, before anything is broken.'),
    faults: z.array(fault).min(1),
    recovery: z.strictObject({
      probe: z.string().min(1).describe('The probe whose bad windows are the outage.'),
      within: duration.describe('How long to wait for the service to come back.'),
      until: z
        .literal('redundancy')
        .optional()
        .describe('A recovery counts only when it lasts until redundancy is restored.'),
      stableFor: duration
        .optional()
        .describe('A recovery counts when it holds this long; max(5 intervals, 5s) by default.'),
    }),
    redundancy: z
      .strictObject({
        require: z.array(gateConditionSchema).min(1).optional(),
        for: duration.optional(),
        within: duration.optional(),
      })
      .optional()
      .describe("When the stack counts as whole again; the target's steady state by default."),
    checks: z.array(checkSchema).min(1),
  })
  .meta({ title: 'firedrill scenario', description: 'Which fault to inject and what must hold.' });

/** A scenario as parsed; durations in ms. */
export type Scenario = z.output<typeof scenarioSchema>;
