import { describe, expect, test } from 'vitest';
import { judge } from './judge.ts';

const drill = {
  part: 'as-is',
  condition: 'neighbour-1',
  exitCode: 0,
  verdict: 'pass',
  starved: null,
} as const;
const starved = 'this machine is overloaded';

describe('a drill of the unchanged scenario', () => {
  test.each([
    ['quiet', 'pass', null, 'right'],
    ['quiet', 'fail', null, 'false fail'],
    ['quiet', 'inconclusive', null, 'unexplained'],
    ['quiet', 'inconclusive', starved, 'unexplained'],
    ['quiet', null, null, 'unexplained'],
    ['lab-0.5', 'pass', null, 'right'],
    ['lab-0.5', 'fail', null, 'false fail'],
    ['lab-0.5', 'inconclusive', starved, 'right'],
    ['lab-0.5', 'inconclusive', null, 'unexplained'],
    ['lab-0.5', null, null, 'unexplained'],
  ] as const)('%s, %s, %s: %s', (condition, verdict, reason, judgement) => {
    expect(judge({ ...drill, condition, verdict, starved: reason })).toBe(judgement);
  });
});

describe('a drill with a limit that cannot be met', () => {
  test.each([
    ['quiet', 'fail', null, 'right'],
    ['quiet', 'pass', null, 'false pass'],
    ['quiet', 'inconclusive', starved, 'unexplained'],
    ['lab-0.5', 'fail', null, 'right'],
    ['lab-0.5', 'pass', null, 'false pass'],
    ['lab-0.5', 'inconclusive', null, 'right'],
    ['lab-0.5', null, null, 'unexplained'],
  ] as const)('%s, %s, %s: %s', (condition, verdict, reason, judgement) => {
    expect(judge({ ...drill, part: 'must-fail', condition, verdict, starved: reason })).toBe(judgement);
  });
});

test('a remaining fault overrides the verdict', () => {
  expect(judge({ ...drill, exitCode: 4 })).toBe('fault left');
  expect(judge({ ...drill, exitCode: 4, verdict: null })).toBe('fault left');
});
