import { z } from 'zod';
import type { PredictionStep, StageEnd, StageRule } from '../core/plan.ts';
import { conditionSchema } from './condition-schema.ts';

const excludeFaultHost = z
  .boolean()
  .default(false)
  .describe('Count only hosts other than the one the fault hit.');

const onlyFaultHost = z.boolean().default(false).describe('Count only the host the fault hit.');

const steps = [
  'script-fall',
  'script-rise',
  'master-down',
  'priority-zero',
  'preemption',
] as const satisfies readonly PredictionStep[];

const stage = z.strictObject({
  name: z.string().min(1),
  until: z.union([
    z.literal('recovered'),
    z.strictObject({ probe: z.string().min(1), mark: z.string().min(1), excludeFaultHost, onlyFaultHost }),
    z.strictObject({ condition: conditionSchema, excludeFaultHost, onlyFaultHost }),
  ]),
  predicted: z
    .strictObject({
      model: z.string().min(1).describe('A model of the target.'),
      steps: z.array(z.enum(steps)).min(1).describe('Whose durations add up to the stage.'),
    })
    .optional()
    .describe('How long the stage should take by the settings of what it waits for.'),
});

/** The chain of a recovery or of a return, as scenario and target files write it. */
export const stagesSchema = z.array(stage);

/** A stage as parsed. */
export type Stage = z.output<typeof stage>;

/** A stage as the analysis takes it. */
export function planStage({ name, until, predicted }: Stage): StageRule {
  return { name, until: planEnd(until), ...(predicted === undefined ? {} : { predicted }) };
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
