import { randomInt } from 'node:crypto';
import { DrillError } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import { loadAllPlans } from '../cli/inputs.ts';
import { hasJitter, maxSeed } from '../cli/one-drill.ts';
import { drawJitter } from '../scenario/jitter.ts';

/** What chooses the drills of a scenario; the same as the options of `firedrill plan`. */
export interface PlanOptions {
  /** Target file; overrides the one that the scenario names. Relative to the working folder: `--target`. */
  readonly target?: string;
  /** Values of the scenario's variables: `--var`. */
  readonly set?: Readonly<Record<string, string | number | boolean>>;
  /** Runs every probe of the target, even if the drill does not use it: `--all-probes`. */
  readonly allProbes?: boolean;
  /** Seed of the fault times, for faults with a jitter; random by default: `--seed`. */
  readonly seed?: number;
}

/**
 * The plans of a scenario file or a folder of them, checked like `firedrill run` checks them.
 * @throws DrillError `invalid-input`
 */
export function plansOf(
  scenario: string,
  { target, set = {}, allProbes = false, seed }: PlanOptions,
): Plan[] {
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0))
    throw new DrillError('invalid-input', `seed: expected a whole number, 0 or more, found ${seed}`);
  const variables = Object.fromEntries(Object.entries(set).map(([name, value]) => [name, String(value)]));
  const plans = loadAllPlans([scenario], { target, variables, allProbes });
  return plans.map((plan) => (seed === undefined ? plan : drawJitter(plan, seed, 0)));
}

/** The plan with a random seed for its fault times, if it has a jitter and no seed yet. */
export function seeded(plan: Plan): Plan {
  return hasJitter([plan]) && plan.draw === undefined ? drawJitter(plan, randomInt(maxSeed), 0) : plan;
}
