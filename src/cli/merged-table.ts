import { type FailureTable, rowLine, type TableDrill } from '../report/table.ts';
import { drillsDigest, type Shard } from './shards.ts';
import type { LoadedSuite } from './suite.ts';
import type { TableJob } from './table-run.ts';

/** The whole table, of which a command runs all drills or one shard. */
export interface MergedTable {
  readonly loaded: LoadedSuite;
  /** The drills of all shards. */
  readonly all: readonly TableJob[];
  /** null: no fault has a jitter. */
  readonly seed: number | null;
}

/** The table of the drills so far, without rows that `--grep` excluded. */
export function tableOf(
  { loaded, all, seed }: MergedTable,
  jobs: readonly TableJob[],
  run: {
    readonly drills: readonly TableDrill[];
    readonly complete: boolean;
    readonly startedAt: string;
    readonly endedAt: string;
    readonly label: string | undefined;
    readonly shard: Shard | undefined;
  },
): FailureTable {
  const { drills, complete, startedAt, endedAt, label, shard } = run;
  const { suite, sha256 } = loaded;
  const rows = suite.rows.flatMap((_, index) =>
    jobs.some((job) => job.rowIndices.includes(index)) ? [index] : [],
  );
  return {
    schemaVersion: 1,
    name: suite.name,
    title: suite.title,
    target: [...new Set(all.map((job) => job.plan.target.name))].join(', '),
    ...(label === undefined ? {} : { label }),
    startedAt,
    endedAt,
    complete,
    ...(shard === undefined
      ? {}
      : { shard: { ...shard, suite: sha256, drills: drillsDigest(loaded, all), seed, rows } }),
    rows: rows.flatMap((index) => {
      const row = suite.rows[index];
      const own = drills.filter((drill) => drill.rowIndices.includes(index));
      return row === undefined ? [] : [rowLine(row, own)];
    }),
  };
}
