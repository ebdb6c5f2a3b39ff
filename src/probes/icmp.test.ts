import { describe, expect, it } from 'vitest';
import type { ExecOptions, ExecResult, Host } from '../core/host.ts';
import { DrillError } from '../core/errors.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';
import { icmp } from './icmp.ts';
import { attemptOnce, openProbe } from './testing/attempt.ts';

type Answer = (argv: readonly string[], options: ExecOptions) => Promise<ExecResult>;

/** A host with iputils' ping that returns this result. */
function hostThat(answer: Answer, version: Partial<ExecResult> = {}): Host {
  return {
    name: 'vantage',
    transport: 'fake',
    exec: async (argv, options) =>
      argv.includes('-V')
        ? { exitCode: 0, stdout: 'ping from iputils 20240905\n', stderr: '', ...version }
        : answer(argv, options),
    follow: neverFollowed,
  };
}

const says = (exitCode: number, stdout: string, stderr = ''): Host =>
  hostThat(async () => ({ exitCode, stdout, stderr }));

const head = 'PING 198.18.2.100 (198.18.2.100) 56(84) bytes of data.\n';
const summary = '\n--- 198.18.2.100 ping statistics ---\n1 packets transmitted, ';
const fields = { address: '198.18.2.100' };

describe('icmp probe', () => {
  it('sends one request and reports the time that ping measured', async () => {
    const asked: (readonly string[])[] = [];
    const host = hostThat(async (argv, options) => {
      expect(options.attempt).toBe(true);
      asked.push(argv);
      const reply = '64 bytes from 198.18.2.100: icmp_seq=1 ttl=64 time=0.043 ms\n';
      return {
        exitCode: 0,
        stdout: `${head}${reply}${summary}1 received, 0% packet loss, time 0ms`,
        stderr: '',
      };
    });
    const { seen } = await attemptOnce(icmp, { ...fields, interface: 'eth0' }, { host, timeoutMs: 900 });
    expect(seen).toEqual({ status: 'ok', phases: { firstByteMs: 0.043 } });
    expect(asked.map((argv) => argv.join(' '))).toEqual([
      'env LC_ALL=C ping -n -c 1 -s 56 -W 0.800 -I eth0 -- 198.18.2.100',
    ]);
  });

  it.each<[string, number, string, string, object]>([
    [
      'no reply',
      1,
      `${head}${summary}0 received, 100% packet loss, time 0ms`,
      '',
      { status: 'fail', cause: 'timeout', message: 'no reply within 59.9 s' },
    ],
    [
      'a router without a route',
      1,
      `${head}From 198.18.0.1 icmp_seq=1 Destination Net Unreachable\n${summary}0 received, +1 errors, 100% packet loss`,
      '',
      { status: 'fail', cause: 'unreachable', message: 'Destination Net Unreachable' },
    ],
    [
      'no route',
      2,
      '',
      'ping: connect: Network is unreachable',
      { status: 'fail', cause: 'unreachable', message: 'ping: connect: Network is unreachable' },
    ],
    [
      'an unknown name',
      2,
      '',
      'ping: nowhere.example: Name or service not known',
      { status: 'fail', cause: 'dns' },
    ],
    [
      'no permission to send',
      2,
      '',
      'ping: socktype: SOCK_RAW\nping: socket: Operation not permitted',
      { status: 'unknown', message: expect.stringContaining('Operation not permitted') as string },
    ],
    [
      'a firewall on the host itself',
      1,
      head,
      'ping: sendmsg: Operation not permitted',
      { status: 'unknown', message: expect.stringContaining('sendmsg: Operation not permitted') as string },
    ],
    ['a ping that is gone', 127, '', 'sh: ping: not found', { status: 'unknown' }],
    [
      'no reply, with messages of the shell and sudo',
      1,
      `${head}${summary}0 received, 100% packet loss, time 0ms`,
      'bash: warning: setlocale: LC_ALL: cannot change locale (de_DE.UTF-8)\nsudo: unable to resolve host n1: Name or service not known',
      { status: 'fail', cause: 'timeout' },
    ],
    [
      'no reply, with a warning of ping itself',
      1,
      `${head}${summary}0 received, 100% packet loss, time 0ms`,
      'ping: Warning: source address might be selected on device other than: eth0',
      { status: 'fail', cause: 'timeout' },
    ],
    [
      'a message of sudo instead of ping',
      1,
      '',
      'sudo: unable to resolve host n1: Name or service not known\nsudo: a password is required',
      { status: 'unknown', message: expect.stringContaining('a password is required') as string },
    ],
    [
      'a message of sudo about a name, and another error of ping',
      2,
      '',
      'sudo: unable to resolve host n1: Name or service not known\nping: socket: Operation not permitted',
      { status: 'unknown', message: 'ping sent no request: ping: socket: Operation not permitted' },
    ],
    ['nothing at all', 1, '', '', { status: 'unknown' }],
    [
      'a reply without a time, of a request too short for one',
      0,
      `${head}16 bytes from 198.18.2.100: icmp_seq=1 ttl=64\n${summary}1 received, 0% packet loss, time 0ms`,
      '',
      { status: 'ok' },
    ],
  ])('reports %s', async (_what, exitCode, stdout, stderr, seen) => {
    expect((await attemptOnce(icmp, fields, { host: says(exitCode, stdout, stderr) })).seen).toMatchObject(
      seen,
    );
  });

  it('fails as timeout at its own timeout, and is unknown if the connection to the host breaks', async () => {
    const slow = hostThat(
      async (_argv, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }),
        ),
    );
    expect((await attemptOnce(icmp, fields, { host: slow, timeoutMs: 100 })).seen).toMatchObject({
      status: 'fail',
      cause: 'timeout',
    });
    const broken = hostThat(async () => {
      throw new DrillError('host-unreachable', 'no such container');
    });
    expect((await attemptOnce(icmp, fields, { host: broken })).seen).toEqual({
      status: 'unknown',
      message: 'no such container',
    });
  });

  it('refuses a host without ping, or with another version of it', async () => {
    const never: Answer = async () => {
      throw new Error('it should not come to this');
    };
    const without = hostThat(never, { exitCode: 127, stdout: '' });
    await expect(openProbe(icmp, fields, { host: without })).rejects.toThrow('vantage has no ping');
    const busybox = hostThat(never, { exitCode: 1, stdout: 'BusyBox v1.37.0' });
    await expect(openProbe(icmp, fields, { host: busybox })).rejects.toThrow('not the iputils version');
    const busyboxOfDebian = hostThat(never, {
      exitCode: 1,
      stdout: '',
      stderr: "ping: invalid option -- 'V'\nBusyBox v1.35.0 (Debian 1:1.35.0-4) multi-call binary.",
    });
    await expect(openProbe(icmp, fields, { host: busyboxOfDebian })).rejects.toThrow(
      'not the iputils version',
    );
    // sudo's message proves nothing about ping, so the probe opens and the samples show it.
    const locked = hostThat(never, { exitCode: 1, stdout: '', stderr: 'sudo: a password is required' });
    await expect(openProbe(icmp, fields, { host: locked })).resolves.toBeDefined();
    await expect(openProbe(icmp, fields)).rejects.toThrow('needs `from:`');
  });

  it.each(['-f', '', 'a b', '192.0.2.300', 'a,b', 'fe80::zz', '192.0.2.1/24'])(
    'refuses the address "%s"',
    (address) => {
      expect(icmp.params.safeParse({ address }).success).toBe(false);
    },
  );

  it.each([
    ['2001:DB8::1', '2001:DB8::1'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['node_1.internal', 'node_1.internal'],
    // ping resolves names with non-ASCII letters only in a suitable locale, not in C.
    ['bücher.example', 'xn--bcher-kva.example'],
  ])('sends %s as %s', async (address, asked) => {
    const words: (readonly string[])[] = [];
    const host = hostThat(async (argv) => (words.push(argv), { exitCode: 1, stdout: '', stderr: '' }));
    await attemptOnce(icmp, { address }, { host });
    expect(words[0]?.at(-1)).toBe(asked);
  });

  it('accepts the planner’s placeholders, and refuses them if they are not filled in', async () => {
    expect(icmp.params.safeParse({ address: '${address}' }).success).toBe(true);
    const host = says(0, '');
    await expect(openProbe(icmp, { address: '${address}' }, { host })).rejects.toMatchObject({
      code: 'invalid-input',
    });
  });
});
