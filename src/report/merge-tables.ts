import {
  type BaselineGate,
  type GateRow,
  isUnknownDrill,
  judgeRows,
  type Regression,
} from '../analysis/gate.ts';
import { DrillError } from '../core/errors.ts';
import type { DurationMs } from '../core/time.ts';
import type { FailureTable, RowLine, TableShard } from './table.ts';

/** The table of one shard and its folder. */
export interface ShardTable {
  readonly folder: string;
  readonly table: FailureTable;
}

/** The merged shards of a table. */
export interface MergedTable {
  readonly table: FailureTable;
  /** Indices of missing shards, from 1; if there are any, the table is not complete. */
  readonly missing: readonly number[];
}

/**
 * Merges the shards of one table. The result equals the table of an unsharded run of the same drills, except for the times.
 * @throws DrillError `invalid-input` for no shard, a table that is not a shard, shards of different tables, or a shard given twice
 */
export function mergeTables(parts: readonly ShardTable[]): MergedTable {
  const shards = parts.map(({ folder, table }) => {
    if (table.shard === undefined)
      throw new DrillError('invalid-input', `merge ${folder}: it is a complete table, not a shard`, {
        hint: 'Leave it out. `firedrill table SUITE --shard i/n` writes shards.',
      });
    return { folder, table, shard: table.shard };
  });
  const [first, ...others] = shards;
  if (first === undefined)
    throw new DrillError('invalid-input', 'merge shards: these folders have no shard of a table', {
      hint: 'Pass the folders that `firedrill table SUITE --shard i/n` wrote, or their parent folder.',
    });
  for (const other of others) {
    const differs = differenceOf(first, other);
    if (differs !== undefined)
      throw new DrillError('invalid-input', `merge ${first.folder} and ${other.folder}: ${differs}`, {
        hint: 'Pass the shards of one table only.',
      });
  }
  const places = new Map<number, string>();
  for (const { folder, shard } of shards) {
    const taken = places.get(shard.index);
    if (taken !== undefined)
      throw new DrillError(
        'invalid-input',
        `merge shard ${placeText(shard)}: it was found twice, in ${taken} and ${folder}`,
        {
          hint: 'Pass only one of the two folders.',
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

/** Compares the drills of all shards with their common baseline again, because significance depends on the number of drills. */
function mergedGate(first: BaselineGate, parts: readonly ShardTable[]): BaselineGate {
  const drills = parts.flatMap(({ table }) => table.baseline?.drills ?? []);
  const sorted = drills.sort((a, b) => (a.drill < b.drill ? -1 : 1));
  const rows = sorted.flatMap((drill) => storedRow(drill) ?? []);
  if (first.allowed === undefined || rows.length < sorted.length) return { ...first, drills: sorted };
  return { ...first, ...judgeRows(rows, first.allowed) };
}

/** A figure as table.json has it; undefined in tables of older versions. JSON has no Infinity: null represents it. */
function storedRow({ drill, figure, baseline, now, nights, why }: Regression): GateRow | undefined {
  if ((nights as Regression['nights'] | undefined) === undefined) return undefined;
  const unbounded = (ms: DurationMs | null): number => ms ?? Infinity;
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
export function placeText({ index, count }: Pick<TableShard, 'index' | 'count'>): string {
  return `${index}/${count}`;
}

type Found = ShardTable & { readonly shard: TableShard };

/** Why two shards are not of the same table; undefined if they are. */
function differenceOf(a: Found, b: Found): string | undefined {
  if (a.table.name !== b.table.name) return `their suites differ: ${a.table.name} and ${b.table.name}`;
  if (a.shard.suite !== b.shard.suite) return 'their suite files differ';
  if (a.shard.count !== b.shard.count)
    return `their shard counts differ: ${placeText(a.shard)} and ${placeText(b.shard)}`;
  if (a.shard.seed !== b.shard.seed)
    return `their fault times use different seeds: --seed ${a.shard.seed ?? 'none'} and ${b.shard.seed ?? 'none'}`;
  if (a.table.label !== b.table.label)
    return `their releases differ: ${a.table.label ?? '(no label)'} and ${b.table.label ?? '(no label)'}`;
  const [gateA, gateB] = [a, b].map(({ table: { baseline } }) =>
    baseline === undefined ? 'no baseline' : `baseline ${baseline.of}, allowed ${baseline.tolerance}`,
  );
  if (gateA !== gateB) return `their baselines differ: ${gateA} and ${gateB}`;
  if (a.table.target !== b.table.target)
    return `their targets differ: ${a.table.target} and ${b.table.target}`;
  if (a.shard.drills !== b.shard.drills)
    return 'their scenarios, targets, variables, --repeat, or --grep differ';
  return undefined;
}
