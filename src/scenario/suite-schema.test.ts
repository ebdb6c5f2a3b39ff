import { describe, expect, test } from 'vitest';
import { parseSource } from './source.ts';
import { parseSuite, type Suite } from './suite-schema.ts';
import { readTestdata } from './testing/corpus.ts';

const valid = readTestdata('suite.yaml');

function parsed(text: string): Suite {
  return parseSuite(parseSource('suite.yaml', text));
}

describe('a suite', () => {
  test('has every default, times in ms, and numbers of rows as text', () => {
    const suite = parsed(valid);
    expect(suite.settle).toEqual({ within: 300_000 });
    expect(suite.rows.map((r) => [r.row, r.figure, r.variables])).toEqual([
      ['1', 'rto', {}],
      ['4', 'return', { wait: '5s', deep: true, times: 3 }],
    ]);
  });

  test('accepts the total of a check as its figure', () => {
    expect(parsed(valid.replace('figure: return', 'figure: "happens:two primaries"')).rows[1]?.figure).toBe(
      'happens:two primaries',
    );
  });
});
