import type { Family } from './drill-script.ts';
import { deliveredFamilies } from './families/delivered.ts';
import { beforeFamilies } from './families/before-the-fault.ts';
import { damagedFamilies } from './families/damaged.ts';
import { outageFamilies } from './families/outages.ts';
import { ownerFamilies } from './families/owners.ts';
import { proberFamilies } from './families/prober.ts';
import { redundancyFamilies } from './families/redundancy.ts';
import { rowFamilies } from './families/rows.ts';
import { severalFaultsFamilies } from './families/several-faults.ts';
import { stageFamilies } from './families/stages.ts';
import { watchFamilies } from './families/watch.ts';

/** All families, in the order of the table. */
export const families: readonly Family[] = [
  ...outageFamilies,
  ...severalFaultsFamilies,
  ...proberFamilies,
  ...ownerFamilies,
  ...redundancyFamilies,
  ...rowFamilies,
  ...stageFamilies,
  ...deliveredFamilies,
  ...watchFamilies,
  ...beforeFamilies,
  ...damagedFamilies,
];

/** The family of that name; undefined if there is none. */
export function familyOf(name: string): Family | undefined {
  return families.find((family) => family.name === name);
}
