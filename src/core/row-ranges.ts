/** Numbers with how often each is there. */
export type RowCounts = ReadonlyMap<number, number>;

/** Numbers as text, short where they follow one another: `1-120 122 125x2` (125 is there twice). Sorted. */
export function toRanges(numbers: Iterable<number>): string {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  const runs: { from: number; to: number; times: number }[] = [];
  for (const [number, times] of [...counts].sort(([a], [b]) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last.to === number - 1 && last.times === times) last.to = number;
    else runs.push({ from: number, to: number, times });
  }
  return runs
    .map(({ from, to, times }) => `${from}${to === from ? '' : `-${to}`}${times === 1 ? '' : `x${times}`}`)
    .join(' ');
}

/** The numbers of such a text. Parts that are none are passed over: a log may be damaged. */
export function fromRanges(text: string): RowCounts {
  const counts = new Map<number, number>();
  for (const part of text.split(' ')) {
    const match = /^(\d+)(?:-(\d+))?(?:x(\d+))?$/.exec(part);
    if (match === null) continue;
    const [, from = '', to = from, times = '1'] = match;
    for (let number = Number(from); number <= Number(to); number++) counts.set(number, Number(times));
  }
  return counts;
}
