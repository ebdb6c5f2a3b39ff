import { describe, expect, test } from 'vitest';
import type { Plan } from '../core/plan.ts';
import { makePlans, openScenario } from './planner.ts';
import { inputOf, readTestdata } from './testing/corpus.ts';

const targetText = readTestdata('writers-target.yaml');
const scenarioText = readTestdata('valid.yaml');

/** The plan of the scenario with these checks in addition to its own. */
function planWith(...checks: readonly string[]): Plan {
  const text = `${scenarioText}${checks.map((check) => `  - ${check}\n`).join('')}`;
  const [plan] = makePlans(openScenario(inputOf('scenario.yaml', text)), () =>
    inputOf('target.yaml', targetText),
  );
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

describe('the writers of a plan', () => {
  test('are those that a check names', () => {
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
  test('have names with their limits', () => {
    const checks = [
      '{ kind: rpo, of: rows, max: 0s }',
      '{ kind: rpo, of: rows, min: 2s, max: 1m }',
      '{ kind: rows, of: rows, are: duplicated, max: 0 }',
      '{ kind: rows, of: rows, are: lost, min: 1, max: 5 }',
      '{ kind: stale-reads, of: rows, max: 0s }',
      '{ kind: stale-reads, of: rows, max: 900ms }',
      '{ kind: rpo, of: rows, max: 0s, name: RPO 0 }',
    ];
    expect(planWith(...checks).checks.slice(-checks.length)).toEqual([
      { kind: 'rpo', name: 'no acknowledged write of rows is lost', of: 'rows', maxMs: 0 },
      {
        kind: 'rpo',
        name: 'RPO of rows at least 2 s, at most 60 s',
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
      { kind: 'stale-reads', name: 'stale reads of rows at most 900 ms', of: 'rows', maxMs: 900 },
      { kind: 'rpo', name: 'RPO 0', of: 'rows', maxMs: 0 },
    ]);
  });
});
