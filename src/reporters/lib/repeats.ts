import { rtoRepeats } from '../../analysis/repeats.ts';
import type { Repeats, Summary } from '../../core/summary.ts';
import type { FinishedDrill } from '../reporter.ts';

/** Groups of drills with the same scenario, matrix combination, and target; each in the order in which they ran. */
export function byScenario(drills: readonly FinishedDrill[]): readonly (readonly FinishedDrill[])[] {
  const found = new Map<string, FinishedDrill[]>();
  for (const drill of drills) {
    const key = keyOf(drill);
    const same = found.get(key);
    if (same === undefined) found.set(key, [drill]);
    else same.push(drill);
  }
  return [...found.values()];
}

/** Statistics of the RTOs of such drills; null if fewer than two measured it. */
export function repeatsIn(drills: readonly FinishedDrill[]): Repeats | null {
  return rtoRepeats(drills.map(({ summary }) => summary));
}

function keyOf({ summary: { scenario, target } }: FinishedDrill): string {
  return JSON.stringify([scenario.path, scenario.name, target]);
}

/** A drill's summary with the statistics of its repeats so far; `drills` includes the drill itself. */
export function summaryWithRepeats(
  drill: FinishedDrill,
  drills: readonly FinishedDrill[],
): Summary & { readonly repeats?: Repeats } {
  const repeats = repeatsIn(byScenario(drills).find((one) => one.includes(drill)) ?? []);
  return repeats === null ? drill.summary : { ...drill.summary, repeats };
}
