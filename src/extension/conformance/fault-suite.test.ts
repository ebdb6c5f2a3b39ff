import { expect, test, vi } from 'vitest';
import type { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext, FaultKind } from '../../core/fault.ts';
import type { Host } from '../../core/host.ts';
import { createLocalHost } from '../../hosts/local.ts';
import { defineFault } from '../define.ts';
import type { FaultStand } from '../define-tests.ts';
import { checksOf, failures, noParams } from './testing/try-kinds.ts';

/** A lock that `lock`, `unlock`, and `state` set and print. */
class Lock {
  locked = false;

  readonly host: Host = {
    name: 'alpha',
    transport: 'test',
    follow: () => {
      throw new Error('not followed');
    },
    exec: async ([program, , script]) => {
      const word = program === '/bin/sh' ? script : program;
      if (word === 'lock') this.locked = true;
      else if (word === 'unlock') this.locked = false;
      else if (word === 'fail') return { exitCode: 1, stdout: '', stderr: 'no lock\n' };
      return {
        exitCode: 0,
        stdout: word === 'state' ? `${this.locked ? 'locked' : 'free'}\n` : '',
        stderr: '',
      };
    },
  };
}

/** The newest lock, for kinds that do not use their host. */
let latest = new Lock();

function lockStand(): FaultStand {
  const lock = new Lock();
  latest = lock;
  return { host: lock.host, params: {}, isBroken: () => lock.locked };
}

type Params = z.output<typeof noParams>;
const said = async (word: string, { host, signal }: FaultContext): Promise<string> =>
  (await host.exec([word], { timeoutMs: 5000, signal })).stdout;
/** The lock's state. Any other answer is an error. */
const stateOf = async (ctx: FaultContext): Promise<string> => {
  const state = await said('state', ctx);
  if (state === 'locked\n' || state === 'free\n') return state;
  throw new DrillError('host-unreachable', 'no state');
};

type LockFault = FaultKind<Params, { was: string } | null, null>;
const lock: LockFault = {
  kind: 'acme.lock',
  summary: 'Lock.',
  healAfter: 'recovery',
  params: noParams,
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

const never = (): Promise<never> => new Promise(() => {});
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

test('a fault that keeps its promises', async () => {
  const checks = await checksOf(
    { faults: [defineFault(lock)] },
    { faults: [{ kind: 'acme.lock', setUp: lockStand }] },
  );
  expect(checks.filter(({ status }) => status !== 'ok')).toEqual([
    expect.objectContaining({ promise: 'it leaves no process behind', status: 'not-tried' }),
  ]);
});

let healedOnce = false;
let remembered = '';
const records = new WeakMap<object, string>();

test.each<readonly [string, Partial<LockFault>, string]>([
  [
    'acts before its undo record',
    { before: async (_p, ctx) => (await said('lock', ctx), null) },
    '`before` acts',
  ],
  [
    'acts in `plan`',
    {
      describe: () => {
        latest.locked = true;
        return { inject: 'lock', heal: 'unlock', blastRadius: 'the lock' };
      },
    },
    '`isBroken` of the test is true before anything was injected',
  ],
  [
    'acts in `uses`',
    {
      uses: () => {
        latest.locked = true;
        return { tools: [] };
      },
    },
    '`isBroken` of the test is true before anything was injected',
  ],
  [
    'needs something that is no list',
    { uses: () => ({ tools: 'df' }) as never },
    '`uses` returns {"tools":"df"}',
  ],
  [
    'cannot be stored',
    { before: async () => new Map() as unknown as null },
    'not the same after it was stored as JSON',
  ],
  [
    'remembers in a variable what the undo record lacks',
    {
      before: async (_p, ctx) => {
        remembered = await stateOf(ctx);
        return null;
      },
      inject: async (_p, _b, ctx) => {
        remembered = 'injected';
        await said('lock', ctx);
        return null;
      },
      heal: async (_p, _b, ctx) => {
        if (remembered !== 'injected') return;
        remembered = '';
        await said('unlock', ctx);
      },
    },
    'two faults at once',
  ],
  [
    'remembers in its undo record what `inject` adds there',
    {
      before: async () => ({ was: '' }),
      inject: async (_p, before, ctx) => {
        if (before !== null) before.was = 'unlock';
        await said('lock', ctx);
        return null;
      },
      heal: async (_p, before, ctx) => void (before?.was === 'unlock' && (await said('unlock', ctx))),
    },
    '`healed` is not true after 5 heals',
  ],
  [
    'finds its undo record by identity',
    {
      before: async () => ({ was: 'free' }),
      inject: async (_p, before, ctx) => {
        records.set(before ?? {}, 'unlock');
        await said('lock', ctx);
        return null;
      },
      heal: async (_p, before, ctx) => void (await said(records.get(before ?? {}) ?? 'fail', ctx)),
    },
    '`healed` is not true after 5 heals',
  ],
  ['is never undone', { heal: async () => {} }, '`healed` is not true after 5 heals'],
  [
    'believes its own heal',
    { heal: async () => {}, healed: async () => true },
    '`healed` is true while the fault is in effect',
  ],
  [
    'is always healed',
    { healed: async (_p, _b, ctx) => (await stateOf(ctx)) !== '' },
    '`healed` is true while the fault is in effect',
  ],
  [
    'always has an effect',
    { effect: async (_p, _b, ctx) => (await stateOf(ctx)) !== '' },
    '`effect` is true before `inject`',
  ],
  ['has an effect without looking', { effect: async () => true }, '`effect` is true before `inject`'],
  [
    'has an effect that is no boolean',
    { effect: async (_p, _b, ctx) => ((await stateOf(ctx)) === 'locked\n' ? ('yes' as never) : false) },
    '`effect` returned "yes"',
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
    'a heal may be repeated: `heal` threw: not locked',
  ],
  [
    'toggles',
    {
      heal: async (_p, _b, ctx) =>
        void (await said((await stateOf(ctx)) === 'free\n' ? 'lock' : 'unlock', ctx)),
    },
    'a heal may be repeated',
  ],
  ['has an undo that undoes nothing', { undo: () => 'true' }, 'the fault is still in effect after run 1'],
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
    'ignores its signal after its command',
    {
      inject: async (_p, _b, ctx) => {
        await said('lock', ctx);
        await pause(150);
        return ctx.signal.aborted ? never() : null;
      },
    },
    '`inject` did not end within 2000 ms',
  ],
  [
    'ignores its signal at its second command',
    {
      heal: async (_p, _b, ctx) => {
        await said('unlock', ctx);
        await ctx.host.exec(['unlock'], { timeoutMs: 5000, signal: new AbortController().signal });
      },
    },
    '`heal` did not end within 2000 ms',
  ],
  [
    'repeats an aborted command for ever',
    {
      heal: async (_p, _b, ctx) => {
        for (;;) {
          try {
            await said('unlock', ctx);
            return;
          } catch {
            // Once more.
          }
        }
      },
    },
    '`heal` did not end within 2000 ms',
  ],
  [
    'describes nothing',
    { describe: () => ({ inject: 'lock', heal: '', blastRadius: 'x' }) },
    'describe().heal is empty',
  ],
])('a fault that %s', async (_name, parts, expected) => {
  healedOnce = false;
  remembered = '';
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

test('what cannot be tried with a fault is not reported as kept', async () => {
  const withoutHost: LockFault = {
    ...lock,
    inject: async () => ((latest.locked = true), null),
    effect: async () => latest.locked,
    undo: () => undefined,
    heal: async () => void (latest.locked = false),
    healed: async () => !latest.locked,
  };
  const checks = await checksOf(
    { faults: [defineFault(withoutHost)] },
    { faults: [{ kind: 'acme.lock', setUp: lockStand }] },
  );
  const untried = checks.filter(({ status }) => status === 'not-tried').map(({ seen }) => seen);
  expect(untried).toContain('`undo` returns no script for the parameters of the test');
  expect(untried).toContain(
    'it sends no command to the host, its power switch, or its cloud, so no answer can be lost',
  );
});

test('a fault that never ends is reported, and the suite goes on', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const running = failures(
      { faults: [defineFault({ ...lock, heal: never })] },
      { faults: [{ kind: 'acme.lock', setUp: lockStand }] },
    );
    // The timers are set one after the other.
    const done = running.then(() => true);
    while (!(await Promise.race([done, new Promise((resolve) => void setImmediate(resolve))])))
      await vi.advanceTimersByTimeAsync(1000);
    expect((await running).join('\n')).toContain('`heal` did not end within 60000 ms');
  } finally {
    vi.useRealTimers();
  }
});

