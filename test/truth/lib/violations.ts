import type { FamilyTally } from './tally.ts';

/** A figure of a family that the analysis gets wrong in some cases. */
export interface Violation {
  readonly family: string;
  readonly figure: string;
  readonly count: number;
  /** The smallest seeds. */
  readonly seeds: readonly number[];
}

/** Every figure with violations, in the order of the tallies. */
export function violationsOf(tallies: readonly FamilyTally[]): readonly Violation[] {
  return tallies.flatMap(({ family, figures }) =>
    [...figures].flatMap(([figure, { violated, wrong, seeds }]): Violation[] => {
      const count = violated + wrong;
      return count === 0 ? [] : [{ family, figure, count, seeds }];
    }),
  );
}
