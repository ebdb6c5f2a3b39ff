import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { SshTransport } from '../core/plan.ts';
import { startRelay } from './testing/ssh-server.ts';
import { startSshLab, type SshLab } from './testing/ssh-lab.ts';
import { ownLoopback } from './testing/own-loopback.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

const { signal } = new AbortController();
const brief = { timeoutMs: 120_000, signal };

let lab: SshLab;
beforeEach(async () => {
  lab = await startSshLab();
});
afterEach(() => lab.close());

/** The state of the process whose id is in the file: `gone` or `runs`. */
function stateOf(file: string): string {
  const pid = readFileSync(file, 'utf8').trim();
  if (!existsSync(`/proc/${pid}/stat`)) return 'gone';
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === true ? 'gone' : 'runs';
}

describe('exec', () => {
  test('returns the exit code and both outputs, unchanged', async () => {
    const script = 'echo out; echo err >&2; exit 3';
    expect(await lab.host().exec(['sh', '-c', script], brief)).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('passes words with metacharacters to the command unchanged', async () => {
    const words = ["it's", '$HOME', '`id`', 'a\nb', '!x', String.raw`\0101\\`, '', '-n', '%s', 'ü €', '\t"'];
    const { stdout } = await lab.host().exec(['printf', String.raw`%s\0`, ...words], brief);
    expect(stdout.split('\0').slice(0, -1)).toEqual(words);
  });

  test('passes input, and an end of file without input', async () => {
    const input = `${'x'.repeat(300_000)}\n`;
    expect((await lab.host().exec(['wc', '-c'], { ...brief, input })).stdout.trim()).toBe('300001');
    expect((await lab.host().exec(['cat'], brief)).stdout).toBe('');
  });

  test('returns exit codes for a missing program, and for one that may not be executed', async () => {
    const host = lab.host();
    expect((await host.exec(['no-such-program'], brief)).exitCode).toBe(127);
    expect((await host.exec([lab.write('plain', 'text')], brief)).exitCode).toBe(126);
  });

  test('returns 128 + N for signal N', async () => {
    expect((await lab.host().exec(['sh', '-c', 'kill -TERM $$'], brief)).exitCode).toBe(143);
  });

  test('returns large output complete', async () => {
    const { stdout } = await lab.host().exec(['sh', '-c', 'yes 0123456789 | head -c 5000000'], brief);
    expect(stdout).toHaveLength(5_000_000);
  });

  test('truncates too much output and ends the command', async () => {
    const pid = join(lab.folder, 'pid');
    const result = await lab
      .host()
      .exec(['sh', '-c', 'echo $$ >"$1"; exec yes', 'x', pid], { ...brief, maxOutputBytes: 10 });
    expect(result).toEqual({ exitCode: 0, stdout: 'y\ny\ny\ny\ny\n', stderr: '', truncated: true });
    await vi.waitFor(() => expect(stateOf(pid)).toBe('gone'), 120_000);
  });

  test('does not wait for a descendant that holds the output after the command has ended', async () => {
    const script = 'sleep 600 & echo done';
    const result = await lab.host().exec(['sh', '-c', script], brief);
    expect(result).toEqual({ exitCode: 0, stdout: 'done\n', stderr: '' });
  });

  test('kills a command with its children at its timeout, and reports it', async () => {
    const pid = join(lab.folder, 'pid');
    const script = 'sleep 600 & echo $! >"$1"; wait';
    const slow = lab.host().exec(['sh', '-c', script, 'x', pid], { timeoutMs: 3000, signal });
    await expect(slow).rejects.toThrow(
      /^node-1: `sh -c .* did not end within 3 s, and its outcome is unknown$/s,
    );
    await vi.waitFor(() => expect(stateOf(pid)).toBe('gone'), 120_000);
  });

  test('ends a command when it is aborted', async () => {
    const pid = join(lab.folder, 'pid');
    const stop = new AbortController();
    const running = lab
      .host()
      .exec(['sh', '-c', 'echo $$ >"$1"; exec sleep 600', 'x', pid], { ...brief, signal: stop.signal })
      .catch((error: unknown) => error);
    await vi.waitFor(() => expect(readFileSync(pid, 'utf8')).toMatch(/\d\n/), 120_000);
    stop.abort();
    expect(await running).toMatchObject({
      code: 'host-unreachable',
      message: expect.stringMatching(/was cut short$/) as string,
    });
    await vi.waitFor(() => expect(stateOf(pid)).toBe('gone'), 120_000);
  });

  test('does not start a command that was aborted before', async () => {
    const running = lab.host().exec(['true'], { ...brief, signal: AbortSignal.abort() });
    await expect(running).rejects.toThrow(/was cut short/);
    expect(lab.server.commands).toEqual([]);
  });
});

describe('connections', () => {
  test('are shared by successive commands', async () => {
    const host = lab.host();
    for (let n = 0; n < 5; n += 1) await host.exec(['true'], brief);
    expect(lab.server.logins()).toBe(1);
  });

  test('carry 8 commands each, and more are opened if needed', async () => {
    const host = lab.host();
    const go = join(lab.folder, 'go');
    const wait = 'while [ ! -e "$1" ]; do sleep 0.05; done; echo "$2"';
    const twenty = Array.from({ length: 20 }, (_, n) =>
      host.exec(['sh', '-c', wait, 'x', go, String(n)], { timeoutMs: 120_000, signal }),
    );
    await vi.waitFor(() => expect(lab.server.commands).toHaveLength(20), 120_000);
    lab.write('go', '');
    const said = (await Promise.all(twenty)).map((result) => result.stdout.trim());
    expect(said).toEqual(Array.from({ length: 20 }, (_, n) => String(n)));
    expect(lab.server.logins()).toBe(3);
    expect(lab.server.mostSessions()).toBe(8);
  });

  test('adapt to a server that allows fewer channels', async () => {
    const strict = await startSshLab({ maxSessions: 2 });
    try {
      const host = strict.host();
      const results = await Promise.all(
        Array.from({ length: 10 }, () => host.exec(['sh', '-c', 'sleep 0.1; echo ok'], brief)),
      );
      expect(results.every((result) => result.stdout === 'ok\n')).toBe(true);
      expect(strict.server.mostSessions()).toBe(2);
      expect(strict.server.commands).toHaveLength(10);
    } finally {
      await strict.close();
    }
  });

  test('that break leave the outcome of their command unknown, and the command is not sent again', async () => {
    const host = lab.host();
    const running = host.exec(['sleep', '600'], brief);
    await vi.waitFor(() => expect(lab.server.commands).toHaveLength(1), 120_000);
    lab.server.cut();
    await expect(running).rejects.toMatchObject({
      code: 'host-unreachable',
      message: expect.stringMatching(
        /^node-1: `sleep 600` was interrupted, and its outcome is unknown: /,
      ) as string,
    });
    expect(lab.server.commands).toHaveLength(1);
    expect((await host.exec(['echo', 'again'], brief)).stdout).toBe('again\n');
    expect(lab.server.logins()).toBe(2);
  });

  test('without any answer are closed, and the next command uses a new one', async () => {
    const relay = await startRelay(lab.server.port);
    lab.write('known_hosts', `[${ownLoopback}]:${relay.port} ${lab.server.hostKey.publicLine}\n`);
    try {
      const host = lab.host({ port: String(relay.port) });
      await host.exec(['true'], brief);
      const running = host.exec(['sleep', '600'], { timeoutMs: 60_000, signal });
      await vi.waitFor(() => expect(lab.server.commands).toHaveLength(2), 120_000);
      relay.swallow();
      await expect(running).rejects.toThrow(/its outcome is unknown: the host sent nothing for 2 s$/);
      relay.restore();
      expect((await host.exec(['echo', 'again'], brief)).stdout).toBe('again\n');
    } finally {
      await relay.close();
    }
  });

  test('to an unreachable host fail with an error that names the address', async () => {
    const { port } = lab.server;
    await lab.server.close();
    await expect(lab.host().exec(['true'], brief)).rejects.toMatchObject({
      code: 'host-unreachable',
      message: `node-1: cannot connect to n1 over SSH (tester@${ownLoopback}:${port}): connect ECONNREFUSED ${ownLoopback}:${port}`,
      hint: 'Run `ssh n1 true` to see the error.',
    });
    lab = await startSshLab();
  });

  test('that are not open in time leave the command unstarted', async () => {
    const relay = await startRelay(lab.server.port);
    relay.swallow();
    try {
      const waiting = lab.host({ port: String(relay.port) }).exec(['true'], { timeoutMs: 300, signal });
      await expect(waiting).rejects.toThrow(
        /`true` was not started: no SSH connection was available in time$/,
      );
    } finally {
      await relay.close();
    }
  });
});

describe('follow', () => {
  test('yields lines as they come, and the end', async () => {
    const script = 'echo one; echo "two ü"; printf three; echo err >&2; exit 4';
    const lines: string[] = [];
    const following = lab.host().follow(['sh', '-c', script], signal);
    let next = await following.next();
    for (; next.done !== true; next = await following.next()) lines.push(next.value);
    expect(lines).toEqual(['one', 'two ü', 'three']);
    expect(next.value).toEqual({ exitCode: 4, stderr: 'err\n' });
  });

  const forever = 'echo $$ >"$1"; while echo line; do sleep 0.05; done';

  test('ends the command with its consumer', async () => {
    const pid = join(lab.folder, 'pid');
    for await (const line of lab.host().follow(['sh', '-c', forever, 'x', pid], signal)) {
      expect(line).toBe('line');
      break;
    }
    await vi.waitFor(() => expect(stateOf(pid)).toBe('gone'), 120_000);
  });

  test('ends the command when it is aborted', async () => {
    const pid = join(lab.folder, 'pid');
    const stop = new AbortController();
    const following = lab.host().follow(['sh', '-c', forever, 'x', pid], stop.signal);
    await following.next();
    stop.abort();
    const drain = async (): Promise<void> => {
      for await (const line of following) expect(line).toBe('line');
    };
    await expect(drain()).rejects.toThrow(/is no longer followed$/);
    await vi.waitFor(() => expect(stateOf(pid)).toBe('gone'), 120_000);
  });

  test('ends the command when the connection breaks, and reports it', async () => {
    const pid = join(lab.folder, 'pid');
    const following = lab.host().follow(['sh', '-c', forever, 'x', pid], signal);
    await following.next();
    lab.server.cut();
    const drain = async (): Promise<void> => {
      for await (const line of following) expect(line).toBe('line');
    };
    await expect(drain()).rejects.toThrow(/is no longer followed: the host closed the connection|ECONNRESET/);
    await vi.waitFor(() => expect(stateOf(pid)).toBe('gone'), 120_000);
  });
});

describe('sudo', () => {
  const asked = { sudo: true };
  /** A sudo that records its calls and runs the command, or the given script. */
  const withSudo = (script = 'echo "$1 $2" >>"${0%/*}/asked"; shift 2; AS=root exec "$@"'): void => {
    chmodSync(lab.write('sudo', `#!/bin/sh\n${script}\n`), 0o755);
    vi.stubEnv('PATH', `${lab.folder}:${process.env['PATH']}`);
  };
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('runs commands as root only if the target has `sudo: true`', async () => {
    withSudo();
    const script = 'printf "%s|" "$AS" "$@"; echo err >&2; cat; exit 3';
    const argv = ['sh', '-c', script, 'x', "it's $HOME"];
    const { exitCode, stdout, stderr } = await lab.host({}, {}, asked).exec(argv, { ...brief, input: 'in' });
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 3,
      stdout: "root|it's $HOME|in",
      stderr: 'err\n',
    });
    expect(readFileSync(join(lab.folder, 'asked'), 'utf8')).toBe('-n --\n');
    expect((await lab.host().exec(argv, brief)).stdout).toBe("|it's $HOME|");
  });

  test('follows as root', async () => {
    withSudo();
    const lines = lab.host({}, {}, asked).follow(['sh', '-c', 'echo "$AS"'], signal);
    expect(await lines.next()).toEqual({ done: false, value: 'root' });
    await lines.return({ exitCode: 0, stderr: '' });
  });

  test('kills a command that was cut short as root', async () => {
    withSudo();
    const file = join(lab.folder, 'pid');
    const host = lab.host({}, {}, asked);
    const slow = host.exec(['sh', '-c', `echo $$ >${file}; sleep 60`], { timeoutMs: 3000, signal });
    await expect(slow).rejects.toThrow(/did not end within 3 s, and its outcome is unknown$/);
    await vi.waitFor(() => expect(stateOf(file)).toBe('gone'), { timeout: 120_000 });
    expect(readFileSync(join(lab.folder, 'asked'), 'utf8')).toBe('-n --\n-n --\n');
  });

  test('that warns before it runs the command adds nothing to the output', async () => {
    withSudo('echo "sudo: unable to resolve host n1" >&2; shift 2; exec "$@"');
    const stray: string[] = [];
    const host = lab.host({}, {}, asked, ({ message }) => stray.push(message));
    expect(await host.exec(['true'], brief)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(stray).toEqual([expect.stringContaining('sudo: unable to resolve host n1')]);
  });

  test('that asks for a password is not an exit code of the command', async () => {
    withSudo('echo "sudo: a password is required" >&2; exit 1');
    await expect(lab.host({}, {}, asked).exec(['true'], brief)).rejects.toMatchObject({
      code: 'host-unreachable',
      message: 'node-1: `true` was not run: sudo printed: sudo: a password is required',
      hint: expect.stringContaining('NOPASSWD') as string,
    });
  });
});

describe('a login shell', () => {
  /** A host with this script as its login shell, and the notes about its stray text. */
  async function loginBy(script: string, more: Partial<SshTransport> = {}) {
    const folder = temporaryFolder();
    const shell = join(folder, 'shell');
    writeFileSync(shell, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const its = await startSshLab({ shell });
    const stray: string[] = [];
    const host = its.host({}, {}, more, ({ message }) => stray.push(message));
    onTestFinished(() => its.close());
    return { host, stray };
  }
  const loud =
    'echo "Welcome"; echo "locale: no" >&2; /bin/bash --norc "$@"; code=$?; echo "Bye"; echo "Bye" >&2; exit 0';

  test('that prints text before and after adds nothing to the output, and is reported once', async () => {
    const { host, stray } = await loginBy(loud);
    const argv = ['sh', '-c', 'printf out; printf err >&2; exit 3'];
    for (let n = 0; n < 2; n += 1) {
      expect(await host.exec(argv, brief)).toEqual({ exitCode: 3, stdout: 'out', stderr: 'err' });
    }
    expect(stray).toEqual([
      'node-1: the login shell, sudo, or the transport prints text around command output; firedrill ignores it: locale: no Bye Welcome Bye',
    ]);
  });

  test('that prints text adds nothing to followed output', async () => {
    const { host } = await loginBy(loud);
    const following = host.follow(['sh', '-c', 'echo line; printf torn; echo err >&2; exit 4'], signal);
    const lines: string[] = [];
    let next = await following.next();
    for (; next.done !== true; next = await following.next()) lines.push(next.value);
    expect(lines).toEqual(['line', 'torn']);
    expect(next.value).toEqual({ exitCode: 4, stderr: 'err\n' });
  });

  test('that prints text adds nothing to piped output', async () => {
    const { host } = await loginBy(loud);
    const pipe = host.pipe?.(['cat']);
    const said = new Promise((resolve) => pipe?.onData((bytes) => resolve(Buffer.from(bytes).toString())));
    pipe?.write(Buffer.from('early'));
    expect(await said).toBe('early');
    pipe?.close();
  });

  test.each([
    ['a forced command', 'echo "backup gate: nothing to do"', 'exit 0: backup gate: nothing to do'],
    [
      'no login',
      'echo "This account is currently not available."; exit 1',
      'exit 1: This account is currently not available.',
    ],
    [
      'an expired password',
      'echo "WARNING: Your password has expired." >&2; exit 1',
      'exit 1: WARNING: Your password has expired.',
    ],
    ['silence', 'exit 0', 'exit 0'],
    ['its own words back', 'echo "may not run: $2"; echo "$2" >&2; exit 0', 'exit 0: exec /bin/sh'],
  ])('that runs something else ran nothing: %s', async (_name, script, said) => {
    const { host } = await loginBy(script);
    const expected = {
      code: 'host-unreachable',
      message: expect.stringContaining(`was not run by the login: ${said}`) as string,
      hint: expect.stringContaining('ssh n1 true') as string,
    };
    await expect(host.exec(['pg_isready'], brief)).rejects.toMatchObject(expected);
    await expect(host.follow(['pg_isready'], signal).next()).rejects.toMatchObject(expected);
    const end = await new Promise((resolve) => host.pipe?.(['pg_isready']).onEnd(resolve));
    expect(end).toContain(`not run: ${said}`);
  });

  test('that runs another command is reported right after the command, which may be a long script', async () => {
    const { host } = await loginBy('echo "backup gate: nothing to do"');
    const script = `${': a long script\n'.repeat(50)}exit`;
    await expect(host.exec(['sh', '-c', script, 'sh', 'postgres'], brief)).rejects.toThrow(
      'node-1: `sh -c … sh postgres` was not run by the login: exit 0: backup gate: nothing to do',
    );
  });

  test('that prints without end has not run the command, and is not waited for', async () => {
    const { host } = await loginBy('exec yes');
    await expect(host.exec(['true'], brief)).rejects.toThrow(
      /`true` was not run by the login: it printed more than 1048576 bytes: y y y/,
    );
  });

  test('that discards a stream is reported: missing output is not empty output', async () => {
    const { host } = await loginBy('exec /bin/sh "$@" 2>/dev/null');
    await expect(host.exec(['true'], brief)).rejects.toThrow(
      /`true` was interrupted, and its outcome is unknown: the login shell does not pass on the command's standard error$/,
    );
  });

  test('that dies during its command leaves the outcome unknown', async () => {
    const { host } = await loginBy('exec /bin/sh "$@"');
    await expect(host.exec(['sh', '-c', 'kill -9 $PPID; sleep 1'], brief)).rejects.toThrow(
      /its outcome is unknown: its channel closed before the command reported its end/,
    );
  });

  test('is distinguished from sudo if one of them does not run the command', async () => {
    const { host } = await loginBy('echo noise; echo noise >&2; exit 1', { sudo: true });
    await expect(host.exec(['true'], brief)).rejects.toThrow(
      /was not run by the login: exit 1: noise noise$/,
    );
  });

  test('returns messages of programs without the script in them', async () => {
    const { host } = await loginBy('exec /bin/sh "$@"');
    const { exitCode, stderr } = await host.exec(['cl-role', '--json', '(a b) "c"'], brief);
    expect(exitCode).toBe(127);
    expect(stderr).toMatch(/^sh: (line )?\d+: exec: cl-role: not found\n$/);
  });
});

describe('pipe', () => {
  test('accepts input before and after its start, and ends with its standard input', async () => {
    const pipe = lab.host().pipe?.(['cat']);
    let said = '';
    const ended = Promise.withResolvers<string>();
    pipe?.onEnd(ended.resolve);
    pipe?.onData((bytes) => {
      said += Buffer.from(bytes).toString('utf8');
      if (said === 'early') pipe.write(Buffer.from(' late\0'));
      if (said === 'early late\0') pipe.close();
    });
    pipe?.write(Buffer.from('early'));
    expect(await ended.promise).toBe('closed');
    expect(said).toBe('early late\0');
  });

  test('reports why its command ended', async () => {
    const pipe = lab.host().pipe?.(['sh', '-c', 'echo "no engine" >&2; exit 3']);
    expect(await new Promise((resolve) => pipe?.onEnd(resolve))).toBe('exit 3: no engine');
  });
});
