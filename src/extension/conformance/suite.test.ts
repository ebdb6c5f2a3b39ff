import { expect, test } from 'vitest';
import { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext, FaultKind } from '../../core/fault.ts';
import type { Host } from '../../core/host.ts';
import type { ProbeKind } from '../../core/probe.ts';
import type { ReporterKind } from '../../reporters/reporter.ts';
import { exampleDrill } from '../../reporters/testing/drills.ts';
import type { WriterKind } from '../../core/writer.ts';
import { createLocalHost } from '../../hosts/local.ts';
import { defineExtension, defineFault, defineProbe, defineTransport, defineWriter } from '../define.ts';
import type { ExtensionTests, FaultStand } from '../define-tests.ts';
import type { TransportKind } from '../../core/transport-kind.ts';
import type { Check } from './check.ts';
import { tryExtension } from './suite.ts';

const out = '/nowhere';

async function failures(
  parts: Omit<Parameters<typeof defineExtension>[0], 'name'>,
  tests: ExtensionTests,
  run?: Parameters<typeof tryExtension>[0]['run'],
): Promise<readonly string[]> {
  const extension = defineExtension({ name: 'acme', ...parts });
  const checks: readonly Check[] = await tryExtension({ extension, tests, run, out }, () => {});
  expect(checks.some(({ status }) => status === 'ok')).toBe(true);
  return checks.filter(({ status }) => status === 'fail').map(({ promise, seen }) => `${promise}: ${seen}`);
}

/** A host with one lock, which `lock`, `unlock`, and `state` set and print. */
function lockStand(): FaultStand {
  let locked = false;
  const host: Host = {
    name: 'alpha',
    transport: 'test',
    follow: () => {
      throw new Error('not followed');
    },
    exec: async ([program, , script]) => {
      const word = program === '/bin/sh' ? script : program;
      if (word === 'lock') locked = true;
      else if (word === 'unlock') locked = false;
      return { exitCode: 0, stdout: word === 'state' ? `${locked ? 'locked' : 'free'}\n` : '', stderr: '' };
    },
  };
  return { host, params: {}, isBroken: () => locked };
}

const params = z.strictObject({});
type Params = z.output<typeof params>;
const said = async (word: string, { host, signal }: FaultContext): Promise<string> =>
  (await host.exec([word], { timeoutMs: 5000, signal })).stdout;
/** The lock's state. Any other answer is an error. */
const stateOf = async (ctx: FaultContext): Promise<string> => {
  const state = await said('state', ctx);
  if (state === 'locked\n' || state === 'free\n') return state;
  throw new DrillError('host-unreachable', 'no state');
};

const lock: FaultKind<Params, null, null> = {
  kind: 'acme.lock',
  summary: 'Lock.',
  healAfter: 'recovery',
  params,
  describe: () => ({ inject: 'lock', heal: 'unlock', blastRadius: 'the lock' }),
  before: async () => null,
  inject: async (_p, _before, ctx) => {
    await said('lock', ctx);
    return null;
  },
  effect: async (_p, _before, ctx) => (await stateOf(ctx)) === 'locked\n',
  undo: () => 'unlock',
  heal: async (_p, _before, ctx) => void (await said('unlock', ctx)),
  healed: async (_p, _before, ctx) => (await stateOf(ctx)) === 'free\n',
};

test('a fault that keeps its promises', async () => {
  expect(
    await failures({ faults: [defineFault(lock)] }, { faults: [{ kind: 'acme.lock', setUp: lockStand }] }),
  ).toEqual([]);
});

let healedOnce = false;
test.each<readonly [string, Partial<FaultKind<Params, null, null>>, string]>([
  [
    'acts before its undo record',
    { before: async (_p, ctx) => (await said('lock', ctx), null) },
    '`before` acts',
  ],
  [
    'cannot be stored',
    { before: async () => new Map() as unknown as null },
    'not the same after it was stored as JSON',
  ],
  ['is never undone', { heal: async () => {} }, '`healed` is not true after 5 heals'],
  [
    'believes its own heal',
    { heal: async () => {}, healed: async () => true },
    '`healed` is true, but the fault is still in force',
  ],
  [
    'takes silence for a heal',
    { healed: async (_p, _b, ctx) => (await said('state', ctx)) !== 'locked\n' },
    '`healed` is true although the command was answered by: silent',
  ],
  [
    'takes silence for an effect',
    { effect: async (_p, _b, ctx) => (await said('state', ctx)) !== 'free\n' },
    '`effect` is true although',
  ],
  [
    'cannot be healed twice',
    {
      heal: async (_p, _b, ctx) => {
        if ((await stateOf(ctx)) === 'free\n') throw new DrillError('fault-failed', 'not locked');
        await said('unlock', ctx);
      },
    },
    'a heal may be repeated: it threw: not locked',
  ],
  ['has an undo that undoes nothing', { undo: () => 'true' }, 'the fault is still in force after run 1'],
  [
    'ignores its signal',
    {
      before: async (_p, { host }) => {
        await host.exec(['state'], { timeoutMs: 5000, signal: new AbortController().signal });
        return null;
      },
    },
    '`before` did not end within 2000 ms',
  ],
  [
    'describes nothing',
    { describe: () => ({ inject: 'lock', heal: '', blastRadius: 'x' }) },
    'describe().heal is empty',
  ],
  [
    'heals only the first time',
    {
      heal: async (_p, _b, ctx) => {
        if (!healedOnce) await said('unlock', ctx);
        healedOnce = true;
      },
    },
    '',
  ],
])('a fault that %s', async (_name, parts, expected) => {
  healedOnce = false;
  const found = await failures(
    { faults: [defineFault({ ...lock, ...parts }), defineFault({ ...lock, kind: 'acme.good' })] },
    {
      faults: [
        { kind: 'acme.lock', setUp: lockStand },
        { kind: 'acme.good', setUp: lockStand },
      ],
    },
  );
  expect(found.join('\n')).toContain(expected);
  expect(found).not.toEqual([]);
});

