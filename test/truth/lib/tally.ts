import type { Judged } from './judged.ts';

/** Counts of the outcomes of one figure of a family. */
export interface Counts {
  /** All judged values. */
  count: number;
  held: number;
  hidden: number;
  oneHidden: number;
  violated: number;
  right: number;
  inconclusive: number;
  hiddenWrong: number;
  wrong: number;
}

/** The figures of one family. */
export interface FamilyTally {
  readonly family: string;
  logs: number;
  /** Number of checks that the planner refused. */
  refused: number;
  readonly figures: Map<string, Counts & { seeds: number[] }>;
}

/** Maximum number of seeds of violations per figure; the smallest are kept. */
const keptSeeds = 3;

const counterOf = {
  held: 'held',
  hidden: 'hidden',
  'one-hidden': 'oneHidden',
  violated: 'violated',
  crashed: 'violated',
  right: 'right',
  inconclusive: 'inconclusive',
  'hidden-wrong': 'hiddenWrong',
  wrong: 'wrong',
} as const;

/** The tally of a family without cases. */
export function emptyTally(family: string): FamilyTally {
  return { family, logs: 0, refused: 0, figures: new Map() };
}

/** Whether the analysis contradicts every course of events that the samples leave possible. */
export function isViolation({ outcome }: Judged): boolean {
  return outcome === 'violated' || outcome === 'wrong' || outcome === 'crashed';
}

/** Adds a judged case. */
export function addCase(
  tally: FamilyTally,
  one: { readonly seed: number; readonly refused: number },
  judged: readonly Judged[],
): void {
  tally.logs++;
  tally.refused += one.refused;
  for (const item of judged) {
    const counts = tally.figures.get(item.figure) ?? { ...noCounts(), seeds: [] };
    tally.figures.set(item.figure, counts);
    counts.count++;
    counts[counterOf[item.outcome]]++;
    if (isViolation(item) && counts.seeds.length < keptSeeds && counts.seeds.at(-1) !== one.seed)
      counts.seeds.push(one.seed);
  }
}

function noCounts(): Counts {
  return {
    count: 0,
    held: 0,
    hidden: 0,
    oneHidden: 0,
    violated: 0,
    right: 0,
    inconclusive: 0,
    hiddenWrong: 0,
    wrong: 0,
  };
}
