import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { ProbeKind, ProbeSession } from '../../core/probe.ts';
import type { Observation } from '../../core/sample.ts';
import { defineProbe } from '../define.ts';
import { checksOf, failures, noParams } from './testing/try-kinds.ts';

const cutShort: Observation = { status: 'unknown', message: 'cut short' };
const probe: ProbeKind<unknown> = {
  kind: 'acme.probe',
  summary: 'A probe.',
  params: noParams,
  lane: 'network',
  needsHost: false,
  cost: () => ({ newConnections: 0, commands: 0, processes: 0 }),
  describe: () => 'nothing',
  open: async () => ({
    observe: async (signal) => (signal.aborted ? cutShort : { status: 'ok' }),
    close: async () => {},
  }),
};
const good = { name: 'up', expect: 'ok', setUp: () => ({ params: {} }) } as const;

const opens: (() => void)[] = [];
afterEach(() => {
  for (const close of opens.splice(0)) close();
});

/** A server that accepts connections and sends a byte. */
async function server(): Promise<number> {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write('x');
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  opens.push(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  return (listener.address() as AddressInfo).port;
}

const session = (
  observe: ProbeSession['observe'],
  more: Partial<ProbeSession> = {},
): ProbeKind<unknown>['open'] => {
  const own: ProbeSession = {
    observe: async (signal) => (signal.aborted ? cutShort : observe(signal)),
    close: async () => {},
    ...more,
  };
  return async () => own;
};
const sample = (seen: unknown): ProbeKind<unknown>['open'] => session(async () => seen as Observation);

let taken = 0;
let inProgress = 0;

test.each<readonly [string, Partial<ProbeKind<unknown>>, string]>([
  ['keeps its promises', {}, ''],
  [
    'throws',
    { open: async () => ({ observe: () => Promise.reject(new Error('no')), close: async () => {} }) },
    '`observe` threw: no',
  ],
  [
    'throws what is no error',
    {
      open: async () => ({
        observe: () => {
          // eslint-disable-next-line no-throw-literal
          throw 'no';
        },
        close: async () => {},
      }),
    },
    '`observe` threw a value that is not an Error: no',
  ],
  [
    'ignores its signal',
    { open: async () => ({ observe: () => new Promise(() => {}), close: async () => {} }) },
    'the attempt did not end within',
  ],
  [
    'is good without an attempt',
    { open: async () => ({ observe: async () => ({ status: 'ok' }), close: async () => {} }) },
    'whose signal had aborted is ok',
  ],
  [
    'never closes',
    { open: session(async () => ({ status: 'ok' }), { close: () => new Promise(() => {}) }) },
    '`close` did not end within',
  ],
  [
    'fails to close',
    { open: session(async () => ({ status: 'ok' }), { close: () => Promise.reject(new Error('no')) }) },
    '`close` threw: no',
  ],
  ['returns NaN', { open: sample({ status: 'ok', value: Number.NaN }) }, 'the sample is not the same after'],
  ['returns a number', { open: sample({ status: 'ok', value: 1 }) }, '"value" should be a string, is 1'],
  ['returns nothing', { open: sample(undefined) }, 'the sample is undefined'],
  ['returns a text', { open: sample('ok') }, 'the sample is "ok"'],
  ['has no message', { open: sample({ status: 'fail', cause: 'refused' }) }, 'has no message'],
  [
    'has negative times',
    { open: sample({ status: 'ok', phases: { connectMs: -1 } }) },
    '"phases.connectMs" should be',
  ],
  [
    'has a mark without a time',
    { open: sample({ status: 'ok', marks: [{ name: 'a', text: '' }] }) },
    '"marks[0].wallMs" should be',
  ],
  [
    'has a mark that it does not declare',
    { open: sample({ status: 'ok', marks: [{ name: 'a', text: '', wallMs: 1 }] }) },
    'the mark "a" is neither in `marks` of the kind nor in its parameters',
  ],
  [
    'works once',
    {
      open: session(async () =>
        taken++ % 2 === 0 ? { status: 'ok' } : { status: 'fail', cause: 'error', message: 'closed' },
      ),
    },
    'attempt 2 of 3: expected ok',
  ],
  [
    'mixes up attempts at the same time',
    {
      open: session(async () => {
        inProgress += 1;
        const isAlone = inProgress === 1;
        await new Promise((resolve) => void setTimeout(resolve, 20));
        inProgress -= 1;
        return isAlone ? { status: 'ok' } : { status: 'fail', cause: 'error', message: 'busy' };
      }),
    },
    'two attempts at the same time: expected ok',
  ],
  [
    'has a cost that is no number',
    { cost: () => ({ newConnections: '1', commands: 0, processes: 0 }) as never },
    '"cost.newConnections" should be',
  ],
  ['describes nothing', { describe: () => undefined as never }, '`describe` is undefined'],
])('a probe that %s', async (_name, parts, expected) => {
  taken = 0;
  inProgress = 0;
  const kind = defineProbe({ ...probe, ...parts });
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

test('attempts at the same time are not tried with a probe that is busy', async () => {
  let isBusy = false;
  const open = session(
    async () => {
      if (isBusy) return { status: 'fail', cause: 'error', message: 'busy' };
      isBusy = true;
      await new Promise((resolve) => void setTimeout(resolve, 20));
      isBusy = false;
      return { status: 'ok' };
    },
    { isBusy: () => isBusy },
  );
  const kind = defineProbe({ ...probe, open });
  expect(
    await failures({ probes: [kind] }, { probes: [{ kind: 'acme.probe', situations: [good] }] }),
  ).toEqual([]);
});

/** Opens a connection for each sample. `after` gets it when the sample is taken. */
const connecting = (port: number, after: (socket: Socket) => void): ProbeKind<unknown>['open'] =>
  session(async () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'data');
    after(socket);
    return { status: 'ok' };
  });

test('a probe that keeps sockets open, and one whose cost is wrong', async () => {
  const port = await server();
  const once = { newConnections: 1, commands: 0, processes: 0 } as const;
  const tests = { probes: [{ kind: 'acme.probe', situations: [good] }] };
  const of = (parts: Partial<ProbeKind<unknown>>): Promise<readonly string[]> =>
    failures({ probes: [defineProbe({ ...probe, ...parts })] }, tests);
  expect(await of({ cost: () => once, open: connecting(port, (socket) => void socket.destroy()) })).toEqual(
    [],
  );
  const open = connecting(port, (socket) => void socket.unref());
  expect((await of({ cost: () => once, open })).join('\n')).toMatch(
    /after `close`: \d connections? to 127\.0\.0\.1:\d+/,
  );
  const costly = await of({ open: connecting(port, (socket) => void socket.destroy()) });
  expect(costly.join('\n')).toContain('an attempt opened 1 connection, but `cost` says 0');
});

test('situations that are missing are named', async () => {
  const checks = await checksOf(
    { probes: [probe] },
    { probes: [{ kind: 'acme.probe', situations: [good] }] },
  );
  expect(checks.filter(({ status }) => status === 'not-tried').map(({ promise }) => promise)).toEqual([
    'a failed sample',
    'an attempt ends at its timeout',
  ]);
});
