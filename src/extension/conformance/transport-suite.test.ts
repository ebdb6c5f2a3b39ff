import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import type { ExecOptions, ExecResult, Host } from '../../core/host.ts';
import { createLocalHost } from '../../hosts/local.ts';
import { defineTransport } from '../define.ts';
import type { Stand } from '../define-tests.ts';
import { proxyTo } from '../proxy.ts';
import { checksOf, failures, noParams } from './testing/try-kinds.ts';

type Exec = Host['exec'];
const limits = { timeoutMs: 60_000, signal: new AbortController().signal };

const kindOf = (create: (name: string) => Host) =>
  defineTransport({
    kind: 'acme.here',
    summary: 'This machine.',
    params: noParams,
    describe: () => 'here',
    create: (_params, { name }) => create(name),
  });
const tests = { transports: [{ kind: 'acme.here', setUp: () => ({ params: {} }) }] };

test('the transport to this machine keeps its promises', async () => {
  const checks = await checksOf({ transports: [kindOf((name) => createLocalHost(name))] }, tests);
  expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
  const untried = checks.filter(({ status }) => status === 'not-tried');
  expect(untried.map(({ hint }) => hint?.includes('proxyTo'))).toEqual([true, true, true]);
});

/** Processes that a test leaves on purpose. */
const left: number[] = [];
const running = new Set<ReturnType<typeof spawn>>();

test.each<readonly [string, (exec: Exec) => Exec, string]>([
  [
    'joins arguments',
    (exec) => (argv, options) => exec(['sh', '-c', argv.join(' ')], options),
    'a command gets its arguments unchanged: ',
  ],
  [
    'loses the end of the output',
    (exec) => async (argv, options) => {
      const result = await exec(argv, options);
      return { ...result, stdout: result.stdout.slice(0, 65_536) };
    },
    'of 100002 characters, 65536 arrived',
  ],
  [
    'decodes each piece alone',
    (exec) => async (argv, options) => {
      const result = await exec(argv, options);
      return { ...result, stdout: result.stdout.replace(/ü(?=ü{9})/, '��') };
    },
    'of 100002 characters, 100003 arrived',
  ],
  [
    'swallows exit codes',
    (exec) => async (argv, options) => ({ ...(await exec(argv, options)), exitCode: 0 }),
    '"exitCode":0',
  ],
  [
    'mixes both outputs',
    (exec) => async (argv, options) => {
      const { stdout, stderr, ...result } = await exec(argv, options);
      return { ...result, stdout: stdout + stderr, stderr: '' };
    },
    'with both outputs apart: expected',
  ],
  [
    'throws for a non-zero exit',
    (exec) => async (argv, options) => {
      const result = await exec(argv, options);
      if (result.exitCode !== 0) throw new DrillError('host-unreachable', `exit ${result.exitCode}`);
      return result;
    },
    'threw: exit 7',
  ],
  [
    'ignores its signal',
    (exec) => (argv, options) => exec(argv, { ...options, signal: limits.signal }),
    'the command after an abort did not end',
  ],
  [
    'throws another error at its end',
    (exec) => (argv, options) =>
      exec(argv, options).catch(() => {
        throw new Error('timed out');
      }),
    'and not a DrillError host-unreachable',
  ],
  [
    'gives a result at its end',
    (exec) => (argv, options) => exec(argv, options).catch(() => ({ exitCode: 124, stdout: '', stderr: '' })),
    'after its timeout, it returned {"exitCode":124',
  ],
  [
    'ignores the input',
    (exec) => (argv, options) => exec(argv, { ...options, input: '' }),
    'the input "one\\ntwo" arrived as ""',
  ],
  [
    'ignores the limit of the output',
    (exec) =>
      async (argv, { maxOutputBytes: max, ...options }) =>
        max === undefined ? exec(argv, options) : exec(['echo', 'y'], options),
    'with `maxOutputBytes: 10`',
  ],
  [
    'runs one command at a time, and mixes up the answers',
    (exec) => {
      let last: Promise<ExecResult> | undefined;
      return (argv, options) => {
        const before = last;
        const own = exec(argv, options);
        last = own;
        const free = (): void => {
          if (last === own) last = undefined;
        };
        own.then(free, free);
        return before ?? own;
      };
    },
    'commands at the same time do not disturb each other: command 1 of 8 returned',
  ],
  [
    'speaks German',
    (exec) => (argv, options) => exec(['env', 'LC_ALL=de_DE.UTF-8', ...argv], options),
    'LC_ALL, LANGUAGE, and PATH are "de_DE',
  ],
  [
    'keeps a process',
    (exec) => (argv, options) => {
      if (argv[0] === 'true') running.add(spawn('sleep', ['20']));
      return exec(argv, options);
    },
    'these keep the process running: ',
  ],
  [
    'returns no texts',
    (exec) => async (argv, options) => ({ ...(await exec(argv, options)), stdout: undefined as never }),
    'returned {',
  ],
])('a transport that %s', async (_name, bug, expected) => {
  const found = await failures(
    {
      transports: [
        kindOf((name) => {
          const host = createLocalHost(name);
          return { ...host, exec: bug((argv, options) => host.exec(argv, options)) };
        }),
        { ...kindOf((name) => createLocalHost(name)), kind: 'acme.good' },
      ],
    },
    { transports: [...tests.transports, { kind: 'acme.good', setUp: () => ({ params: {} }) }] },
  );
  for (const one of running) one.kill();
  expect(found.join('\n')).toContain(expected);
});

