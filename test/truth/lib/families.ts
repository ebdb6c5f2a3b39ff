import type { Family } from './drill-script.ts';
import { outageFamilies } from './families/outages.ts';
import { ownerFamilies } from './families/owners.ts';
import { proberFamilies } from './families/prober.ts';
import { redundancyFamilies } from './families/redundancy.ts';

/** All families, in the order of the table. */
export const families: readonly Family[] = [
  ...outageFamilies,
  ...proberFamilies,
  ...ownerFamilies,
  ...redundancyFamilies,
];

/** The family of that name; undefined if there is none. */
export function familyOf(name: string): Family | undefined {
  return families.find((family) => family.name === name);
}
