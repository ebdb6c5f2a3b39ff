import { z } from 'zod';
import { duration } from '../core/duration.ts';
import { faultKinds } from '../faults/catalog.ts';
import { checkSchema } from './check-schema.ts';
import { gateConditionSchema } from './condition-schema.ts';
import { kindUnion } from './kind-union.ts';
import { predictedSchema, stagesSchema } from './stage-schema.ts';

const on = z.union([
  z.string().min(1),
  z.strictObject({ role: z.string().min(1).describe('The host that has this role of the target.') }),
  z.strictObject({ host: z.string().min(1).describe('A host of the target, by its name.') }),
  z.strictObject({ fault: z.string().min(1).describe('The host that this fault hit.') }),
]);

const id = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: 'expected letters, digits, dots, dashes' })
  .optional()
  .describe('Name in events and reports; fault-1, prepare-1, repair-1 and so on by default.');

const lease = duration
  .optional()
  .describe(
    'How long the host waits for a renewal from firedrill before its auto-revert timer undoes the fault (default: 30s). For faults that their host can undo.',
  );

const step = kindUnion(faultKinds, {
  id,
  lease,
  on: on.describe('Role (resolved when the step is about to happen) or host of the target.'),
});

const fault = kindUnion(faultKinds, {
  id,
  lease,
  on: on.describe('Role (resolved when the fault is about to happen) or host of the target.'),
  at: duration
    .optional()
    .describe('When to inject, counted from the steady state, or from the end of `after`; 0s by default.'),
  after: z.string().min(1).optional().describe('Id of a fault with `for` that must be healed first.'),
  for: duration
    .optional()
    .describe('Heal this long after the effect, whatever the service does; after the recovery by default.'),
  jitter: z
    .union([duration, z.literal('slowest')], {
      error: 'expected a duration with a unit, such as 5s, or `slowest`',
    })
    .optional()
    .describe(
      'Inject up to this much later, as drawn from --seed and the round; `slowest`: the longest period of the models that predict the recovery.',
    ),
});

const scalar = z.union([z.string(), z.number(), z.boolean()], {
  error: 'expected a text, a number, true or false',
});
const variableName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]*$/, { error: 'expected a name of letters, digits, dashes, underscores' });

/** Variables of a scenario with their defaults. */
export const variablesSchema = z.record(variableName, scalar);

/** Values to go through: each combination is a drill of its own. */
export const matrixSchema = z.record(
  variableName,
  z.array(z.union([scalar, z.record(variableName, scalar)])).min(1),
);

/** The name of a scenario or suite: it becomes part of the names of folders. */
export const fileName = z
  .string()
  .max(100)
  .regex(/^[a-z0-9][a-z0-9-]*$/, { error: 'expected lower-case letters, digits and dashes' });

/** A scenario file. */
export const scenarioSchema = z
  .strictObject({
    name: fileName.describe('Name of the drill: part of the names of its folders.'),
    title: z.string().min(1).describe('What happens, in a few words, for reports.'),
    target: z
      .string()
      .min(1)
      .optional()
      .describe('Target file, relative to this file; --target overrides it.'),
    variables: variablesSchema
      .optional()
      .describe('Names for values, `${name}` in any text of this file; --var name=value overrides.'),
    matrix: matrixSchema
      .optional()
      .describe(
        'Variables with several values each: every combination is a drill of its own. A map sets several variables together.',
      ),
    prepare: z
      .array(step)
      .optional()
      .describe('Changes made before the steady state; undone after the faults are healed.'),
    steady: z
      .strictObject({
        require: z.array(gateConditionSchema).optional().describe("Conditions besides the target's own."),
        for: duration.optional().describe("How long it must hold; as the target's `steady` by default."),
        within: duration.optional().describe("How long to wait for it; as the target's `steady` by default."),
      })
      .optional()
      .describe('What must hold, and how long, before anything is broken.'),
    faults: z
      .array(fault)
      .min(1)
      .describe('What is broken, each fault on a timeline of its own; the RTO counts from the first effect.'),
    repair: z
      .array(step)
      .optional()
      .describe('Steps to take by hand once everything is healed and undone; never undone themselves.'),
    recovery: z
      .strictObject({
        probe: z.string().min(1).describe('The probe whose bad windows are the outage.'),
        onFaultHost: z
          .literal(true)
          .optional()
          .describe("The outage is what the probe's instance on the first fault's host sees."),
        keptConnection: z
          .literal(true)
          .optional()
          .describe(
            'Set it if the drill measures the outage of clients that keep their connection. A probe that keeps its own needs it: `tcp-session`, or `http` with `connection: kept-alive`. Such a drill does not show when new clients are served.',
          ),
        within: duration.describe('How long to wait for the service to come back.'),
        until: z
          .literal('redundancy')
          .optional()
          .describe('A recovery counts only when it lasts until redundancy is restored.'),
        stableFor: duration
          .optional()
          .describe('A recovery counts when it holds this long; max(5 intervals, 5s) by default.'),
        quietFor: duration
          .optional()
          .describe('With no outage after the faults, how long to look for one; 15s by default.'),
      })
      .describe('What the outage is, and when it is over.'),
    redundancy: z
      .strictObject({
        require: z
          .array(gateConditionSchema)
          .min(1)
          .optional()
          .describe("What must hold; the target's `steady` by default."),
        for: duration.optional().describe('How long it must hold; 3s by default.'),
        within: duration.optional().describe('How long to wait for it; 5m by default.'),
        predicted: predictedSchema.optional(),
      })
      .optional()
      .describe("When the stack counts as whole again; the target's steady state by default."),
    limits: z
      .strictObject({
        fault: duration.optional().describe('Longest time that any fault may last.'),
        outage: duration.optional().describe('Longest outage that the recovery probe may see.'),
      })
      .optional()
      .describe("What the drill is cut short for, besides the target's own; the shorter one counts."),
    leavesNoHealthyNode: z
      .literal(true)
      .optional()
      .describe('The faults may hit the last host that is `healthy` by the target.'),
    checks: z.array(checkSchema).min(1).describe('What the verdict hangs on.'),
    stages: stagesSchema.optional().describe("The recovery's own chain, in order; the target's by default."),
    returnStages: stagesSchema
      .optional()
      .describe("The chain from the heal to restored redundancy, in order; the target's by default."),
  })
  .meta({ title: 'firedrill scenario', description: 'Which fault to inject and what must hold.' });

/** A scenario as parsed; durations in ms. */
export type Scenario = z.output<typeof scenarioSchema>;
