import { z } from 'zod';
import { duration } from '../core/duration.ts';
import type { Kinds } from '../core/kinds.ts';
import { builtInKinds } from '../extension/kinds.ts';
import { checkSchema } from './check-schema.ts';
import { gateConditionSchema } from './condition-schema.ts';
import { idSchema } from './id-schema.ts';
import { kindUnion } from './kind-union.ts';
import { predictedSchema, stagesSchema } from './stage-schema.ts';

const on = z.union([
  z.string().min(1),
  z.strictObject({ role: z.string().min(1).describe('The host that has this role.') }),
  z.strictObject({ host: z.string().min(1).describe('The host of this name.') }),
  z.strictObject({ fault: z.string().min(1).describe('The host of the fault with this id.') }),
]);

const id = idSchema
  .optional()
  .describe('Name in events and reports (default: fault-1, prepare-1, repair-1, and so on).');

const lease = duration
  .optional()
  .describe(
    'How long the host waits for a renewal from firedrill before its auto-revert timer undoes the fault (default: 30s). Only for faults that their host can undo.',
  );

const stepFields = {
  id,
  lease,
  on: on.describe('Role or host of the target. A role is resolved right before the step.'),
};

const faultFields = {
  id,
  lease,
  on: on.describe('Role or host of the target. A role is resolved right before the injection.'),
  at: duration
    .optional()
    .describe('Time of the injection, from the steady state or from the end of `after` (default: 0s).'),
  after: z
    .string()
    .min(1)
    .optional()
    .describe('Id of a fault with `for` that must be healed before this one is injected.'),
  for: duration
    .optional()
    .describe(
      'Time from the effect to the heal, whether or not the service has recovered (default: heal after the recovery).',
    ),
  jitter: z
    .union([duration, z.literal('slowest')], {
      error: 'expected a duration with a unit, such as 5s, or `slowest`',
    })
    .optional()
    .describe(
      'Longest random delay of the injection (default: none). --seed and the round determine the delay. `slowest`: the longest period of the models that predict the recovery.',
    ),
};

const scalar = z.union([z.string(), z.number(), z.boolean()], {
  error: 'expected a text, a number, true, or false',
});
const variableName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/, {
  error: 'expected a name of letters, digits, dashes, and underscores',
});

/** Variables of a scenario, with their defaults. */
export const variablesSchema = z.record(variableName, scalar);

/** Variables with multiple values each. Each combination is a drill. */
export const matrixSchema = z.record(
  variableName,
  z.array(z.union([scalar, z.record(variableName, scalar)])).min(1),
);

/** The name of a scenario or suite, which becomes part of folder names. */
export const fileName = z
  .string()
  .max(100)
  .regex(/^[a-z0-9][a-z0-9-]*$/, { error: 'expected lowercase letters, digits, and dashes' });

function makeScenarioSchema({ faults }: Kinds) {
  const step = kindUnion(faults, stepFields);
  const fault = kindUnion(faults, faultFields);
  return z
    .strictObject({
      name: fileName.describe('Name of the drill. The names of its folders contain it.'),
      title: z.string().min(1).describe('The drill in a few words, for reports.'),
      target: z
        .string()
        .min(1)
        .optional()
        .describe('Target file, relative to this file. --target overrides it.'),
      variables: variablesSchema
        .optional()
        .describe(
          'Values by name. `${name}` in any text of this file is replaced by the value. --var name=value overrides a value.',
        ),
      matrix: matrixSchema
        .optional()
        .describe(
          'Variables with a list of values each. Each combination is a drill. A map as a value sets multiple variables together.',
        ),
      prepare: z
        .array(step)
        .optional()
        .describe('Changes before the steady state. firedrill undoes them after it has healed the faults.'),
      steady: z
        .strictObject({
          require: z
            .array(gateConditionSchema)
            .optional()
            .describe("Conditions in addition to the target's own."),
          for: duration
            .optional()
            .describe("How long all conditions must hold (default: as in the target's `steady`)."),
          within: duration
            .optional()
            .describe("Timeout for the steady state (default: as in the target's `steady`)."),
        })
        .optional()
        .describe('The steady state that must hold before the first fault.'),
      faults: z
        .array(fault)
        .min(1)
        .describe('The faults, each with its own times. The RTO counts from the first effect.'),
      repair: z
        .array(step)
        .optional()
        .describe(
          'Steps after all faults are healed and all changes of `prepare` are undone, such as an operator would take. firedrill does not undo them.',
        ),
      recovery: z
        .strictObject({
          probe: z
            .string()
            .min(1)
            .describe('The recovery probe: the windows in which it fails are the outage.'),
          onFaultHost: z
            .literal(true)
            .optional()
            .describe("Measures the outage with the probe's instance on the first fault's host."),
          keptConnection: z
            .literal(true)
            .optional()
            .describe(
              '`true` measures the outage of clients that keep their connection. Required for a probe that keeps its connection: `tcp-session`, or `http` with `connection: kept-alive`. Such a drill does not show when new clients are served.',
            ),
          within: duration.describe('Timeout for the recovery of the service.'),
          until: z
            .literal('redundancy')
            .optional()
            .describe('`redundancy`: a recovery counts only if it holds until redundancy is restored.'),
          stableFor: duration
            .optional()
            .describe('How long a recovery must hold to count (default: the longer of 5 intervals and 5s).'),
          quietFor: duration
            .optional()
            .describe(
              'How long to wait for an outage after the faults before the drill goes on without one (default: 15s).',
            ),
        })
        .describe('Definition of the outage and of its end.'),
      redundancy: z
        .strictObject({
          require: z
            .array(gateConditionSchema)
            .min(1)
            .optional()
            .describe("Conditions for full redundancy (default: the target's `steady`)."),
          for: duration.optional().describe('How long all conditions must hold (default: 3s).'),
          within: duration.optional().describe('Timeout for full redundancy (default: 5m).'),
          predicted: predictedSchema.optional(),
        })
        .optional()
        .describe("When full redundancy counts as restored (default: the target's steady state)."),
      limits: z
        .strictObject({
          fault: duration.optional().describe('Longest duration of any fault.'),
          outage: duration.optional().describe('Longest outage of the recovery probe.'),
        })
        .optional()
        .describe(
          "Limits at which firedrill stops the drill and heals, in addition to the target's own. The shorter limit counts.",
        ),
      leavesNoHealthyNode: z
        .literal(true)
        .optional()
        .describe('`true` allows the faults to hit the last host that meets `healthy` of the target.'),
      checks: z.array(checkSchema).min(1).describe('The checks that decide the verdict.'),
      stages: stagesSchema.optional().describe("Stages of the recovery, in order (default: the target's)."),
      returnStages: stagesSchema
        .optional()
        .describe("Stages from the heal to restored redundancy, in order (default: the target's)."),
    })
    .meta({
      title: 'firedrill scenario',
      description: 'The faults to inject and the checks that must hold.',
    });
}

const made = new WeakMap<Kinds, ReturnType<typeof makeScenarioSchema>>();

/** The schema of a scenario file whose target has these kinds. Computed once per set of kinds. */
export function scenarioSchemaOf(kinds: Kinds): ReturnType<typeof makeScenarioSchema> {
  const schema = made.get(kinds) ?? makeScenarioSchema(kinds);
  made.set(kinds, schema);
  return schema;
}

/** A scenario file whose target has no extensions. */
export const scenarioSchema = scenarioSchemaOf(builtInKinds);

/** A scenario as parsed; durations in ms. */
export type Scenario = z.output<typeof scenarioSchema>;
