import { z } from 'zod';
import type { ModelUse, PredictedBy, StageEnd, StageRule } from '../core/plan.ts';
import { predictionSteps } from '../model/components.ts';
import { plainConditionSchema } from './condition-schema.ts';

const excludeFaultHost = z
  .boolean()
  .default(false)
  .describe('Count only hosts other than the one the fault hit.');

const onlyFaultHost = z.boolean().default(false).describe('Count only the host the fault hit.');

const steps = z.array(z.enum(predictionSteps)).min(1).optional();

/** A model, as files name it. */
export const modelUse = z.strictObject({
  model: z.string().min(1).describe('A model of the target.'),
  steps: steps.describe('Whose durations add up; only for kinds of models that have steps.'),
});

const prediction = modelUse.extend({
  from: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The stage from whose end on it counts, or `start` for the beginning of the chain; the stage before by default.',
    ),
});

/** How long something should take, as files write it. */
export const predictedSchema = z
  .union([prediction, z.array(prediction).min(1)])
  .describe('How long it should take by the models of the target; of several, the latest counts.');

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
        condition: plainConditionSchema.describe('Ends the stage as soon as it holds.'),
        excludeFaultHost,
        onlyFaultHost,
      }),
    ])
    .describe('What ends the stage: a mark of a probe, a condition, or `recovered`: the end of the outage.'),
  predicted: predictedSchema.optional(),
});

/** The chain of a recovery or of a return, as scenario and target files write it. */
export const stagesSchema = z.array(stage);

/** A stage as parsed. */
export type Stage = z.output<typeof stage>;

/** A stage as the analysis takes it. */
export function planStage({ name, until, predicted }: Stage): StageRule {
  return {
    name,
    until: planEnd(until),
    ...(predicted === undefined ? {} : { predicted: planPredicted(predicted) }),
  };
}

/** A model as a plan names it. */
export function planModelUse({ model, steps }: z.output<typeof modelUse>): ModelUse {
  return { model, ...(steps === undefined ? {} : { steps }) };
}

/** A prediction as the analysis takes it. */
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
