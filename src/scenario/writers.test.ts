import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../core/plan.ts';
import { makePlans, openScenario } from './planner.ts';
import { parseSource } from './source.ts';
import { planTarget, type TargetInput } from './target-planner.ts';
import { problemsOf } from './testing/problems-of.ts';

const testdata = join(import.meta.dirname, 'testdata');
const targetText = readFileSync(join(testdata, 'writers-target.yaml'), 'utf8');
const scenarioText = readFileSync(join(testdata, 'valid.yaml'), 'utf8');

function input(name: string, text: string): TargetInput {
  return { source: parseSource(name, text), sha256: 'sha', resolveFile: (path) => `beside/${path}` };
}

/** The plan of the scenario with these checks besides its own. */
function planWith(...checks: readonly string[]): Plan {
  const text = `${scenarioText}${checks.map((check) => `  - ${check}\n`).join('')}`;
  const [plan] = makePlans(openScenario(input('scenario.yaml', text)), () =>
    input('target.yaml', targetText),
  );
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

describe('the writers of a plan', () => {
  test('are those that a check is about', () => {
    expect(planWith().writers).toEqual([]);
    expect(planWith('{ kind: rpo, of: rows, max: 0s }').writers.map(({ id }) => id)).toEqual(['rows']);
    const both = planWith(
      '{ kind: rows, of: notes, are: lost, max: 0 }',
      '{ kind: stale-reads, of: rows, max: 0s }',
    );
    expect(both.writers.map(({ id }) => id)).toEqual(['rows', 'notes']);
  });

  test('have a path for each host, and defaults filled in', () => {
    const [rows] = planWith('{ kind: rpo, of: rows, max: 0s }').writers;
    expect(rows).toEqual({
      id: 'rows',
      kind: 'sql',
      clients: 2,
      intervalMs: 100,
      timeoutMs: 2000,
      readIntervalMs: 500,
      paths: ['alpha', 'beta'].map((host, i) => ({
        id: `rows@${host}`,
        host,
        params: { dsn: `postgresql://app@198.18.9.${i + 1}/app`, password: { file: 'beside/secrets/app' } },
      })),
    });
  });

  test('may have one path that belongs to no host; names of rows are left for the run', () => {
    const [notes] = planWith('{ kind: rpo, of: notes, max: 0s }').writers;
    expect(notes).toMatchObject({
      clients: 3,
      intervalMs: 50,
      timeoutMs: 1000,
      readIntervalMs: 2000,
      keep: true,
      paths: [
        {
          id: 'notes',
          params: { write: { method: 'POST', url: 'http://198.18.9.10/notes/${rows}?note=${row}' } },
        },
      ],
    });
    expect(notes?.paths[0]).not.toHaveProperty('host');
  });
});

describe('checks on written rows', () => {
  test('have names that say what must hold', () => {
    const checks = [
      '{ kind: rpo, of: rows, max: 0s }',
      '{ kind: rpo, of: rows, min: 2s, max: 1m }',
      '{ kind: rows, of: rows, are: duplicated, max: 0 }',
      '{ kind: rows, of: rows, are: lost, min: 1, max: 5 }',
      '{ kind: stale-reads, of: rows, max: 0s }',
      '{ kind: stale-reads, of: rows, max: 500ms }',
      '{ kind: rpo, of: rows, max: 0s, name: RPO 0 }',
    ];
    expect(planWith(...checks).checks.slice(-checks.length)).toEqual([
      { kind: 'rpo', name: 'no acknowledged write of rows is lost', of: 'rows', maxMs: 0 },
      {
        kind: 'rpo',
        name: 'RPO of rows at least 2.0 s, at most 60.0 s',
        of: 'rows',
        minMs: 2000,
        maxMs: 60_000,
      },
      { kind: 'rows', name: 'rows of rows that are duplicated: none', of: 'rows', are: 'duplicated', max: 0 },
      {
        kind: 'rows',
        name: 'rows of rows that are lost: at least 1, at most 5',
        of: 'rows',
        are: 'lost',
        min: 1,
        max: 5,
      },
      { kind: 'stale-reads', name: 'no read of rows is stale', of: 'rows', maxMs: 0 },
      { kind: 'stale-reads', name: 'stale reads of rows at most 500 ms', of: 'rows', maxMs: 500 },
      { kind: 'rpo', name: 'RPO 0', of: 'rows', maxMs: 0 },
    ]);
  });

  test.each([
    ['{ kind: rpo, of: row, max: 0s }', '9:22: the target has no writer "row"; did you mean "rows"?'],
    [
      '{ kind: rows, of: lines, are: lost, max: 0 }',
      '9:23: the target has no writer "lines"; known: rows, notes',
    ],
    ['{ kind: rpo, of: rows }', '9:5: rpo: needs `min` or `max`'],
    ['{ kind: stale-reads, of: rows }', '9:5: stale-reads: needs `min` or `max`'],
    ['{ kind: rows, of: rows, are: lost }', '9:5: rows: needs `min` or `max`'],
    ['{ kind: rows, of: rows, are: lost, min: 3, max: 2 }', '9:45: min: lies above max (2)'],
    ['{ kind: rpo, of: rows, min: 3s, max: 2s }', '9:33: min: lies above max (2.0 s)'],
    [
      '{ kind: rows, of: rows, are: missing, max: 0 }',
      '9:34: are: expected lost or duplicated or unasked, found "missing"',
    ],
  ])('%s', (check, problem) => {
    expect(problemsOf(() => planWith(check))).toEqual([`scenario.yaml:${problem}`]);
  });
});

describe('a malformed writer', () => {
  test.each([
    ['kind: sql', 'kind: sqll', '11:11: unknown kind "sqll"; did you mean "sql"?'],
    [
      'on: [alpha, beta]\n    dsn',
      'on: [alpha, betta]\n    dsn',
      '12:9: no host "betta"; did you mean "beta"?',
    ],
    ['id: notes', 'id: rows', '15:9: writer id "rows" is used twice'],
    ['interval: 50ms', 'interval: 0s', '18:15: interval: must be more than 0'],
    ['clients: 3', 'clients: 0', '17:14: clients: must not be empty'],
    ['keep: true', 'keeps: true', '21:5: unknown field "keeps"; did you mean "keep"?'],
  ])('%s, written %s', (from, to, problem) => {
    expect(targetText).toContain(from);
    const text = targetText.replace(from, to);
    expect(problemsOf(() => planTarget(input('target.yaml', text)))[0]).toBe(`target.yaml:${problem}`);
  });
});
