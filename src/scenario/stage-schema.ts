import { z } from 'zod';
import type { StageRule } from '../core/plan.ts';
import { conditionSchema } from './condition-schema.ts';

const excludeFaultHost = z
  .boolean()
  .default(false)
  .describe('Count only hosts other than the one the fault hit.');

const onlyFaultHost = z.boolean().default(false).describe('Count only the host the fault hit.');

const stage = z.strictObject({
  name: z.string().min(1),
  until: z.union([
    z.literal('recovered'),
    z.strictObject({ probe: z.string().min(1), mark: z.string().min(1), excludeFaultHost, onlyFaultHost }),
    z.strictObject({ condition: conditionSchema, excludeFaultHost, onlyFaultHost }),
  ]),
});

/** The chain of a recovery or of a return, as scenario and target files write it. */
export const stagesSchema = z.array(stage);

/** A stage as parsed. */
export type Stage = z.output<typeof stage>;

/** A stage as the analysis takes it. */
export function planStage({ name, until }: Stage): StageRule {
  if (until === 'recovered') return { name, until: { kind: 'recovered' } };
  const hosts = {
    excludeFaultHost: until.excludeFaultHost,
    ...(until.onlyFaultHost ? { onlyFaultHost: true } : {}),
  };
  return {
    name,
    until:
      'condition' in until
        ? { kind: 'condition', condition: until.condition, ...hosts }
        : { kind: 'mark', probe: until.probe, mark: until.mark, ...hosts },
  };
}
