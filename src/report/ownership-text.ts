import { durationText, offsetText } from '../core/format-duration.ts';
import { listText, measureText } from '../analysis/format.ts';
import { middle } from '../analysis/moment.ts';
import type { Ownership, OwnershipSide, OwnershipStretch, OwnershipWindow } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';
import { counted } from './text.ts';

/** Maximum changes in a line of text; the rest is in summary.json. */
const reportedChanges = 8;

/** The owners during a stretch: `node-1`, `no owner`, `node-1 and node-2`; `node-1?` if its ownership is unknown. */
export function ownerText({ owners, maybe }: OwnershipStretch): string {
  if (owners.length === 0 && maybe.length === 0) return 'no owner';
  return [...(owners.length === 0 ? [] : [listText(owners)]), ...maybe.map((name) => `${name}?`)].join(', ');
}

/** Total of the windows: `3.26 s (3.06 s to 3.46 s) in 1 window`. The upper bound includes `unobservedMs`, the time that fits between two samples. */
export function totalText(windows: readonly OwnershipWindow[], unobservedMs = 0): string {
  const minMs = windows.reduce((sum, w) => sum + w.minMs, 0);
  const seenMs = windows.reduce((sum, w) => sum + w.maxMs, 0);
  const maxMs = seenMs + unobservedMs;
  const certain = windows.filter((w) => w.certain).length;
  if (maxMs === 0) return 'never';
  if (seenMs === 0) return `in no sample; up to ${durationText(unobservedMs)} possible between samples`;
  if (certain === 0) return `uncertain, at most ${durationText(maxMs)}`;
  return `${measureText({ ms: middle(minMs, seenMs), minMs, maxMs })} in ${counted(certain, 'window')}`;
}

/** A row of the ownership table: a moment at which the owners of at least one side changed. */
export interface OwnershipRow {
  /** Offset of the moment, as in the summary. */
  readonly fromMs: DurationMs;
  /** Half of the interval that contains the change, ms; 0 if the moment is exact. */
  readonly plusMinusMs: DurationMs;
  /** One cell for each side, in order; null before the side's first stretch. */
  readonly cells: readonly { readonly stretch: OwnershipStretch | null; readonly changed: boolean }[];
}

/** The sides as columns, with a row for each moment at which one of them changed. */
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

/** One side in a line: `node-1, +0.35 s no owner, +3.61 s node-2; no owner for 3.26 s (3.06 s to 3.46 s) in 1 window`. */
export function sideText({ spans, none, multiple, unobservedMs }: OwnershipSide): string {
  const [first, ...changes] = spans;
  if (first === undefined) return 'not probed';
  const reported = changes.slice(0, reportedChanges);
  const left = changes.length - reported.length;
  const path = [
    ownerText(first),
    ...reported.map((s) => `${offsetText(s.fromMs, 2)} ${ownerText(s)}`),
    ...(left > 0 ? [`${left} more`] : []),
  ].join(', ');
  const totals = [
    ...(none.some((w) => w.certain) ? [`no owner for ${totalText(none, unobservedMs?.none)}`] : []),
    ...(multiple.some((w) => w.certain)
      ? [`multiple owners for ${totalText(multiple, unobservedMs?.multiple)}`]
      : []),
  ];
  return [path, ...totals].join('; ');
}
