import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { gateOf, type Regression } from '../../analysis/gate.ts';
import { keptOf } from '../../analysis/testing/kept.ts';
import { summarize } from '../../analysis/summarize.ts';
import { nodeLoss } from '../../analysis/testing/node-loss.ts';
import type { Summary } from '../../core/summary.ts';
import type { FailureTable, TableDrill } from '../../report/table.ts';
import { jobsOfShard, type Shard } from '../shards.ts';
import { jobsOf, loadSuite } from '../suite.ts';
import { writeTable } from '../table-folder.ts';
import type { TableJob } from '../table-run.ts';
import { tableOf } from '../merged-table.ts';
import { mergeReportsCommand } from './merge-reports.ts';
import { temporaryFolder } from '../../../test/temporary-folder.ts';

const loaded = loadSuite('certlocker', { variables: {} });
const template = summarize(nodeLoss().read());
const head = {
  complete: true,
  startedAt: '2026-03-01T10:00:00.000Z',
  endedAt: '2026-03-01T10:10:00.000Z',
  label: 'v1.3',
};
let folder: string;
let said: string[];
const output = {
  data: () => undefined,
  text: () => undefined,
  progress: (line: string) => void said.push(line),
};

beforeEach(() => {
  folder = temporaryFolder();
  said = [];
});

/** The result of a drill, the same in every shard. */
function summaryOf({ number, plan }: TableJob): Summary {
  const ms = 1000 * number;
  return {
    ...template,
    runId: `run-${number}`,
    scenario: { ...template.scenario, name: plan.scenario.name },
    rto: { ms, minMs: ms - 10, maxMs: ms + 10, first: null },
    reasons: [],
    verdict: 'pass',
  };
}

interface Choice {
  readonly seed?: number;
  readonly repeat?: number;
  readonly summaryOf?: (job: TableJob) => Summary;
  readonly loaded?: typeof loaded;
  readonly parts?: Partial<typeof head>;
}

/** The table of a shard, or the whole one, as `firedrill table` makes it. */
function tableOfShard(shard: Shard | undefined, choice: Choice = {}): FailureTable {
  const { seed = 7, repeat = 2 } = choice;
  const all = jobsOf(loaded, { repeat, seed });
  const jobs = shard === undefined ? all : jobsOfShard(all, shard);
  const drills = jobs.map((job): TableDrill => ({
    number: job.number,
    rowIndices: job.rowIndices,
    name: job.plan.scenario.name,
    round: job.round,
    summary: (choice.summaryOf ?? summaryOf)(job),
    notRun: null,
    backToSteadyMs: job.number,
  }));
  const run = { ...head, ...choice.parts, drills, shard };
  return tableOf({ loaded: choice.loaded ?? loaded, all, seed }, jobs, run);
}

function keep(name: string, table: FailureTable): string {
  const path = join(folder, name);
  for (const { runId } of table.rows.flatMap((row) => row.drills)) {
    mkdirSync(join(path, 'runs', runId ?? ''), { recursive: true });
    writeFileSync(join(path, 'runs', runId ?? '', 'report.html'), `report of ${runId ?? ''}`);
  }
  writeTable(path, table);
  return path;
}

const three = [1, 2, 3].map((index) => ({ index, count: 3 }));
const out = () => join(folder, 'out');
const merge = (folders: readonly string[]) =>
  mergeReportsCommand(folders, { out: out(), json: false }, output);

function merged(name: string): string {
  const [own = ''] = readdirSync(out());
  return readFileSync(join(out(), own, name), 'utf8');
}

