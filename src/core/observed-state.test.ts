import { describe, expect, test } from 'vitest';
import { probeOf } from '../analysis/testing/log-builder.ts';
import type { Sample } from './sample.ts';
import { unmetConditions } from './observed-state.ts';
import { fromPlain } from './testing/plain.ts';

const times = fromPlain<Omit<Sample, 'status'>>({
  probe: 'web@a',
  slot: 0,
  dueMs: 0,
  sendMs: 0,
  finishMs: 1,
});

function unmet(sample: Sample | undefined): readonly string[] {
  const probes = [{ ...probeOf('web@a'), name: 'web', host: 'a' }];
  return unmetConditions([{ probe: 'web' }], { probes, roles: {}, latest: () => sample });
}

describe('the unmet conditions of a gate', () => {
  test.each([
    [undefined, 'no fresh answer'],
    [{ ...times, status: 'fail', cause: 'http-5xx', message: 'status 503' }, 'fail http-5xx'],
    [
      { ...times, status: 'unknown', message: 'exit 127: pgrep: not found\u001b[2J' },
      String.raw`unknown, exit 127: pgrep: not found\u001b[2J`,
    ],
  ] as const)('are listed with the observed sample: %j', (sample, words) => {
    expect(unmet(sample)).toEqual([`web is ok everywhere (web@a: ${words})`]);
  });

  test('are empty if the gate is met', () => {
    expect(unmet({ ...times, status: 'ok' })).toEqual([]);
  });
});
