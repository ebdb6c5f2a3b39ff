import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { DrillError } from '../../core/errors.ts';
import { exampleDrill } from '../../reporters/testing/drills.ts';
import type { Reporter, ReporterContext, ReporterKind } from '../../reporters/reporter.ts';
import { failures } from './testing/try-kinds.ts';

const drill = exampleDrill('keepalived-docker');
const run = {
  events: [{ type: 'run.ended', t: 1 } as never],
  drill,
  files: () => new Map([['summary.json', 'x']]),
};
const out = mkdtempSync(join(tmpdir(), 'reporter-suite-'));
afterAll(() => rmSync(out, { recursive: true }));

const kindOf = (
  create: (value: string | undefined, ctx: ReporterContext) => Reporter,
  more: Partial<ReporterKind> = {},
): ReporterKind => ({ name: 'acme.one', describe: 'A reporter.', create, ...more });

const found = async (kind: ReporterKind): Promise<string> =>
  (await failures({ reporters: [kindOf(() => ({}), { name: 'acme.good' }), kind] }, {}, run, out)).join('\n');

test('a reporter that keeps its promises', async () => {
  const create: ReporterKind['create'] = (value) => {
    if (value === undefined) throw new DrillError('invalid-input', 'acme.one needs a file');
    let count = 0;
    return {
      event: () => void (count += 1),
      runEnded: () => writeFileSync(value, String(count)),
    };
  };
  expect(await found(kindOf(create, { value: 'file' }))).toBe('');
  expect(
    await found(kindOf((_value, { data }) => ({ runEnded: () => data('done') }), { stdout: true })),
  ).toBe('');
});

test.each<readonly [string, ReporterKind, string]>([
  [
    'changes the summary',
    kindOf(() => ({ drillEnded: ({ summary }) => void Object.assign(summary, { verdict: 'pass' }) })),
    'does not change it: it threw',
  ],
  [
    'throws',
    kindOf(() => ({
      drillEnded: () => {
        throw new Error('no network');
      },
    })),
    'it threw: no network',
  ],
  ['waits in `event`', kindOf(() => ({ event: () => 'later' as never })), '`event` returns a value'],
  [
    'prints without `stdout`',
    kindOf((_value, { data }) => ({ drillEnded: () => data('done') })),
    'it printed on stdout: "done"',
  ],
  [
    'prints behind the back of firedrill',
    kindOf(() => ({ runEnded: () => void process.stdout.write('done\n') })),
    'it printed on stdout: "done\\n"',
  ],
  [
    'prints in spite of its value',
    kindOf((_value, { data }) => ({ runEnded: () => data('done') }), { value: 'file', stdout: true }),
    'it printed on stdout: "done"',
  ],
  [
    'breaks without its value',
    kindOf((value) => ({ runEnded: () => void value?.length }), {
      value: 'file',
      create: (value) => ({ runEnded: () => void value!.length }),
    }),
    'Cannot read properties of undefined',
  ],
  [
    'takes one drill only',
    kindOf(() => {
      let ends = 0;
      return {
        drillEnded: () => {
          ends += 1;
          if (ends > 1) throw new Error('a second drill');
        },
      };
    }),
    'accepts multiple drills, and a command that ended early: it threw: a second drill',
  ],
  [
    'needs a drill',
    kindOf(() => ({ runEnded: ({ drills }) => void drills[0]!.folder.length })),
    'accepts multiple drills, and a command that ended early: it threw',
  ],
  [
    'writes after its end',
    kindOf((_value, ctx) => ({
      runEnded: () => void setTimeout(() => writeFileSync(join(ctx.out, 'late'), `${Math.random()}`), 100),
    })),
    'it printed or wrote into',
  ],
  [
    'ignores its signal',
    kindOf((_value, { signal }) => ({
      drillEnded: () => (signal.aborted ? new Promise<void>(() => {}) : undefined),
    })),
    'the reporter did not end within 5000 ms',
  ],
])('a reporter that %s', async (_name, kind, expected) => {
  expect(await found(kind)).toContain(expected);
});

test('a reporter that never ends is reported, and the suite goes on', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const running = found(kindOf(() => ({ drillEnded: () => new Promise(() => {}) })));
    const done = running.then(() => true);
    while (!(await Promise.race([done, new Promise((resolve) => void setImmediate(resolve))])))
      await vi.advanceTimersByTimeAsync(1000);
    expect(await running).toContain('`drillEnded` did not end within 30000 ms');
  } finally {
    vi.useRealTimers();
  }
});
