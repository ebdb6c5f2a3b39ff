import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExecResult, FollowEnd, Host } from '../src/core/host.ts';

/** A transport under test, with its host. */
export interface Tried {
  readonly host: Host;
  /** Notes of the transport. */
  readonly notes: readonly string[];
  readonly close: () => Promise<void>;
}

/** Differences between transports. */
export interface Traits {
  /** The login prints additional lines around the output of commands: there must be one note about it. */
  readonly noisy?: true;
  /** Commands run as this user; default: the user of the tests. */
  readonly user?: string;
}

/** Time limit, ms: so long that no test fails because the machine is slow. */
export const hangMs = 240_000;
const { signal } = new AbortController();
const limits = { timeoutMs: hangMs, signal };

/** Follows a command to its end. */
export async function wholeOf(
  host: Host,
  argv: readonly string[],
): Promise<{ readonly lines: readonly string[]; readonly end: FollowEnd }> {
  const following = host.follow(argv, signal);
  const lines: string[] = [];
  for (;;) {
    const next = await following.next();
    if (next.done === true) return { lines, end: next.value };
    lines.push(next.value);
  }
}

/** Whether a process on the host has ended: it does not exist, or it is a zombie. */
async function isGone(host: Host, pid: number): Promise<boolean> {
  const attempt =
    '[ -e "/proc/$1/stat" ] || exit 0; case $(cat "/proc/$1/stat") in *") Z "*) exit 0 ;; esac; exit 1';
  return (await host.exec(['sh', '-c', attempt, 'sh', String(pid)], limits)).exitCode === 0;
}

/** Arguments that shells treat differently. */
const hostile = [
  "it's",
  '$HOME',
  '`id`',
  'a\nb',
  '!x',
  String.raw`\0101\\`,
  '',
  '-n',
  '%s',
  'ü €',
  '\t"',
  '*',
  '~',
  '#',
];