describe('merged shards', () => {
  test('are the table of an unsharded run, byte for byte', () => {
    const whole = keep('whole', tableOfShard(undefined));
    const shards = three.map((shard) => keep(`artifacts/shard-${shard.index}`, tableOfShard(shard)));
    expect(merge(shards.toReversed())).toBe(0);
    for (const name of ['table.json', 'table.md', 'table.html'])
      expect(merged(name)).toBe(readFileSync(join(whole, name), 'utf8'));
    const runs = [...merged('table.html').matchAll(/href="(runs\/[^"]+)"/g)].map(([, link]) => link ?? '');
    expect(runs.length).toBeGreaterThan(40);
    const [own = ''] = readdirSync(out());
    for (const link of runs) expect(existsSync(join(out(), own, link))).toBe(true);
  });

  test('are found in the folders of downloaded artifacts; the times span all of them', () => {
    for (const shard of three)
      keep(
        `artifacts/shard-${shard.index}/reports/x`,
        tableOfShard(shard, { parts: { endedAt: `2026-03-01T10:2${shard.index}:00.000Z` } }),
      );
    expect(merge([join(folder, 'artifacts')])).toBe(0);
    expect(JSON.parse(merged('table.json'))).toMatchObject({
      complete: true,
      startedAt: head.startedAt,
      endedAt: '2026-03-01T10:23:00.000Z',
    });
  });

  test('with a missing shard are inconclusive, and name it', () => {
    const [first, , third] = three.map((shard) => keep(`shard-${shard.index}`, tableOfShard(shard)));
    expect(merge([first ?? '', third ?? ''])).toBe(3);
    expect(said).toContain('shard 2/3 is missing');
    expect(JSON.parse(merged('table.json'))).toMatchObject({ complete: false });
  });

  test.each([
    ['a failed drill', { verdict: 'fail' }, 1],
    ['one that is not decided', { verdict: 'inconclusive' }, 3],
    ['a fault that is not healed', { verdict: 'fail', healed: false }, 4],
  ] as const)('with %s end as the table would have', (_, parts, code) => {
    const choice = {
      summaryOf: (job: TableJob) => ({ ...summaryOf(job), ...(job.number === 9 ? parts : {}) }),
    };
    expect(merge(three.map((shard) => keep(`shard-${shard.index}`, tableOfShard(shard, choice))))).toBe(code);
  });

  test('that were stopped are not complete', () => {
    const parts = { complete: false };
    const shards = three.map((shard) =>
      keep(`shard-${shard.index}`, tableOfShard(shard, shard.index === 2 ? { parts } : {})),
    );
    expect(merge(shards)).toBe(3);
  });
});

describe('shards that were compared with a baseline', () => {
  const held = (shard: Shard | undefined, tolerance = '10 %'): FailureTable => {
    const table = tableOfShard(shard, { repeat: 1 });
    const { rows, ...rest } = table;
    const drills = rows
      .flatMap((row) => row.drills)
      .map(({ scenario, number }): Regression => ({
        drill: scenario,
        figure: 'rto',
        status: number === 15 ? 'fail' : 'pass',
        why: `drill ${number}`,
        baseline: null,
        now: null,
        shift: null,
        toleranceMs: 1,
        p: { longer: null, missed: null },
        nights: { baseline: [], now: [] },
      }))
      .sort((a, b) => (a.drill < b.drill ? -1 : 1));
    return { ...rest, baseline: { of: 'v1.2', tolerance, drills }, rows };
  };

  test('are judged together, and fail if one fails', () => {
    const whole = keep('whole', held(undefined));
    expect(merge(three.map((shard) => keep(`shard-${shard.index}`, held(shard))))).toBe(1);
    expect(JSON.parse(merged('table.json'))).toEqual(
      JSON.parse(readFileSync(join(whole, 'table.json'), 'utf8')),
    );
    expect(merged('table.md')).toContain('- ✗ router-crash: drill 15');
    expect(merged('table.html')).toMatch(/class="verdict fail"/);
  });

  test('are judged again, because the weight of a figure depends on their number', () => {
    const drills = [
      ...new Set(held(undefined).rows.flatMap((row) => row.drills.map((d) => `drill ${d.number}`))),
    ];
    const nights = (from: number, factor: number) => (drill: string) =>
      Array.from({ length: 5 }, (_, i) => {
        // In every third drill the run of one night timed out.
        const isMissed = drills.indexOf(drill) % 3 === 0 && i === 0;
        const rtoMs = isMissed ? null : factor * (30_000 + 100 * i);
        return {
          ...keptOf(from + i, rtoMs),
          scenario: { ...keptOf(0, 1).scenario, name: drill },
          ...(isMissed ? { longerThan: { rto: 90_000 } } : {}),
        };
      });
    const allowed = { share: 0.1, ms: 1000 };
    const gate = (names: readonly string[], figuresInAll?: number) => ({
      of: 'v1.2',
      tolerance: '10 %, at least 1 s',
      allowed,
      ...gateOf(
        { name: 'v1.2', runs: names.flatMap(nights(0, 1)) },
        { name: 'now', runs: names.flatMap(nights(20, 1.05)) },
        { tolerance: allowed, figures: new Map(), figuresInAll },
      ),
    });
    const shards = three.map((shard) => {
      const table = tableOfShard(shard, { repeat: 1 });
      const own = [...new Set(table.rows.flatMap((row) => row.drills.map((d) => `drill ${d.number}`)))];
      const baseline = gate(own, drills.length);
      expect(baseline.together).toBeNull();
      return keep(`shard-${shard.index}`, { ...table, baseline });
    });
    merge(shards);
    const { baseline } = JSON.parse(merged('table.json')) as { baseline: unknown };
    const whole = gate(drills);
    expect(whole.together?.status).toBe('fail');
    expect(baseline).toEqual(JSON.parse(JSON.stringify(whole)));
  });

  test('with different baselines are not one table', () => {
    const shards = three.map((shard) => keep(`shard-${shard.index}`, held(shard, `${shard.index} s`)));
    expect(() => merge(shards)).toThrow(/baseline v1\.2, allowed 1 s and baseline v1\.2, allowed 2 s/);
  });
});

