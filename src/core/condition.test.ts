import { describe, expect, test } from 'vitest';
import { probeOf } from '../analysis/testing/log-builder.ts';
import {
  type Condition,
  countTruth,
  describeCondition,
  type FailureValues,
  type ReadSample,
  sampleTruth,
} from './condition.ts';

describe('the truth of a condition by a sample', () => {
  const refused: ReadSample = { status: 'fail', cause: 'refused' };
  const down: FailureValues = { refused: 'down' };

  test.each<[ReadSample | undefined, FailureValues | undefined, string]>([
    [{ status: 'ok', value: 'primary' }, undefined, 'yes'],
    [{ status: 'ok', value: 'standby' }, undefined, 'no'],
    // Good, but without a value.
    [{ status: 'ok' }, undefined, 'maybe'],
    [undefined, undefined, 'maybe'],
    [{ status: 'unknown' }, down, 'maybe'],
    [refused, undefined, 'maybe'],
    [refused, down, 'no'],
    [refused, { refused: 'primary' }, 'yes'],
    [{ status: 'fail', cause: 'error' }, down, 'maybe'],
    [{ status: 'fail', cause: 'timeout' }, down, 'maybe'],
    // A value in the body of a bad reply does not count.
    [{ status: 'fail', cause: 'http-5xx', value: 'primary' }, undefined, 'maybe'],
    [{ status: 'fail', cause: 'timeout', provenDown: true }, undefined, 'no'],
    // A bad state is a value that the target reported.
    [{ status: 'fail', cause: 'bad-state', value: 'exited' }, undefined, 'no'],
    [{ status: 'fail', cause: 'bad-state', value: 'primary' }, down, 'yes'],
    [{ status: 'fail', cause: 'bad-state' }, undefined, 'maybe'],
  ])('with a value: %j, declared %j, is %s', (sample, onFailure, truth) => {
    const probe = onFailure === undefined ? {} : { onFailure };
    expect(sampleTruth({ is: ['primary'] }, probe, sample)).toBe(truth);
  });

  test('without a value, a failed sample is a no', () => {
    expect(sampleTruth({}, {}, refused)).toBe('no');
    expect(sampleTruth({}, {}, { status: 'fail', cause: 'bad-state', value: 'exited' })).toBe('no');
    expect(sampleTruth({}, {}, { status: 'ok' })).toBe('yes');
    expect(sampleTruth({}, {}, { status: 'unknown' })).toBe('maybe');
  });

  test('without power, a value that stands for a failure is "maybe"', () => {
    const off: ReadSample = { status: 'fail', cause: 'timeout', provenDown: true };
    expect(sampleTruth({ is: ['down'] }, { onFailure: down }, off)).toBe('maybe');
  });
});

describe('a count', () => {
  const exactlyOne: Condition = { probe: 'role', is: ['primary'], count: { min: 1, max: 1 } };

  test('is "maybe" if it depends on an unknown instance', () => {
    expect(countTruth(exactlyOne, ['yes', 'no'])).toBe('yes');
    expect(countTruth(exactlyOne, ['yes', 'maybe'])).toBe('maybe');
    expect(countTruth(exactlyOne, ['yes', 'yes', 'maybe'])).toBe('no');
    expect(countTruth({ probe: 'role', count: { min: 1 } }, ['yes', 'maybe'])).toBe('yes');
  });
});

test('a combined condition in words', () => {
  const { name: probe } = probeOf('pg-role@node-1');
  expect(
    describeCondition({
      probe,
      is: ['primary'],
      and: [{ probe: 'container', is: ['running'] }],
      count: { min: 2, max: 2 },
    }),
  ).toBe('pg-role is primary and container is running on exactly 2');
});
