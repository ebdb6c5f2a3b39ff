import type { FamilyTally } from './tally.ts';

const head = [
  'family',
  'figure',
  'judged',
  'held, right',
  'hidden',
  'one hidden',
  'inconclusive',
  'violations',
  'seeds',
] as const;

/** The tallies as a Markdown table. */
export function renderTable(tallies: readonly FamilyTally[]): string {
  const rows = tallies.flatMap((tally) =>
    [...tally.figures].map(([figure, c]) => [
      tally.family,
      figure,
      String(c.count),
      String(c.held + c.right),
      String(c.hidden + c.hiddenWrong),
      String(c.oneHidden),
      String(c.inconclusive),
      String(c.violated + c.wrong),
      c.seeds.join(', '),
    ]),
  );
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** Sums over all families. */
export function totals(tallies: readonly FamilyTally[]): {
  readonly cases: number;
  readonly judged: number;
  readonly violations: number;
  readonly checks: number;
  readonly inconclusive: number;
  /** Number of checks that the planner refused. */
  readonly refused: number;
} {
  const counts = tallies.flatMap(({ figures }) => [...figures.values()]);
  const sum = (of: (c: (typeof counts)[number]) => number): number => counts.reduce((n, c) => n + of(c), 0);
  return {
    cases: tallies.reduce((n, { logs }) => n + logs, 0),
    judged: sum((c) => c.count),
    violations: sum((c) => c.violated + c.wrong),
    checks: sum((c) => c.right + c.inconclusive + c.hiddenWrong + c.wrong),
    inconclusive: sum((c) => c.inconclusive),
    refused: tallies.reduce((n, { refused }) => n + refused, 0),
  };
}
