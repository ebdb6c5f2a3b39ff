import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FamilyTally } from './tally.ts';

/** A figure of a family that the analysis gets wrong in some cases. */
export interface Violation {
  readonly family: string;
  readonly figure: string;
  readonly count: number;
  /** The smallest seeds. */
  readonly seeds: readonly number[];
  /** known-violations.json has it. */
  readonly isListed: boolean;
}

/** Violations that are known, by family and figure: how many there were in the run that is named beside them. */
interface KnownViolations {
  readonly run: string;
  readonly violations: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const known = JSON.parse(
  readFileSync(join(import.meta.dirname, '../known-violations.json'), 'utf8'),
) as KnownViolations;

/** Every figure with violations, in the order of the tallies. */
export function violationsOf(tallies: readonly FamilyTally[]): readonly Violation[] {
  return tallies.flatMap(({ family, figures }) =>
    [...figures].flatMap(([figure, { violated, wrong, seeds }]): Violation[] => {
      const count = violated + wrong;
      const isListed = known.violations[family]?.[figure] !== undefined;
      return count === 0 ? [] : [{ family, figure, count, seeds, isListed }];
    }),
  );
}

/** Violations as known-violations.json has them. */
export function knownOf(violations: readonly Violation[], run: string): KnownViolations {
  const byFamily: Record<string, Record<string, number>> = {};
  for (const { family, figure, count } of violations) (byFamily[family] ??= {})[figure] = count;
  return { run, violations: byFamily };
}
