import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { defaultTolerance } from '../../analysis/tolerance.ts';
import type { Comparison } from '../../analysis/compare.ts';
import type { KeptRun } from '../../analysis/kept-run.ts';
import { keptOf } from '../../analysis/testing/kept.ts';
import { compareCommand } from './compare.ts';
import { historyCommand, type HistoryOptions } from './history.ts';
import { temporaryFolder } from '../../../test/temporary-folder.ts';

let folder: string;
let said: string[];
let printed: string;
const print = (text: string): void => {
  printed += text;
};
const output = {
  data: print,
  text: print,
  progress: (line: string) => void said.push(line),
};

beforeEach(() => {
  folder = temporaryFolder();
  said = [];
  printed = '';
});

function keep(number: number, rtoMs: number, parts: Partial<KeptRun> = {}): string {
  const path = join(folder, `run-${number}`);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'summary.json'), JSON.stringify(keptOf(number, rtoMs, parts)));
  return path;
}

function compare(a: string, b: string): Comparison {
  printed = '';
  compareCommand(
    a,
    b,
    { in: [folder], json: true, md: false, gate: false, tolerance: defaultTolerance },
    output,
  );
  return JSON.parse(printed) as Comparison;
}

describe('compare', () => {
  test('finds releases by the label of their runs', () => {
    for (const i of [1, 2, 3, 4]) keep(i, 30_000 + i, { label: 'v1.2' });
    for (const i of [5, 6, 7, 8]) keep(i, 20_000 + i, { label: 'v1.3' });
    keep(9, 1);
    expect(compare('v1.2', 'v1.3')).toMatchObject({
      a: { name: 'v1.2', runs: 4 },
      b: { name: 'v1.3', runs: 4 },
      scenarios: [{ figures: [{ figure: 'rto', outcome: 'shorter' }, {}, {}] }],
    });
    expect(() => compare('v1.2', 'v1.4')).toThrow(
      /v1\.4: neither a path nor the label of a run.*did you mean/,
    );
  });

  test('accepts folders, and excludes the runs of B from A', () => {
    keep(1, 30_000);
    const newest = keep(2, 40_000);
    expect(compare(folder, newest)).toMatchObject({ a: { runs: 1 }, b: { runs: 1 } });
    expect(said).toEqual([`1 run of ${folder} is also in ${newest} and counts only there`]);
    expect(() => compare(newest, newest)).toThrow(/have no scenario in common/);
  });

  test('refuses a path that does not exist or contains no runs', () => {
    const one = keep(1, 1);
    expect(() => compare(join(folder, 'none'), one)).toThrow(/no such file or folder/);
    mkdirSync(join(folder, 'empty'));
    expect(() => compare(join(folder, 'empty'), one)).toThrow(/contains no runs/);
    const other = keep(2, 1, { scenario: { ...keptOf(0, 1).scenario, name: 'other' } });
    expect(() => compare(one, other)).toThrow(/have no scenario in common/);
  });
});

describe('compare --gate', () => {
  const gate = (tolerance = defaultTolerance) => {
    printed = '';
    const options = { in: [folder], json: false, md: false, gate: true, tolerance };
    return compareCommand('v1.2', 'v1.3', options, output);
  };

  test('fails only if a figure is worse', () => {
    for (const i of [1, 2, 3, 4]) keep(i, 30_000 + i, { label: 'v1.2' });
    for (const i of [5, 6, 7, 8]) keep(i, 40_000 + i, { label: 'v1.3' });
    expect(gate()).toBe(1);
    expect(printed).toContain(
      'against the baseline v1.2 (allowed 10 %, at least 1 s): 1 worse, 0 not worse, 0 inconclusive',
    );
    expect(printed).toMatch(/FAIL +crash: worse: RTO 30\.00 s before, 40\.01 s now/);
    expect(gate({ share: 0, ms: 15_000 })).toBe(0);
    rmSync(join(folder, 'run-8'), { recursive: true });
    expect(gate()).toBe(0);
    expect(printed).toContain('inconclusive with 4 and 3 nights');
  });

  test('is in the JSON, and a section of the Markdown', () => {
    for (const i of [1, 2]) keep(i, 30_000 + i, { label: `v1.${i + 1}` });
    const options = { in: [folder], gate: true, tolerance: defaultTolerance };
    compareCommand('v1.2', 'v1.3', { ...options, json: true, md: false }, output);
    expect(JSON.parse(printed)).toMatchObject({
      baseline: { of: 'v1.2', tolerance: '10 %, at least 1 s', drills: [{ status: 'inconclusive' }] },
    });
    printed = '';
    compareCommand('v1.2', 'v1.3', { ...options, json: false, md: true }, output);
    expect(printed).toMatch(/^## Against the baseline\n\nAgainst the baseline v1\.2/m);
  });
});

describe('history', () => {
  const listed = (options: Partial<HistoryOptions>) => {
    printed = '';
    historyCommand([folder], { json: true, ...options }, output);
    return (JSON.parse(printed) as { runs: { runId: string }[] }).runs.map(({ runId }) => runId);
  };

  test('lists matching runs, newest first', () => {
    keep(1, 1000, { label: 'v1.2' });
    keep(2, 2000, { target: 'staging' });
    keep(30, 3000, { scenario: { ...keptOf(0, 1).scenario, name: 'node-loss' } });
    expect(listed({})).toEqual(['run-30', 'run-2', 'run-1']);
    expect(listed({ limit: 2 })).toEqual(['run-30', 'run-2']);
    expect(listed({ scenario: 'crash' })).toEqual(['run-2', 'run-1']);
    expect(listed({ scenario: 'node-*' })).toEqual(['run-30']);
    expect(listed({ scenario: 'node.*' })).toEqual([]);
    expect(listed({ target: 'staging' })).toEqual(['run-2']);
    expect(listed({ label: 'v1.2' })).toEqual(['run-1']);
    expect(listed({ since: '2026-03-04' })).toEqual(['run-30']);
    expect(listed({ since: '5m' })).toEqual([]);
    expect(listed({ since: '99999d' })).toHaveLength(3);
    expect(() => listed({ since: 'yesterday' })).toThrow(/--since yesterday: neither a date nor an age/);
  });

  test('reports skipped folders, and continues', () => {
    keep(1, 1000);
    mkdirSync(join(folder, 'bench'));
    expect(listed({})).toEqual(['run-1']);
    expect(said).toEqual([`left out: ${join(folder, 'bench')}: contains no runs`]);
  });
});
