import { type Gate, type GateRow, isUnknownDrill, judgeRows, type Regression } from '../analysis/gate.ts';
import { DrillError } from '../core/errors.ts';
import type { FailureTable, RowLine, TableShard } from './table.ts';

/** The table of one shard, and where it was found. */
export interface ShardTable {
  readonly folder: string;
  readonly table: FailureTable;
}

/** What the shards of a table come to. */
export interface MergedTable {
  readonly table: FailureTable;
  /** Shards that were not there; the table is not complete then. */
  readonly missing: readonly number[];
}

/**
 * Puts the shards of one table together: what an unsharded run of the same drills would have written, but for the times.
 * @throws DrillError `invalid-input` for none, for a table that is no shard, and for shards of different tables or of one place
 */
export function mergeTables(parts: readonly ShardTable[]): MergedTable {
  const shards = parts.map(({ folder, table }) => {
    if (table.shard === undefined)
      throw new DrillError('invalid-input', `${folder}: a whole table, no shard of one`, {
        mend: 'Shards are made with `firedrill table SUITE --shard i/n`.',
      });
    return { folder, table, shard: table.shard };
  });
  const [first, ...others] = shards;
  if (first === undefined)
    throw new DrillError('invalid-input', 'no shard of a table is in these folders', {
      mend: 'Name the folders that `firedrill table SUITE --shard i/n` made, or one that they are in.',
    });
  for (const other of others) {
    const differs = differenceOf(first, other);
    if (differs !== undefined)
      throw new DrillError('invalid-input', `${first.folder} and ${other.folder}: ${differs}`, {
        mend: 'Name the shards of one table only.',
      });
  }
  const places = new Map<number, string>();
  for (const { folder, shard } of shards) {
    const taken = places.get(shard.index);
    if (taken !== undefined)
      throw new DrillError(
        'invalid-input',
        `shard ${placeWords(shard)} is there twice: ${taken} and ${folder}`,
        {
          mend: 'Leave the one out that is not to count.',
        },
      );
    places.set(shard.index, folder);
  }
  const missing = Array.from({ length: first.shard.count }, (_, i) => i + 1).filter((i) => !places.has(i));
  const rows = shards.flatMap(({ table, shard }) =>
    table.rows.map((row, i): readonly [number, RowLine] => [shard.rows[i] ?? -1, row]),
  );
  const { shard: _, baseline, ...head } = first.table;
  const sortedBy = (of: (table: FailureTable) => string) => shards.map(({ table }) => of(table)).sort();
  return {
    missing,
    table: {
      ...head,
      startedAt: sortedBy((table) => table.startedAt)[0] ?? head.startedAt,
      endedAt: sortedBy((table) => table.endedAt).at(-1) ?? head.endedAt,
      complete: missing.length === 0 && shards.every(({ table }) => table.complete),
      ...(baseline === undefined ? {} : { baseline: mergedGate(baseline, parts) }),
      rows: rows.sort(([a], [b]) => a - b).map(([, row]) => row),
    },
  };
}

/** The drills of all shards against the baseline that they share: judged again, because what one of them is worth depends on how many there are. */
function mergedGate(first: Gate, parts: readonly ShardTable[]): Gate {
  const drills = parts.flatMap(({ table }) => table.baseline?.drills ?? []);
  const sorted = drills.sort((a, b) => (a.drill < b.drill ? -1 : 1));
  const rows = sorted.flatMap((drill) => storedRow(drill) ?? []);
  if (first.allowed === undefined || rows.length < sorted.length) return { ...first, drills: sorted };
  return { ...first, ...judgeRows(rows, first.allowed) };
}

/** What table.json has of a figure; undefined in tables of older versions. JSON has no Infinity: null stands for it. */
function storedRow({ drill, figure, baseline, now, nights, why }: Regression): GateRow | undefined {
  if ((nights as Regression['nights'] | undefined) === undefined) return undefined;
  const unbounded = (ms: number | null): number => ms ?? Infinity;
  const side = (values: Regression['nights']['now']) =>
    values.map((night) => ({ ...night, ms: unbounded(night.ms), maxMs: unbounded(night.maxMs) }));
  return {
    drill,
    figure,
    baseline,
    now,
    nights: { baseline: side(nights.baseline), now: side(nights.now) },
    known: !isUnknownDrill(why),
  };
}

/** `2/3` */
export function placeWords({ index, count }: Pick<TableShard, 'index' | 'count'>): string {
  return `${index}/${count}`;
}

type Found = ShardTable & { readonly shard: TableShard };

/** Why two shards are not of one table; undefined where they are. */
function differenceOf(a: Found, b: Found): string | undefined {
  if (a.table.name !== b.table.name) return `suites ${a.table.name} and ${b.table.name}`;
  if (a.shard.suite !== b.shard.suite) return 'the suite file was not the same';
  if (a.shard.count !== b.shard.count)
    return `shards ${placeWords(a.shard)} and ${placeWords(b.shard)} are not of one split`;
  if (a.shard.seed !== b.shard.seed)
    return `the moments of faults were drawn with --seed ${a.shard.seed ?? 'none'} and ${b.shard.seed ?? 'none'}`;
  if (a.table.label !== b.table.label)
    return `releases ${a.table.label ?? '(no label)'} and ${b.table.label ?? '(no label)'}`;
  const [gateA, gateB] = [a, b].map(({ table: { baseline } }) =>
    baseline === undefined ? 'no baseline' : `baseline ${baseline.of}, allowed ${baseline.tolerance}`,
  );
  if (gateA !== gateB) return `${gateA} and ${gateB}`;
  if (a.table.target !== b.table.target) return `targets ${a.table.target} and ${b.table.target}`;
  if (a.shard.drills !== b.shard.drills)
    return 'their scenarios, targets, variables, --repeat or --grep were not the same';
  return undefined;
}
