import { createHash } from 'node:crypto';
import { DrillError } from '../core/errors.ts';
import type { LoadedSuite } from './suite.ts';
import type { TableJob } from './table-run.ts';

/** A part of a suite that runs on multiple machines: `2/3`. `index` counts from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Reads `2/3`; undefined for anything else. */
export function parseShard(text: string): Shard | undefined {
  const [, index = '', count = ''] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  return shard.index >= 1 && shard.index <= shard.count ? shard : undefined;
}

/** The relative duration of a drill, by the name of its scenario. */
export type WeightOf = (scenario: string) => number;

/**
 * Assigns parts to shards; returns the shard of each part, from 1. The heaviest part comes first. Each part goes to the
 * shard with the least weight, then with the fewest parts, so no shard stays empty. The same weights give the same shards
 * on every machine. (Graham's longest processing time first: at most a third above the optimum.)
 */
export function spread(weights: readonly number[], count: number): readonly number[] {
  const loads = Array.from({ length: count }, (_, i) => ({ shard: i + 1, weight: 0, parts: 0 }));
  const shards = weights.map(() => 1);
  const order = weights.map((weight, part) => ({ weight, part }));
  for (const { weight, part } of order.sort((a, b) => b.weight - a.weight || a.part - b.part)) {
    const least = loads.reduce((a, b) => ((b.weight - a.weight || b.parts - a.parts) < 0 ? b : a));
    least.weight += weight;
    least.parts++;
    shards[part] = least.shard;
  }
  return shards;
}

/**
 * The drills of one shard of a table, in the table's order. A shard has whole rows, and rows with the same drill are in
 * the same shard.
 * @throws DrillError `invalid-input` if there are more shards than rows
 */
export function jobsOfShard(
  jobs: readonly TableJob[],
  { index, count }: Shard,
  weightOf: WeightOf = () => 1,
): readonly TableJob[] {
  const groups = rowGroups(jobs);
  refuseIdle(count, groups.length, 'rows (rows with the same drill count as one)');
  const groupOf = (job: TableJob) => groups.findIndex((rows) => rows.has(job.rowIndices[0] ?? -1));
  const weights = groups.map(() => 0);
  for (const job of jobs) {
    const group = groupOf(job);
    weights[group] = (weights[group] ?? 0) + weightOf(job.plan.scenario.name);
  }
  const shards = spread(weights, count);
  return jobs.filter((job) => shards[groupOf(job)] === index);
}

/** The things of one shard. @throws DrillError `invalid-input` if there are more shards than things */
export function ofShard<T>(
  things: readonly T[],
  { index, count }: Shard,
  weightOf: (thing: T) => number,
): T[] {
  refuseIdle(count, things.length, 'drills');
  const shards = spread(things.map(weightOf), count);
  return things.filter((_, i) => shards[i] === index);
}

function refuseIdle(count: number, most: number, what: string): void {
  if (count <= most) return;
  throw new DrillError('invalid-input', `--shard: ${count} shards, but only ${most} ${what}`, {
    hint: `Use at most ${most} shards.`,
  });
}

/** Groups of rows that share drills, directly or through other rows. */
function rowGroups(jobs: readonly TableJob[]): readonly ReadonlySet<number>[] {
  let groups: Set<number>[] = [];
  for (const { rowIndices } of jobs) {
    const touched = groups.filter((rows) => rowIndices.some((row) => rows.has(row)));
    const joined = new Set([...touched.flatMap((rows) => [...rows]), ...rowIndices]);
    groups = [...groups.filter((rows) => !touched.includes(rows)), joined];
  }
  return groups.sort((a, b) => Math.min(...a) - Math.min(...b));
}

/** A digest of a table's drills: their files, the values of their variables, and their rounds. It identifies shards of the same table. */
export function drillsDigest({ sha256 }: LoadedSuite, jobs: readonly TableJob[]): string {
  const drills = jobs.map(({ rowIndices, round, plan: { scenario, target, faults } }) => [
    rowIndices,
    round,
    scenario.name,
    scenario.sha256,
    target.sha256,
    Object.entries(scenario.variables).sort(([a], [b]) => (a < b ? -1 : 1)),
    faults.map(({ atMs }) => atMs),
  ]);
  return createHash('sha256')
    .update(JSON.stringify([sha256, drills]))
    .digest('hex');
}
