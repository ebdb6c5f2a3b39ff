import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DrillError, messageOf } from '../../src/core/errors.ts';
import type { PlannedHost, SshTransport } from '../../src/core/plan.ts';
import { createHost } from '../../src/hosts/catalog.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import { runCommand } from '../../src/hosts/run-command.ts';
import { createSshHost } from '../../src/hosts/ssh.ts';
import { makeKey } from '../../src/hosts/testing/ssh-server.ts';
import { hangMs, itConforms, wholeOf, type Tried } from '../transport-conformance.ts';
import { knownHost, startSshd, whyNoSshd, type SshdLab, type SshUser } from './lib/sshd.ts';
import { sharedTemporaryFolder } from '../temporary-folder.ts';

const { signal } = new AbortController();
const limits = { timeoutMs: hangMs, signal };
const work = sharedTemporaryFolder();
chmodSync(work, 0o755);

const write = (name: string, text: string, mode = 0o644): string => {
  const path = join(work, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};

/** A script that cuts a command's stream; the file `cut` has the stream and the number of bytes. */
const cutter = write(
  'cutter',
  `#!/bin/sh
read -r stream bytes <${work}/cut
case $stream in
stdout) "$@" | head -c "$bytes" ;;
stderr) { "$@" 2>&1 >&3 | head -c "$bytes" >&2; } 3>&1 ;;
esac
exit 0
`,
  0o755,
);
/** Longer than an answer with its markers. */
const wholeBytes = 400;

/** Cuts an answer at many positions. Returns how often it arrives complete, and all other results except `host-unreachable`. */
async function cutEverywhere(ask: () => Promise<unknown>): Promise<{ whole: number; others: unknown[] }> {
  const others: unknown[] = [];
  let whole = 0;
  for (const stream of ['stdout', 'stderr']) {
    for (let bytes = 0; bytes < wholeBytes; bytes += 29) {
      write('cut', `${stream} ${bytes}\n`);
      const got = await ask().catch((error: unknown) => error);
      if (isDeepStrictEqual(got, answer)) whole += 1;
      else if (!(got instanceof DrillError && got.code === 'host-unreachable')) others.push(got);
    }
  }
  return { whole, others };
}

const script = 'echo out; echo err >&2; exit 3';
const answer = { exitCode: 3, stdout: 'out\n', stderr: 'err\n' };

itConforms('transport local', async () => ({
  host: createLocalHost('here'),
  notes: [],
  close: async () => {},
}));

describe('transport docker, with a client that runs commands on this machine', () => {
  /** A docker client that may print additional lines, like podman's or like one with advertisements. */
  const shim = (name: string, run: string): string => {
    mkdirSync(join(work, name));
    const client = `#!/bin/sh
if [ "$1" = container ]; then echo "0123 true false"; exit 0; fi
shift; if [ "$1" = -i ]; then shift; else exec </dev/null; fi; shift
${run}
`;
    write(join(name, 'docker'), client, 0o755);
    return join(work, name);
  };
  const open = (folder: string) => async (): Promise<Tried> => {
    const notes: string[] = [];
    const path = process.env['PATH'];
    process.env['PATH'] = `${folder}:${path}`;
    const transport = { kind: 'docker', container: 'lab-node-1' } as const;
    const planned = { name: 'node-1', transport } as PlannedHost;
    const host = createHost(planned, ({ message }) => notes.push(message));
    const close = async (): Promise<void> => void (process.env['PATH'] = path);
    return { host, notes, close };
  };
  itConforms('that is silent', open(shim('docker-silent', 'exec "$@"')));
  itConforms(
    'that prints',
    open(
      shim(
        'docker-loud',
        'echo "Emulate Docker CLI" >&2; "$@"; code=$?; echo "Try new things" >&2; exit "$code"',
      ),
    ),
    { noisy: true },
  );

  test('a cut answer is not accepted', { timeout: hangMs }, async () => {
    const { host, close } = await open(shim('docker-cut', `exec ${cutter} "$@"`))();
    const { whole, others } = await cutEverywhere(() => host.exec(['sh', '-c', script], limits));
    expect(others).toEqual([]);
    expect(whole).toBeGreaterThan(0);
    await close();
  });
});

const noise = 'echo "Welcome, authorised use only"; echo "quota: none" >&2\n';
const users: readonly SshUser[] = [
  { name: 'fd-bash', shell: '/bin/bash', files: { '.bashrc': noise } },
  { name: 'fd-dash', shell: '/bin/dash', files: { '.ssh/rc': noise } },
  { name: 'fd-zsh', shell: '/usr/bin/zsh', files: { '.zshenv': noise } },
  { name: 'fd-fish', shell: '/usr/bin/fish', files: { '.config/fish/config.fish': noise } },
  { name: 'fd-tcsh', shell: '/bin/tcsh', files: { '.cshrc': 'echo "Welcome, authorised use only"\n' } },
  { name: 'fd-busybox', shell: join(work, 'sh'), files: { '.ssh/rc': noise } },
  { name: 'fd-wrapped', shell: '/bin/bash', forced: write('wrapper', wrapperScript(), 0o755) },
  { name: 'fd-sudo', shell: '/bin/bash', sudo: true },
  { name: 'fd-nosudo', shell: '/bin/bash', files: { '.bashrc': noise } },
  { name: 'fd-forced', shell: '/bin/bash', forced: 'echo backup gate: nothing to do' },
  { name: 'fd-nologin', shell: '/usr/sbin/nologin' },
  { name: 'fd-expired', shell: '/bin/bash', passwordExpired: true },
  { name: 'fd-cut', shell: '/bin/bash', forced: `exec ${cutter} sh -c "$SSH_ORIGINAL_COMMAND"` },
];

/** A wrapper that records sessions: it prints lines before and after, and always exits 0. */
function wrapperScript(): string {
  return `#!/bin/sh\necho "session is recorded"\n$SHELL -c "$SSH_ORIGINAL_COMMAND"\necho "session was recorded"; echo bye >&2\nexit 0\n`;
}

const whyNot = whyNoSshd();
describe.skipIf(whyNot !== undefined)(
  `transport ssh, to a real sshd${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`,
  () => {
    let lab: SshdLab;
    const key = makeKey();
    beforeAll(async () => {
      lab = await startSshd(work, `${key.publicLine}\n`, users);
      write('key', key.privateText, 0o600);
      write('known_hosts', knownHost(work, lab.port));
      write('config', 'Host *\n  SetEnv LC_ALL=de_DE.UTF-8 LANGUAGE=de\n');
    });
    afterAll(() => lab.close());

    const open = async (user: string, more: Partial<SshTransport> = {}): Promise<Tried> => {
      const notes: string[] = [];
      const transport: SshTransport = {
        kind: 'ssh',
        host: '127.0.0.1',
        user,
        port: lab.port,
        identityFile: join(work, 'key'),
        knownHosts: join(work, 'known_hosts'),
        config: join(work, 'config'),
        ...more,
      };
      const around = { run: runCommand, env: {} };
      const host = createSshHost('node-1', transport, around, ({ message }) => notes.push(message));
      return { host, notes, close: async () => {} };
    };

    for (const shell of ['bash', 'dash', 'zsh', 'fish', 'tcsh', 'busybox', 'wrapped']) {
      const user = `fd-${shell}`;
      itConforms(`a login by ${shell}, which prints`, () => open(user), { noisy: true, user });
    }
    itConforms('a login with sudo, which warns', () => open('fd-sudo', { sudo: true }), {
      noisy: true,
      user: 'root',
    });

    test("sudo's own messages are notes, not output", async () => {
      const { host, notes } = await open('fd-sudo', { sudo: true });
      expect(await host.exec(['true'], limits)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
      expect(notes.join()).toMatch(/sudo: unable to resolve host/);
    });

    test.each([
      ['fd-forced', /was not run by the login: exit 0: .*backup gate: nothing to do$/],
      ['fd-nologin', /was not run by the login: exit 1: .*not available/],
      ['fd-expired', /was not run by the login: exit 1: .*assword.*/],
    ])('as %s no command runs, and none counts as run', async (user, words) => {
      const { host } = await open(user);
      const expected = { code: 'host-unreachable', message: expect.stringMatching(words) as string };
      await expect(host.exec(['true'], limits)).rejects.toMatchObject(expected);
      await expect(wholeOf(host, ['true'])).rejects.toMatchObject(expected);
      const pipe = host.pipe?.(['cat']);
      expect(await new Promise((resolve) => pipe?.onEnd(resolve))).toMatch(/^not run: exit/);
    });

    test('a user without sudo rights gets another error than a failed login', async () => {
      const { host } = await open('fd-nosudo', { sudo: true });
      await expect(host.exec(['true'], limits)).rejects.toMatchObject({
        message: expect.stringMatching(/was not run: sudo printed: .*password is required$/) as string,
        hint: expect.stringContaining('NOPASSWD') as string,
      });
    });

    test('a cut answer is not accepted', { timeout: hangMs }, async () => {
      const { host } = await open('fd-cut');
      const { whole, others } = await cutEverywhere(() => host.exec(['sh', '-c', script], limits));
      expect(others).toEqual([]);
      expect(whole).toBeGreaterThan(0);
    });

    test(
      'a connection that breaks at any step gives no answer and no second run',
      { timeout: hangMs },
      async () => {
        const errors: unknown[] = [];
        let answered: unknown;
        while (answered === undefined) {
          const ran = write(`ran-${errors.length}`, '', 0o666);
          const relay = await relayOf(lab.port, errors.length);
          const knownHosts = write('known_hosts_relay', knownHost(work, relay.port));
          const { host } = await open('fd-dash', { port: relay.port, knownHosts });
          const argv = ['sh', '-c', `echo ran >>${ran}; ${script}`];
          const got = await host.exec(argv, limits).catch((error: unknown) => error);
          if (got instanceof Error) errors.push(got);
          else answered = got;
          await relay.close();
        }
        expect(answered).toEqual(answer);
        expect(errors.map((error) => (error as DrillError).code)).toEqual(
          errors.map(() => 'host-unreachable'),
        );
        // A command with an unknown outcome may have run once; the others have not run.
        const unknown = errors.map((error) => messageOf(error).includes('outcome is unknown'));
        const runs = [...errors, answered].map(
          (_, pieces) => readFileSync(join(work, `ran-${pieces}`), 'utf8').split('\n').length - 1,
        );
        expect(runs.filter((times, at) => times > ((unknown[at] ?? true) ? 1 : 0))).toEqual([]);
        expect(unknown).toContain(true);
      },
    );
  },
);

/** A relay that closes the connection after `pieces` chunks from the server. */
async function relayOf(
  port: number,
  pieces: number,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const open = new Set<{ destroy(): void }>();
  const server = createServer((inner) => {
    const outer = connect(port, '127.0.0.1');
    let left = pieces;
    for (const socket of [inner, outer]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => [inner, outer].forEach((one) => void one.destroy()));
    }
    inner.on('data', (piece) => void outer.write(piece));
    outer.on('data', (piece) => {
      if (left === 0) return void outer.destroy();
      left -= 1;
      inner.write(piece);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
