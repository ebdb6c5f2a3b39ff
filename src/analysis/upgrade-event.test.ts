import { describe, expect, test } from 'vitest';
import { LogBuilder, planWith, probeOf, readLines } from './testing/log-builder.ts';
import { upgradeEvent } from './upgrade-event.ts';

const checks = [
  { kind: 'ownership', name: 'no owner', of: 'vip', side: 'claimed', state: 'none', maxMs: 2000 },
  { kind: 'ownership', name: 'two owners', of: 'vip', side: 'claimed', state: 'multiple', maxMs: 0 },
  { kind: 'rows', name: 'phantoms', of: 'rows', are: 'phantom', max: 0 },
  {
    kind: 'delivered',
    name: 'announced',
    changes: { probe: 'journal', marks: ['announced'] },
    deliveries: { probe: 'hook', marks: ['several'] },
    withinMs: 5000,
  },
] as const;

/** The same plan as firedrill 0.1.0 wrote it. */
const oldChecks = [
  { ...checks[0], state: 'nobody' },
  { ...checks[1], state: 'several' },
  { ...checks[2], are: 'unasked' },
  { ...checks[3], kind: 'announced' },
];

function started(schemaVersion: number, planned: unknown): unknown {
  return { t: 0, type: 'run.started', schemaVersion, plan: { name: 'nobody', checks: planned } };
}

describe('upgradeEvent', () => {
  test('gives checks of a plan of schema version 1 their new names, and changes no names given by users', () => {
    expect(upgradeEvent(started(1, oldChecks))).toEqual(started(1, checks));
  });

  test('leaves a plan of schema version 2 unchanged', () => {
    expect(upgradeEvent(started(2, oldChecks))).toEqual(started(2, oldChecks));
  });

  test.each([
    ['lease.kept', 'lease.renewed'],
    ['fault.unanswered', 'fault.outcome_unknown'],
  ])('renames %s to %s', (type, renamed) => {
    expect(upgradeEvent({ t: 5, type, fault: 'fault-1', message: type })).toEqual({
      t: 5,
      type: renamed,
      fault: 'fault-1',
      message: type,
    });
  });

  test('renames the moment of rows that were read during the writing', () => {
    const read = { t: 5, type: 'rows.read', writer: 'beside', moment: 'beside' };
    expect(upgradeEvent(read)).toEqual({ ...read, moment: 'parallel' });
    expect(upgradeEvent({ ...read, moment: 'end' })).toEqual({ ...read, moment: 'end' });
  });

  test.each([
    null,
    [],
    'nobody',
    7,
    { type: '__proto__' },
    { type: 'constructor' },
    { type: 'run.started', schemaVersion: 1 },
    { type: 'run.started', schemaVersion: 1, plan: { checks: 'announced' } },
    JSON.parse('{"type":"run.started","schemaVersion":1,"plan":{"checks":[{"__proto__":"toString"}]}}'),
  ])('leaves a malformed line to the validation: %j', (value) => {
    expect(upgradeEvent(value)).toEqual(value);
  });
});

test('a log of schema version 1 is read as the same log of version 2', () => {
  const plan = planWith({ probes: [probeOf('health')] });
  const lines = new LogBuilder(plan)
    .at(10, { type: 'lease.renewed', fault: 'fault-1', untilMs: 20 })
    .at(11, { type: 'fault.outcome_unknown', fault: 'fault-1', message: 'no answer' })
    .at(20, { type: 'run.ended' })
    .lines();
  const old = lines.map((line) =>
    line
      .replace('"schemaVersion":2', '"schemaVersion":1')
      .replace('lease.renewed', 'lease.kept')
      .replace('fault.outcome_unknown', 'fault.unanswered'),
  );
  expect(old.join('')).not.toBe(lines.join(''));
  const typesOf = (log: readonly string[]): string[] => {
    const types: string[] = [];
    readLines(log, { sample: () => undefined, event: ({ type }) => void types.push(type) });
    return types;
  };
  expect(typesOf(old)).toEqual(['run.started', 'lease.renewed', 'fault.outcome_unknown', 'run.ended']);
  expect(readLines(old)).toEqual(readLines(lines));
});
