import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makePlan, makeWatchPlan, type Input } from './planner.ts';
import { InvalidInput, parseSource } from './source.ts';

const testdata = join(import.meta.dirname, 'testdata');

function input(name: string, text = readFileSync(join(testdata, name), 'utf8')): Input {
  return { source: parseSource(name, text), sha256: 'sha' };
}

function problemsOf(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof InvalidInput) return error.message.split('\n');
    throw error;
  }
  return [];
}

const target = input('target.yaml');
const plan = (text: string, name = 'scenario.yaml') => makePlan(input(name, text), target, (path) => path);

describe('a malformed scenario', () => {
  const files = readdirSync(testdata).filter(
    (name) => name.startsWith('invalid-') && !name.includes('target'),
  );

  // The first comment lines of each file hold the exact messages it must give.
  test.each(files)('%s', (name) => {
    const text = readFileSync(join(testdata, name), 'utf8');
    const expected = text
      .split('\n')
      .flatMap((line) =>
        line.startsWith('# expect: ') ? [`${name}:${line.slice('# expect: '.length)}`] : [],
      );
    expect(expected).not.toEqual([]);
    expect(problemsOf(() => plan(text, name))).toEqual(expected);
  });
});

describe('a malformed target', () => {
  const valid = readFileSync(join(testdata, 'target.yaml'), 'utf8');
  const cases: readonly (readonly [string, string, string, string])[] = [
    [
      'a host that is not there',
      'on: [alpha, beta]',
      'on: [alpha, betta]',
      '8:36: no host "betta"; did you mean "beta"?',
    ],
    [
      'a role without a host',
      'db-primary: { probe: db-role, is: primary }',
      'db-primary: { probe: health }',
      '10:15: role "db-primary" needs a probe with `on:`, so that its value belongs to a host',
    ],
    [
      'a probe without its host',
      'on: [alpha, beta], ',
      '',
      '8:26: a probe of kind "exec" needs `on:`: the host where it runs',
    ],
    [
      'an unknown transport',
      'transport: docker, container: alpha-vm',
      'transport: dokcer, container: alpha-vm',
      '4:23: unknown transport "dokcer"; did you mean "docker"?',
    ],
    [
      'more instances than there are',
      'is: primary, count: 1',
      'is: primary, count: 3',
      '14:45: probe "db-role" has only 2 instance(s)',
    ],
  ];
  test.each(cases)('%s', (_what, from, to, message) => {
    expect(valid).toContain(from);
    const text = valid.replace(from, to);
    expect(problemsOf(() => makeWatchPlan(input('target.yaml', text), (path) => path))[0]).toBe(
      `target.yaml:${message}`,
    );
  });
});

describe('a plan', () => {
  const made = plan(readFileSync(join(testdata, 'valid.yaml'), 'utf8'));

  test('has one probe instance for each host, with its address filled in', () => {
    expect(made.probes.map((probe) => probe.id)).toEqual(['health', 'db-role@alpha', 'db-role@beta']);
    expect(made.probes[1]?.params).toMatchObject({ argv: ['db-role', '198.18.9.1'] });
  });

  test('holds every default, in milliseconds', () => {
    expect(made.probes[0]).toMatchObject({ intervalMs: 1000, timeoutMs: 900 });
    expect(made.recovery).toEqual({ probe: 'health', withinMs: 120_000, stableForMs: 5000 });
    expect(made.faults[0]).toEqual({
      id: 'fault-1',
      kind: 'process.kill',
      on: { role: 'db-primary' },
      atMs: 0,
      params: { container: 'db', process: 'postgres', signal: 'KILL' },
    });
    expect(made.checks[0]).toEqual({ kind: 'rto', name: 'RTO at most 30.0 s', maxMs: 30_000 });
  });

  test('asks for the steady state of the target as restored redundancy', () => {
    expect(made.redundancy.require).toEqual(made.steady.require);
  });

  test('survives the trip through the event log unchanged', () => {
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
  });
});