test.each<readonly [string, Host['follow'], string]>([
  [
    'loses the last line',
    async function* follow(argv, signal) {
      const lines = createLocalHost('x').follow(argv, signal);
      let held: string | undefined;
      for (;;) {
        const next = await lines.next();
        if (next.done === true) return next.value;
        if (held !== undefined) yield held;
        held = next.value;
      }
    },
    'expected {"lines":["one"',
  ],
  [
    'leaves the command running',
    async function* follow(argv, signal) {
      const [line] = (
        await createLocalHost('x').exec(['sh', '-c', 'setsid sleep 300 >/dev/null 2>&1 & echo $!'], limits)
      ).stdout.split('\n');
      left.push(Number(line));
      yield line ?? '';
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { exitCode: argv.length, stderr: '' };
    },
    'the command still runs on the host',
  ],
])('a transport whose `follow` %s', async (_name, follow, expected) => {
  const found = await failures(
    { transports: [kindOf((name) => ({ ...createLocalHost(name), follow }))] },
    tests,
  );
  for (const pid of left.splice(0)) process.kill(pid);
  expect(found.join('\n')).toContain(expected);
});

// --- A transport over TCP, whose connection can break.

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** An agent that runs one command for each connection: a line of JSON with the command, and one with the result. */
async function agent(): Promise<number> {
  const here = createLocalHost('agent');
  const server = createServer((socket) => {
    let text = '';
    socket.on('error', () => {}).setEncoding('utf8');
    socket.on('data', (part: string) => {
      text += part;
      if (!text.endsWith('\n')) return;
      const { argv, input, maxOutputBytes, lines } = JSON.parse(text) as {
        argv: string[];
        input?: string;
        maxOutputBytes?: number;
        lines?: true;
      };
      const stop = new AbortController();
      socket.on('close', () => stop.abort(new Error('gone')));
      const answer = (value: unknown): boolean => socket.write(`${JSON.stringify(value)}\n`);
      const work = async (): Promise<void> => {
        if (lines !== true) {
          const more = {
            ...(input === undefined ? {} : { input }),
            ...(maxOutputBytes === undefined ? {} : { maxOutputBytes }),
          };
          answer(await here.exec(argv, { ...limits, signal: stop.signal, ...more }));
          return;
        }
        const following = here.follow(argv, stop.signal);
        for (;;) {
          const next = await following.next();
          answer(next.value);
          if (next.done === true) return;
        }
      };
      work().then(
        () => socket.end(),
        () => socket.destroy(),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

interface Bugs {
  /** What a command without a result returns. */
  readonly lost?: ExecResult;
  /** A followed command whose connection broke has ended. */
  readonly endsQuietly?: true;
  /** A broken transport stays broken. */
  readonly staysBroken?: true;
}

function agentHost(name: string, port: number, { lost, endsQuietly, staysBroken }: Bugs): Host {
  let isBroken = false;
  const failed = (why: string): DrillError => new DrillError('host-unreachable', `${name}: ${why}`);
  /** The lines of the agent's answer; throws if the connection breaks. */
  async function* answers(request: object, signal: AbortSignal): AsyncGenerator<unknown, void, void> {
    if (signal.aborted) throw failed('was cut short');
    if (isBroken && staysBroken) throw failed('is gone');
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    const onAbort = (): void => void socket.destroy(failed('was cut short'));
    signal.addEventListener('abort', onAbort);
    try {
      socket.write(`${JSON.stringify(request)}\n`);
      let text = '';
      for await (const part of socket) {
        text += String(part);
        const lines = text.split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) yield JSON.parse(line);
      }
    } catch (error) {
      isBroken = true;
      throw failed(String(error));
    } finally {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
    }
  }
  return {
    name,
    transport: 'agent',
    async exec(argv, { timeoutMs, signal, input, maxOutputBytes }: ExecOptions) {
      try {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        for await (const result of answers({ argv, input, maxOutputBytes }, limit))
          return result as ExecResult;
        throw failed('no result');
      } catch (error) {
        if (lost !== undefined) return lost;
        throw error;
      }
    },
    async *follow(argv, signal) {
      try {
        for await (const line of answers({ argv, lines: true }, signal)) {
          if (typeof line !== 'string') return line as { exitCode: number; stderr: string };
          yield line;
        }
      } catch (error) {
        if (endsQuietly !== true) throw error;
      }
      if (endsQuietly === true) return { exitCode: 0, stderr: '' };
      throw failed('no end');
    },
  };
}

async function checksOfAgent(bugs: Bugs): ReturnType<typeof checksOf> {
  const kind = defineTransport<{ port: number }>({
    kind: 'acme.agent',
    summary: 'An agent.',
    params: z.strictObject({ port: z.int() }),
    describe: () => 'agent',
    create: ({ port }, { name }) => agentHost(name, port, bugs),
  });
  const setUp = async (): Promise<Stand> => {
    const proxy = await proxyTo(await agent());
    return { params: { port: proxy.port }, connection: proxy, tearDown: () => proxy.close() };
  };
  return checksOf({ transports: [kind] }, { transports: [{ kind: 'acme.agent', setUp }] });
}

test('a transport over a connection keeps its promises when that breaks', async () => {
  const checks = await checksOfAgent({});
  expect(checks.filter(({ status }) => status !== 'ok').map(({ seen }) => seen)).toEqual([
    'the host has no `pipe`',
  ]);
});

test.each<readonly [string, Bugs, string]>([
  [
    'gives an exit code to a lost command',
    { lost: { exitCode: 255, stdout: '', stderr: 'closed by remote host' } },
    'when its connection broke after it had begun, it returned {"exitCode":255',
  ],
  [
    'reports an end that it has not seen',
    { endsQuietly: true },
    'when the connection of a followed command broke, it returned ',
  ],
  ['stays broken', { staysBroken: true }, 'after the connection was restored, the fifth command threw'],
])('a transport over a connection that %s', async (_name, bugs, expected) => {
  const found = (await checksOfAgent(bugs)).filter(({ status }) => status === 'fail').map(({ seen }) => seen);
  expect(found.join('\n')).toContain(expected);
});
