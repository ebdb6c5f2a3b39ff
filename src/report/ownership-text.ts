import { durationWords, offsetWords } from '../core/format-duration.ts';
import { listWords, measureWords } from '../analysis/words.ts';
import { middle } from '../analysis/moment.ts';
import type { Ownership, OwnershipSide, OwnershipStretch, OwnershipWindow } from '../core/summary.ts';
import { counted } from './text.ts';

/** Changes that a line of text tells; the rest is in summary.json. */
const toldChanges = 8;

/** Who owns it in a stretch: `node-1`, `nobody`, `node-1 and node-2`; with `?` a host of which that is not known. */
export function ownerWords({ owners, maybe }: OwnershipStretch): string {
  if (owners.length === 0 && maybe.length === 0) return 'nobody';
  return [...(owners.length === 0 ? [] : [listWords(owners)]), ...maybe.map((name) => `${name}?`)].join(', ');
}

/** How long it was so in all: `3.26 s (3.06 s to 3.46 s) in 1 window`. `unseenMs` fits between two samples and is in the upper bound. */
export function totalWords(windows: readonly OwnershipWindow[], unseenMs = 0): string {
  const minMs = windows.reduce((sum, w) => sum + w.minMs, 0);
  const seenMs = windows.reduce((sum, w) => sum + w.maxMs, 0);
  const maxMs = seenMs + unseenMs;
  const certain = windows.filter((w) => w.certain).length;
  if (maxMs === 0) return 'never';
  if (seenMs === 0) return `at no sample; up to ${durationWords(unseenMs)} fits between two samples`;
  if (certain === 0) return `not for certain, ${durationWords(maxMs)} at most`;
  return `${measureWords({ ms: middle(minMs, seenMs), minMs, maxMs })} in ${counted(certain, 'window')}`;
}

/** A row of the table of a thing's owners: a moment at which they changed for at least one side. */
export interface OwnershipRow {
  readonly fromMs: number;
  /** Half of the time in which the change lies, ms; 0 where it is known to the moment. */
  readonly plusMinusMs: number;
  /** By side, in order; null where its first stretch begins later. */
  readonly cells: readonly { readonly stretch: OwnershipStretch | null; readonly changed: boolean }[];
}

/** The sides next to each other: a row for each moment at which one of them changed. */
export function ownershipRows({ sides }: Ownership): readonly OwnershipRow[] {
  const moments = [...new Set(sides.flatMap(({ spans }) => spans.map((s) => s.fromMs)))].sort(
    (a, b) => a - b,
  );
  return moments.map((fromMs, row) => {
    const cells = sides.map(({ spans }) => {
      const stretch = spans.findLast((s) => s.fromMs <= fromMs) ?? null;
      return { stretch, changed: row > 0 && stretch?.fromMs === fromMs };
    });
    const widths = cells.flatMap(({ stretch }) =>
      stretch?.fromMs === fromMs ? [stretch.fromMaxMs - stretch.fromMinMs] : [],
    );
    return { fromMs, plusMinusMs: Math.max(...widths) / 2, cells };
  });
}

/** One side in a line: `node-1, +0.35 s nobody, +3.61 s node-2; nobody for 3.26 s (3.06 s to 3.46 s) in 1 window`. */
export function sideWords({ spans, nobody, several, unseenMs }: OwnershipSide): string {
  const [first, ...changes] = spans;
  if (first === undefined) return 'not probed';
  const told = changes.slice(0, toldChanges);
  const left = changes.length - told.length;
  const path = [
    ownerWords(first),
    ...told.map((s) => `${offsetWords(s.fromMs, 2)} ${ownerWords(s)}`),
    ...(left > 0 ? [`${left} more`] : []),
  ].join(', ');
  const totals = [
    ...(nobody.some((w) => w.certain) ? [`nobody for ${totalWords(nobody, unseenMs?.nobody)}`] : []),
    ...(several.some((w) => w.certain) ? [`several for ${totalWords(several, unseenMs?.several)}`] : []),
  ];
  return [path, ...totals].join('; ');
}
