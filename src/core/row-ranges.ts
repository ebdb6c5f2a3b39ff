/** Consecutive numbers, each present `times` times. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
  readonly times: number;
}

/** Numbers, in any order, as ranges in ascending order. */
export function rangesOf(numbers: Iterable<number>): readonly RowRange[] {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  const ranges: { from: number; to: number; times: number }[] = [];
  for (const [number, times] of [...counts].sort(([a], [b]) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to === number - 1 && last.times === times) last.to = number;
    else ranges.push({ from: number, to: number, times });
  }
  return ranges;
}

/** Ranges as text, as in logs: `1-120 122 125x2` (125 is present twice). */
export function rangesText(ranges: readonly RowRange[]): string {
  return ranges
    .map(({ from, to, times }) => `${from}${to === from ? '' : `-${to}`}${times === 1 ? '' : `x${times}`}`)
    .join(' ');
}

/**
 * Parses such a text to ranges in ascending order. Invalid parts are skipped, because the log reader rejects
 * them before.
 */
export function parseRanges(text: string): readonly RowRange[] {
  return text
    .split(' ')
    .flatMap((part) => {
      const match = /^(\d+)(?:-(\d+))?(?:x(\d+))?$/.exec(part);
      if (match === null) return [];
      const [, from = '', to = from, times = '1'] = match;
      return [{ from: Number(from), to: Number(to), times: Number(times) }];
    })
    .sort((a, b) => a.from - b.from);
}
