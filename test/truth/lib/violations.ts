import type { FamilyTally } from './tally.ts';

/** A figure of a family with a violation in at least one case. */
export interface Violation {
  readonly family: string;
  readonly figure: string;
  readonly count: number;
  /** The smallest seeds with this violation. */
  readonly seeds: readonly number[];
}

/** All figures with violations, in the order of the tallies. */
export function violationsOf(tallies: readonly FamilyTally[]): readonly Violation[] {
  return tallies.flatMap(({ family, figures }) =>
    [...figures].flatMap(([figure, { violated, wrong, seeds }]): Violation[] => {
      const count = violated + wrong;
      return count === 0 ? [] : [{ family, figure, count, seeds }];
    }),
  );
}
