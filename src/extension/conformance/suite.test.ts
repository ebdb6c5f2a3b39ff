import { expect, test } from 'vitest';
import { defineExtension, defineReporter } from '../define.ts';
import { tryExtension } from './suite.ts';

test('a kind without a test is reported as not tried, and a test of an unknown kind fails', async () => {
  const kind = defineReporter({ name: 'acme.note', describe: 'Notes.', create: () => ({}) });
  const extension = defineExtension({ name: 'acme', reporters: [kind] });
  const tests = { probes: [{ kind: 'acme.gone', situations: [] }] };
  const checks = await tryExtension({ extension, tests, run: undefined, out: '/nowhere' }, () => {});
  expect(checks.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
    'acme.gone fail',
    'acme.note not-tried',
  ]);
});
