import type { FaultContext } from '../../core/fault.ts';
import type { AnyFaultKind } from '../../core/kinds.ts';
import type { Json } from '../../core/plan.ts';
import type { Disturbance } from './disturbance.ts';

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

/** A kind with parameters, as its schema parsed them. */
export interface Fault {
  readonly kind: AnyFaultKind;
  readonly params: Json;
}

/** Number of heal attempts. The engine also repeats a heal while it gets no answer. */
const healAttempts = 5;

/** Repeats the heal until it is proven, as the engine does. Each attempt may fail. */
export async function heal({ kind, params }: Fault, before: Json, ctx: FaultContext): Promise<boolean> {
  for (let n = 0; n < healAttempts; n += 1) {
    try {
      await kind.heal(params, before, ctx);
      if (await kind.healed(params, before, ctx)) return true;
    } catch {
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
  const { kind, params } = fault;
  let before: Json;
  try {
    before = await kind.before(params, ctx);
  } catch {
    return { isHealed: false, before: undefined };
  }
  await kind.inject(params, before, ctx).catch(() => undefined);
  await kind.effect(params, before, ctx).catch(() => undefined);
  return { isHealed: await heal(fault, before, ctx), before };
}
