import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { keptOf } from '../analysis/testing/kept.ts';
import { figureOf } from '../analysis/figures.ts';
import { readKept } from './kept-runs.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

const table = 'reports/table-certlocker';
let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

function keep(path: string, text: string, name = 'summary.json'): void {
  mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, path, name), text);
}

const names = () => readKept([folder]).runs.map(({ run }) => run.runId);
const skipped = () => readKept([folder]).skipped.map((s) => `${s.folder.slice(folder.length)}: ${s.why}`);

describe('kept runs', () => {
  test('are those of folders and of their tables, newest first', () => {
    const { runs, figures } = readKept([table, 'reports/example-certlocker']);
    expect(runs).toHaveLength(25);
    const dates = runs.map(({ run }) => Date.parse(run.startedAt));
    expect(dates).toEqual([...dates].sort((a, b) => b - a));
    expect(runs.filter(({ folder }) => folder.startsWith(table))).toHaveLength(24);
    expect([...(figures.get('container-crash-edge-active') ?? [])]).toEqual(['redundancy']);
    expect([...(figures.get('postgres-crash') ?? [])]).toContain('rto');
  });

  test('are found at any depth of an artifact, and by their file', () => {
    keep('artifacts/night-1/reports/run-1', JSON.stringify(keptOf(1, 5000)));
    expect(names()).toEqual(['run-1']);
    const file = join(folder, 'artifacts/night-1/reports/run-1/summary.json');
    expect(readKept([file]).runs.map(({ run }) => run.rto?.ms)).toEqual([5000]);
  });

  test('report unreadable and other folders, and continue', () => {
    keep('run-1', JSON.stringify(keptOf(1, 5000)));
    keep('run-2', '{"schemaVersion":1,');
    keep('run-3', '{"schemaVersion":3}');
    keep('run-4', JSON.stringify({ ...keptOf(4, 1), startedAt: 'yesterday' }));
    keep('run-5', '{"t":0}', 'events.ndjson');
    keep('bench', '{}', 'results.json');
    keep('odd-table', '{"schemaVersion":1}', 'table.json');
    symlinkSync(folder, join(folder, 'circle'));
    expect(names()).toEqual(['run-1']);
    expect(skipped()).toEqual([
      expect.stringMatching(/^\/odd-table: /),
      expect.stringMatching(/^\/run-2: summary\.json cannot be read: /),
      expect.stringMatching(/^\/run-3: summary\.json: not a summary that this version knows: schemaVersion/),
      expect.stringMatching(/^\/run-4: .*startedAt: not a date$/),
      '/run-5: has no summary.json; make it with `firedrill report`',
      '/bench: contains no runs',
    ]);
  });

  test('count a run once, even with multiple copies', () => {
    const summary = JSON.stringify(keptOf(1, 5000));
    keep('run-1', summary);
    keep('copy/run-1', summary);
    expect(names()).toEqual(['run-1']);
  });

  test('have the figures of the table if only the table was kept', () => {
    mkdirSync(join(folder, 'baseline'));
    cpSync(join(table, 'table.json'), join(folder, 'baseline/table.json'));
    const whole = new Map(readKept([table]).runs.map(({ run }) => [run.runId, run]));
    for (const path of [folder, join(folder, 'baseline/table.json')]) {
      const { runs, figures } = readKept([path]);
      // The table does not distinguish the two variants of one scenario.
      expect(runs).toHaveLength(whole.size - 2);
      let compared = 0;
      for (const { run } of runs)
        for (const figure of figures.get(run.scenario.name) ?? []) {
          const own = whole.get(run.runId);
          const expected = own === undefined ? undefined : figureOf(figure, own);
          expect(figureOf(figure, run)?.ms).toBe(expected?.ms);
          compared++;
        }
      expect(compared).toBeGreaterThan(20);
    }
  });

  test('are refused for a path that does not exist', () => {
    expect(() => readKept([join(folder, 'none')])).toThrow(/none: no such file or folder/);
  });

  test('of older versions lack figures that were not measured then', () => {
    const { heal: _, downtime: __, stages: ___, checks: ____, ...old } = keptOf(1, 5000);
    keep('run-1', JSON.stringify(old));
    expect(readKept([folder]).runs[0]?.run).toMatchObject({ heal: null, stages: [], rto: { ms: 5000 } });
    expect(readFileSync(join(folder, 'run-1/summary.json'), 'utf8')).not.toContain('stages');
  });
});