/** Tests that every transport must pass. */
export function itConforms(name: string, open: () => Promise<Tried>, traits: Traits = {}): void {
  describe(`${name}: it conforms`, () => {
    let tried: Tried;
    beforeAll(async () => {
      tried = await open();
    });
    afterAll(() => tried.close());

    test('returns the exit code and both streams, byte for byte', async () => {
      const argv = ['sh', '-c', 'printf "out\\nno end"; printf "err\\n" >&2; exit 3'];
      const requested = { exitCode: 3, stdout: 'out\nno end', stderr: 'err\n' };
      expect(await tried.host.exec(argv, limits)).toEqual(requested);
      expect(await tried.host.exec(argv, { ...limits, attempt: true })).toEqual(requested);
      expect(await tried.host.exec(['true'], limits)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    });

    test('passes arguments, input, and output of any length unchanged', async () => {
      const words = [...hostile, 'x'.repeat(20_000)];
      const { stdout } = await tried.host.exec(['printf', String.raw`%s\0`, ...words], limits);
      expect(stdout.split('\0').slice(0, -1)).toEqual(words);
      const input = `${'ü'.repeat(100_000)}\n`;
      expect(await tried.host.exec(['cat'], { ...limits, input })).toMatchObject({ stdout: input });
      expect(await tried.host.exec(['cat'], limits)).toMatchObject({ stdout: '' });
      const cut = await tried.host.exec(['yes'], { ...limits, maxOutputBytes: 10 });
      expect(cut).toMatchObject({ exitCode: 0, stdout: 'y\ny\ny\ny\ny\n', truncated: true });
    });

    test('distinguishes a missing, a non-executable, and a killed program', async () => {
      const exitOf = async (argv: readonly string[], more = {}): Promise<number> =>
        (await tried.host.exec(argv, { ...limits, ...more })).exitCode;
      for (const more of [{}, { attempt: true }] as const) {
        expect(await exitOf(['no-such-program'], more)).toBe(127);
        expect(await exitOf(['/etc/passwd'], more)).toBe(126);
        expect(await exitOf(['sh', '-c', 'kill -9 $$'], more)).toBe(137);
      }
      const killed = await tried.host.exec(['sh', '-c', 'kill -9 $$'], limits);
      expect(killed).toMatchObject({ stdout: '', stderr: '' });
    });

    test('runs commands as the given user, with English messages and sbin on PATH', async () => {
      const said = async (argv: readonly string[]): Promise<ExecResult> => tried.host.exec(argv, limits);
      const { stdout } = await said(['sh', '-c', 'echo "$LC_ALL ${LANGUAGE-unset} :$PATH:"']);
      expect(stdout).toMatch(/^C(\.UTF-8)? unset .*:\/usr\/sbin:/);
      expect((await said(['ls', '/no such file'])).stderr).toMatch(/No such file or directory\n$/);
      expect((await said(['id', '-un'])).stdout).toBe(`${traits.user ?? userInfo().username}\n`);
    });

    test('does not let a command find itself by its arguments', async () => {
      const attempt = ['pgrep', '-f', '-l', 'zebra-crossing'];
      for (const more of [{}, { attempt: true }] as const) {
        const found = await tried.host.exec(attempt, { ...limits, ...more });
        expect(found).toEqual({ exitCode: 1, stdout: '', stderr: '' });
      }
      expect(await wholeOf(tried.host, attempt)).toEqual({ lines: [], end: { exitCode: 1, stderr: '' } });
    });

    test('follows a command: its lines and its end, without other output', async () => {
      const script = 'echo one; printf "two\\n\\ntorn"; echo err >&2; exit 4';
      expect(await wholeOf(tried.host, ['sh', '-c', script])).toEqual({
        lines: ['one', 'two', '', 'torn'],
        end: { exitCode: 4, stderr: 'err\n' },
      });
      expect((await wholeOf(tried.host, ['no-such-program'])).end.exitCode).toBe(127);
    });

    test('ends a followed command when the follower stops', async () => {
      const following = tried.host.follow(['sh', '-c', 'echo $$; exec sleep 600'], signal);
      const first = await following.next();
      const pid = Number(first.done === true ? Number.NaN : first.value);
      expect(await isGone(tried.host, pid)).toBe(false);
      await following.return({ exitCode: 0, stderr: '' });
      await expect.poll(() => isGone(tried.host, pid), { timeout: hangMs / 2 }).toBe(true);
    });

    test('pipes to a command, which also gets earlier input, without other output', async () => {
      const pipe = tried.host.pipe?.(['sh', '-c', 'cat; echo bye >&2; exit 3']);
      let said = '';
      const ended = Promise.withResolvers<string>();
      pipe?.onEnd(ended.resolve);
      pipe?.onData((bytes) => {
        said += Buffer.from(bytes).toString('latin1');
        if (said === 'early\0') pipe.write(Buffer.from('late'));
        if (said === 'early\0late') pipe.close();
      });
      pipe?.write(Buffer.from('early\0'));
      expect(await ended.promise).toBe('closed');
      expect(said).toBe('early\0late');
      const failed = tried.host.pipe?.(['sh', '-c', 'echo "no engine" >&2; exit 3']);
      failed?.onData(() => {});
      expect(await new Promise((resolve) => failed?.onEnd(resolve))).toBe('exit 3: no engine');
    });

    test('reports a command that does not end in time as unknown', async () => {
      const argv = ['sh', '-c', 'echo $$ >&2; exec sleep 600'];
      const late = tried.host.exec(argv, { timeoutMs: 1000, signal });
      const aborted = tried.host.exec(argv, { ...limits, signal: AbortSignal.timeout(1000) });
      await Promise.all([
        expect(late).rejects.toMatchObject({
          code: 'host-unreachable',
          message: expect.stringMatching(/did not end within 1 s, and its outcome is unknown$/) as string,
        }),
        expect(aborted).rejects.toThrow(/was cut short$/),
      ]);
    });

    test('has one note about additional output', () => {
      expect(tried.notes).toHaveLength(traits.noisy === undefined ? 0 : 1);
    });
  });
}