test('an undo script that does harm without the fault', async () => {
  const kind = defineFault({ ...lock, undo: () => 'toggle' });
  const stand = (): FaultStand => {
    const lock = new Lock();
    const { host } = lock;
    const exec: Host['exec'] = async (argv, options) => {
      if (argv[2] === 'toggle') {
        if (lock.locked) lock.locked = false;
        else return { exitCode: 1, stdout: '', stderr: 'not locked\n' };
      }
      return host.exec(argv, options);
    };
    return { host: { ...host, exec }, params: {}, isBroken: () => lock.locked };
  };
  expect(
    (await failures({ faults: [kind] }, { faults: [{ kind: 'acme.lock', setUp: stand }] })).join('\n'),
  ).toContain('exited 1: not locked');
});

test('a script that only another shell can run, and a process that outlives the heal', async () => {
  const stand = (): FaultStand => {
    const lock = new Lock();
    const here = createLocalHost('here');
    const host: Host = {
      ...lock.host,
      isThisMachine: true,
      exec: async (argv, options) =>
        argv[0] === 'sleep' || argv[0] === 'sh' || argv[0] === '/bin/sh'
          ? here.exec(argv, options)
          : lock.host.exec(argv, options),
    };
    return { host, params: {}, isBroken: () => lock.locked };
  };
  const kind = defineFault({
    ...lock,
    undo: () => '[[ a == a ]] && lock=(1 2)',
    inject: async (_p, _b, ctx) => {
      await ctx.host.exec(['sh', '-c', 'sleep 60 >/dev/null 2>&1 </dev/null &'], {
        timeoutMs: 5000,
        signal: ctx.signal,
      });
      await said('lock', ctx);
      return null;
    },
  });
  const found = (await failures({ faults: [kind] }, { faults: [{ kind: 'acme.lock', setUp: stand }] })).join(
    '\n',
  );
  expect(found).toMatch(/run 1 exited \d+: .*syntax error/i);
  expect(found).toMatch(/it leaves no process behind: .*sleep 60/);
});
