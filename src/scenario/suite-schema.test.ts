import { describe, expect, test } from 'vitest';
import { InvalidInput, parseSource } from './source.ts';
import { parseSuite, type Suite } from './suite-schema.ts';

const valid = `name: lab
title: Failure table
settle: { within: 5m }
rows:
  - row: 1
    failure: Container crash
    recoveredBy: Docker restart
    reported: 10-20 s
    scenario: container-crash.yaml
  - row: '4'
    failure: primary returns
    recoveredBy: rejoins as standby
    reported: one watchdog tick
    scenario: ../other/return.yaml
    variables: { wait: 5s, deep: true, times: 3 }
    figure: return
`;

function parsed(text: string): Suite {
  return parseSuite(parseSource('suite.yaml', text));
}

function problemOf(text: string): string {
  try {
    parsed(text);
  } catch (error) {
    if (error instanceof InvalidInput) return error.message;
    throw error;
  }
  return 'no problem';
}

describe('a suite', () => {
  test('holds every default; times in ms, numbers of rows as text', () => {
    const suite = parsed(valid);
    expect(suite.settle).toEqual({ within: 300_000 });
    expect(suite.rows.map((r) => [r.row, r.figure, r.variables])).toEqual([
      ['1', 'rto', {}],
      ['4', 'return', { wait: '5s', deep: true, times: 3 }],
    ]);
  });

  test.each([
    [
      'an unknown field',
      'failure: Container',
      'failur: Container',
      'suite.yaml:6:5: unknown field "failur"; did you mean "failure"?',
    ],
    ['a missing field', '    reported: 10-20 s\n', '', 'suite.yaml:5:5: missing field "reported" (string)'],
    [
      'a bad name',
      'name: lab',
      'name: My Lab',
      'suite.yaml:1:7: name: expected lower-case letters, digits and dashes',
    ],
    [
      'a time without unit',
      'within: 5m',
      'within: 5',
      'suite.yaml:3:19: within: expected a duration with a unit, such as 500ms, 5s, 2m or 1h',
    ],
    [
      'an unknown figure',
      'figure: return',
      'figure: rpo',
      'suite.yaml:16:13: figure: expected rto, first, downtime, return, heal-outage, redundancy or happens:NAME of a check',
    ],
    [
      'a variable that is no scalar',
      'wait: 5s',
      'wait: [5s]',
      'suite.yaml:15:24: wait: expected string, found a list',
    ],
    ['no rows', valid.slice(valid.indexOf('rows:')), 'rows: []\n', 'suite.yaml:4:7: rows: must not be empty'],
  ])('with %s is refused where it stands', (_what, from, to, message) => {
    expect(valid).toContain(from);
    expect(problemOf(valid.replace(from, to)).split('\n')).toContain(message);
  });

  test('takes the total of a check as its figure', () => {
    expect(parsed(valid.replace('figure: return', 'figure: "happens:two primaries"')).rows[1]?.figure).toBe(
      'happens:two primaries',
    );
  });
});
