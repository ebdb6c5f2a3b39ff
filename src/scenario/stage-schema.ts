import { z } from 'zod';
import type { ModelUse, PredictedBy, StageEnd, StageRule } from '../core/plan.ts';
import { predictionSteps } from '../model/components.ts';
import { plainConditionSchema } from './condition-schema.ts';

const excludeFaultHost = z.boolean().default(false).describe("`true` ignores the fault's host.");

const onlyFaultHost = z.boolean().default(false).describe("`true` counts only the fault's host.");

const steps = z.array(z.enum(predictionSteps)).min(1).optional();

/** A reference to a model in a file. */
export const modelUse = z.strictObject({
  model: z.string().min(1).describe('A model of the target.'),
  steps: steps.describe(
    'Steps of the model; their durations add up. Required for kinds of models that have steps.',
  ),
});

const prediction = modelUse.extend({
  from: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Stage whose end is the start of the predicted time, or `start` for the beginning of the chain (default: the stage before).',
    ),
});

/** The field `predicted`: an expected duration. */
export const predictedSchema = z
  .union([prediction, z.array(prediction).min(1)])
  .describe('Expected duration, from models of the target. In a list, the latest end counts.');

const stage = z.strictObject({
  name: z.string().min(1).describe('Name of the stage in reports.'),
  until: z
    .union([
      z.literal('recovered'),
      z.strictObject({
        probe: z.string().min(1).describe('Id of a probe of the target.'),
        mark: z.string().min(1).describe('Name of the mark that ends the stage.'),
        excludeFaultHost,
        onlyFaultHost,
      }),
      z.strictObject({
        condition: plainConditionSchema.describe('The stage ends as soon as this condition holds.'),
        excludeFaultHost,
        onlyFaultHost,
      }),
    ])
    .describe(
      'The end of the stage: a mark of a probe, a condition, or `recovered` (the end of the outage).',
    ),
  predicted: predictedSchema.optional(),
});

/** The fields `stages` and `returnStages` of scenario and target files. */
export const stagesSchema = z.array(stage);

/** A stage as parsed. */
export type Stage = z.output<typeof stage>;

/** Converts a stage to the form of the plan. */
export function planStage({ name, until, predicted }: Stage): StageRule {
  return {
    name,
    until: planEnd(until),
    ...(predicted === undefined ? {} : { predicted: planPredicted(predicted) }),
  };
}

/** Converts a reference to a model to the form of the plan. */
export function planModelUse({ model, steps }: z.output<typeof modelUse>): ModelUse {
  return { model, ...(steps === undefined ? {} : { steps }) };
}

/** Converts a prediction to the form of the plan. */
export function planPredicted(predicted: z.output<typeof predictedSchema>): PredictedBy {
  const planOne = ({ from, ...use }: z.output<typeof prediction>) => ({
    ...planModelUse(use),
    ...(from === undefined ? {} : { from }),
  });
  return Array.isArray(predicted) ? predicted.map(planOne) : planOne(predicted);
}

function planEnd(until: Stage['until']): StageEnd {
  if (until === 'recovered') return { kind: 'recovered' };
  const hosts = {
    excludeFaultHost: until.excludeFaultHost,
    ...(until.onlyFaultHost ? { onlyFaultHost: true } : {}),
  };
  return 'condition' in until
    ? { kind: 'condition', condition: until.condition, ...hosts }
    : { kind: 'mark', probe: until.probe, mark: until.mark, ...hosts };
}