describe('shards that cannot be merged', () => {
  const [one, two] = [
    { index: 1, count: 2 },
    { index: 2, count: 2 },
  ];
  const refused = (second: FailureTable) => {
    const shards = [keep('a', tableOfShard(one)), keep('b', second)];
    return () => merge(shards);
  };

  test.each<readonly [string, () => FailureTable, RegExp]>([
    [
      'another seed',
      () => tableOfShard(two, { seed: 8 }),
      /their fault times use different seeds: --seed 7 and 8/,
    ],
    ['another split', () => tableOfShard({ index: 2, count: 3 }), /their shard counts differ: 1\/2 and 2\/3/],
    ['another --repeat', () => tableOfShard(two, { repeat: 1 }), /--repeat, or --grep differ/],
    [
      'another suite file',
      () => tableOfShard(two, { loaded: { ...loaded, sha256: 'ff' } }),
      /their suite files differ/,
    ],
    [
      'another suite',
      () => tableOfShard(two, { loaded: { ...loaded, suite: { ...loaded.suite, name: 'other' } } }),
      /their suites differ: certlocker and other/,
    ],
    [
      'another release',
      () => tableOfShard(two, { parts: { label: 'v1.4' } }),
      /their releases differ: v1\.3 and v1\.4/,
    ],
    ['the same shard again', () => tableOfShard(one), /merge shard 1\/2: it was found twice/],
    ['a whole table', () => tableOfShard(undefined), /it is a complete table, not a shard/],
  ])('%s', (_, second, message) => {
    expect(refused(second())).toThrow(message);
    expect(existsSync(out())).toBe(false);
  });

  test('no shard, or a shard without its runs', () => {
    mkdirSync(join(folder, 'empty'));
    expect(() => merge([join(folder, 'empty')])).toThrow(/these folders have no shard of a table/);
    expect(() => merge([join(folder, 'none')])).toThrow(/no such folder/);
    const shards = [keep('a', tableOfShard(one)), keep('b', tableOfShard(two))];
    rmSync(join(folder, 'b', 'runs'), { recursive: true });
    expect(() => merge(shards)).toThrow(/the run of a drill is missing from the shard/);
    expect(existsSync(out())).toBe(false);
  });
});