const probe: ProbeKind<unknown> = {
  kind: 'acme.probe',
  summary: 'A probe.',
  params,
  lane: 'network',
  needsHost: false,
  cost: () => ({ newConnections: 0, commands: 0, processes: 0 }),
  describe: () => 'nothing',
  open: async () => ({
    observe: async (signal) =>
      signal.aborted ? { status: 'unknown', message: 'cut short' } : { status: 'ok' },
    close: async () => {},
  }),
};
const good = { name: 'up', expect: 'ok', setUp: () => ({ params: {} }) } as const;

test.each<readonly [string, ProbeKind<unknown>['open'] | undefined, string]>([
  ['keeps its promises', undefined, ''],
  [
    'throws',
    async () => ({ observe: () => Promise.reject(new Error('no')), close: async () => {} }),
    'it threw: no',
  ],
  [
    'ignores its signal',
    async () => ({ observe: () => new Promise(() => {}), close: async () => {} }),
    'the attempt did not end within',
  ],
  [
    'is good without an attempt',
    async () => ({ observe: async () => ({ status: 'ok' }), close: async () => {} }),
    'whose signal had aborted is ok',
  ],
  [
    'never closes',
    async () => ({ ...(await probe.open({}, {} as never)), close: () => new Promise(() => {}) }),
    '`close` did not end within',
  ],
])('a probe that %s', async (_name, open, expected) => {
  const kind = defineProbe(open === undefined ? probe : { ...probe, open });
  const other = defineProbe({ ...probe, kind: 'acme.other' });
  const found = await failures(
    { probes: [kind, other] },
    {
      probes: [
        { kind: 'acme.probe', situations: [good] },
        { kind: 'acme.other', situations: [good] },
      ],
    },
  );
  expect(found.join('\n')).toContain(expected);
  expect(found.length > 0).toBe(expected !== '');
});

test('a transport: that of this machine keeps its promises, and one that joins arguments does not', async () => {
  const kind: TransportKind<unknown> = {
    kind: 'acme.here',
    summary: 'This machine.',
    params,
    describe: () => 'here',
    create: (_params, { name }) => createLocalHost(name),
  };
  const joined: TransportKind<unknown> = {
    ...kind,
    kind: 'acme.joined',
    create: (_params, { name }) => {
      const host = createLocalHost(name);
      return { ...host, exec: (argv, options) => host.exec(['sh', '-c', argv.join(' ')], options) };
    },
  };
  const tests = ['acme.here', 'acme.joined'].map((name) => ({ kind: name, setUp: () => ({ params: {} }) }));
  const found = await failures(
    { transports: [defineTransport(kind), defineTransport(joined)] },
    { transports: tests },
  );
  expect(found.filter((text) => text.startsWith('a command gets its arguments'))).toHaveLength(1);
  expect(found.some((text) => text.includes('timeout'))).toBe(false);
});

test('a writer in memory keeps its promises, and one that loses rows does not', async () => {
  const kind = (name: string, loses: boolean): WriterKind<unknown> => ({
    kind: name,
    summary: 'Rows.',
    params,
    newConnections: () => 0,
    describe: () => ({ write: 'w', read: 'r', remove: 'd' }),
    open: async () => {
      const rows = new Map<number, number>();
      return {
        create: async () => {},
        drop: async () => {},
        connect: () => ({
          write: async ({ client, number }, signal) => {
            if (signal.aborted) return { outcome: 'refused', message: 'cut short' };
            rows.set(client, number - (loses ? 1 : 0));
            return { outcome: 'acked' };
          },
          rows: async () => new Map([...rows].map(([client, to]) => [client, [{ from: 1, to, times: 1 }]])),
          close: () => {},
        }),
      };
    },
  });
  const tests = ['acme.rows', 'acme.lossy'].map((name) => ({ kind: name, setUp: () => ({ params: {} }) }));
  const found = await failures(
    { writers: [defineWriter(kind('acme.rows', false)), defineWriter(kind('acme.lossy', true))] },
    { writers: tests },
  );
  expect(found).toEqual([expect.stringContaining('of the rows 1 to 5 of client 1')]);
});

test('a reporter may not change the run', async () => {
  const drill = exampleDrill('keepalived-docker');
  const run = { events: [], drill, files: () => new Map([['summary.json', 'x']]) };
  const kind = (
    name: string,
    drillEnded: NonNullable<ReturnType<ReporterKind['create']>['drillEnded']>,
  ): ReporterKind => ({
    name,
    describe: 'a reporter',
    create: () => ({ drillEnded }),
  });
  const found = await failures(
    {
      reporters: [
        kind('acme.good', () => {}),
        kind('acme.bad', ({ summary }) => void Object.assign(summary, { verdict: 'pass' })),
      ],
    },
    {},
    run,
  );
  expect(found).toEqual([expect.stringContaining('changes nothing of it: it threw')]);
});

test('a kind without a test is reported as not tried, and a test of an unknown kind fails', async () => {
  const extension = defineExtension({ name: 'acme', faults: [defineFault(lock)] });
  const tests = { probes: [{ kind: 'acme.gone', situations: [] }] };
  const checks = await tryExtension({ extension, tests, run: undefined, out }, () => {});
  expect(checks.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
    'acme.lock not-tried',
    'acme.gone fail',
  ]);
});
