import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { withUnmeetableRto } from './must-fail.ts';

const scenarios = join(import.meta.dirname, '../../../scenarios');

test.each(['wazuh-lb/nginx-stop', 'certlocker/postgres-crash'])('%s: only its RTO limit changes', (name) => {
  const text = readFileSync(join(scenarios, `${name}.yaml`), 'utf8');
  const before = parse(text) as { checks: readonly { kind: string }[] };
  const after: unknown = parse(withUnmeetableRto(text));
  const checks = before.checks.map((check) => (check.kind === 'rto' ? { ...check, max: '500ms' } : check));
  expect(after).toEqual({ ...before, checks });
  expect(after).not.toEqual(before);
});

test('a scenario without a limit on the RTO is refused', () => {
  expect(() => withUnmeetableRto('checks:\n  - { kind: rto, min: 1s }\n')).toThrow(
    'no check `rto` with `max`',
  );
  expect(() => withUnmeetableRto('name: x\n')).toThrow('no check `rto` with `max`');
});
