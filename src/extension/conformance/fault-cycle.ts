import type { FaultContext } from '../../core/fault.ts';
import type { Json } from '../../core/plan.ts';
import type { Disturbance } from './disturbance.ts';
import { call, type Fault, rethrowBroken } from './fault-call.ts';

/** Every way in which one command goes wrong. */
export const disturbances = [
  'lost before',
  'lost after',
  'silent',
  'another answers',
  'noisy',
  'another version',
  'no program',
  'late',
] as const satisfies readonly Disturbance[];

/** Number of heal attempts. The engine also repeats a heal while it gets no answer. */
const healAttempts = 5;

/** Repeats the heal until it is proven, as the engine does. Each attempt may fail. */
export async function heal(fault: Fault, before: Json, ctx: FaultContext): Promise<boolean> {
  for (let n = 0; n < healAttempts; n += 1) {
    try {
      await call(fault, 'heal', before, ctx);
      if (await call(fault, 'healed', before, ctx)) return true;
    } catch (error) {
      rethrowBroken(error);
      // The outcome is unknown, so the heal is repeated.
    }
  }
  return false;
}

/**
 * Injects a fault and heals it, with whatever goes wrong in `ctx`. Returns whether it was reported as healed, and the state
 * for another heal: undefined if nothing was injected.
 */
export async function cycle(
  fault: Fault,
  ctx: FaultContext,
): Promise<{ readonly isHealed: boolean; readonly before: Json | undefined }> {
  let before: Json;
  try {
    before = await call(fault, 'before', null, ctx);
  } catch (error) {
    rethrowBroken(error);
    return { isHealed: false, before: undefined };
  }
  await call(fault, 'inject', before, ctx).catch(rethrowBroken);
  await call(fault, 'effect', before, ctx).catch(rethrowBroken);
  return { isHealed: await heal(fault, before, ctx), before };
}
