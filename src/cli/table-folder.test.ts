import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { summarize } from '../analysis/summarize.ts';
import { nodeLoss } from '../analysis/testing/node-loss.ts';
import { type FailureTable, rowLine } from '../report/table.ts';
import { isTableFolder, writeTable, rewriteTable } from './table-folder.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

const log = nodeLoss();
const summary = summarize(log.read());
const head = { failure: 'node lost', recoveredBy: 'the other one', reported: 'a minute' };
const drill = {
  number: 1,
  rowIndices: [0],
  name: 'loss',
  round: 0,
  summary,
  notRun: null,
  backToSteadyMs: 7,
};
const notRun = { ...drill, number: 2, name: 'other', summary: null, notRun: 'stopped', backToSteadyMs: null };
const table: FailureTable = {
  schemaVersion: 1,
  name: 'suite',
  title: 'Suite',
  target: 'lab',
  startedAt: '2026-03-01T10:00:00.000Z',
  endedAt: '2026-03-01T10:10:00.000Z',
  complete: false,
  rows: [
    rowLine({ ...head, row: '1', figure: 'rto' }, [drill]),
    rowLine({ ...head, row: '2', figure: 'return' }, [drill, notRun]),
  ],
};
let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

describe('a table that is made again', () => {
  test('has the new judgments of its drills, and keeps data that is in no log', () => {
    const run = join(folder, 'runs', summary.runId);
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, 'events.ndjson'), `${log.lines().join('\n')}\n`);
    // An older analysis may have judged it so.
    const wrong = { ...summary, verdict: 'fail' as const, rto: null, reasons: ['an old mistake'] };
    const old = { ...drill, summary: wrong };
    const rows = [table.rows[0], rowLine({ ...head, row: '2', figure: 'return' }, [old, notRun])];
    writeTable(folder, { ...table, rows: rows.flatMap((row) => row ?? []) });
    expect(isTableFolder(folder)).toBe(true);
    expect(read('table.json')).toContain('an old mistake');

    expect(rewriteTable(folder)).toEqual({ table, unwritten: [] });
    expect(JSON.parse(read('table.json'))).toEqual(table);
    expect(read('table.md')).not.toContain('an old mistake');
    expect(JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8'))).toMatchObject({
      runId: summary.runId,
    });
  });

  test('is refused without the log of one of its runs', () => {
    writeTable(folder, table);
    const before = read('table.json');
    expect(() => rewriteTable(folder)).toThrow(/events\.ndjson: cannot be read/);
    expect(read('table.json')).toBe(before);
  });

  test('is refused if table.json is of another kind', () => {
    writeFileSync(join(folder, 'table.json'), '{"schemaVersion":2}');
    expect(() => rewriteTable(folder)).toThrow(/not a failure table that this version of firedrill can read/);
  });

  test.each(['../elsewhere', '/tmp/elsewhere', '..', 'a/b', 'a\0b', 'CON', ''])(
    'does not follow the name %j of a run out of its folder',
    (runId) => {
      const reported = { ...summary, runId };
      writeTable(folder, {
        ...table,
        rows: [rowLine({ ...head, row: '1', figure: 'rto' }, [{ ...drill, summary: reported }])],
      });
      expect(() => rewriteTable(folder)).toThrow(`${JSON.stringify(runId)} is not the name of a run`);
    },
  );
});
