import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { hostKeyCheck, type HostKeyCheck } from './host-key-check.ts';
import { fingerprint, type KnownHost } from './known-hosts.ts';
import type { CommandRunner, Outcome } from './run-command.ts';
import type { SshSettings } from './ssh-config.ts';
import { tokensOf } from './ssh-tokens.ts';
import { makeKey } from './testing/ssh-server.ts';

const [first, second] = [makeKey(), makeKey()].map((key) => key.parsed.getPublicSSH()) as [Buffer, Buffer];

/** The check of one connection to a host whose unknown key is accepted. */
function check(
  port: number,
  learned: KnownHost[],
  changes: Partial<SshSettings> = {},
  run: CommandRunner = () => Promise.reject(new Error('nothing is to be run')),
): Promise<HostKeyCheck> {
  const settings: SshSettings = {
    asked: 'n1',
    words: 'ssh n1',
    host: 'Node-1.example',
    port,
    user: 'root',
    identityFiles: [],
    identitiesOnly: false,
    knownHostsFiles: [],
    unknownKeys: 'new',
    hostKeyAlgorithms: [],
    kexAlgorithms: [],
    ciphers: [],
    macs: [],
    tokens: tokensOf({ asked: 'n1', host: 'Node-1.example', port, user: 'root', alias: undefined, jump: '' }),
    setEnv: {},
    unsupported: [],
    family: 0,
    connectTimeoutMs: 1000,
    ...changes,
  };
  return hostKeyCheck(settings, learned, { run, env: { FROM: 'env' } });
}

test.each([
  ['on port 22', 22, {}],
  ['on another port', 2222, {}],
  ['by its alias', 22, { hostKeyAlias: 'pair' }],
])(
  'a host that is taken at its word %s must show the same key the next time',
  async (_name, port, changes) => {
    const learned: KnownHost[] = [];
    expect(await (await check(port, learned, changes)).refuse(first)).toBeUndefined();
    const next = await check(port, learned, changes);
    expect(await next.refuse(first)).toBeUndefined();
    expect((await next.refuse(second))?.message).toMatch(
      /differs from the key in an earlier connection of this run/,
    );
  },
);

test('two simultaneous connections learn one key, not two', async () => {
  const learned: KnownHost[] = [];
  const [one, other] = await Promise.all([check(22, learned), check(22, learned)]);
  expect(await one.refuse(first)).toBeUndefined();
  expect((await other.refuse(second))?.message).toMatch(
    /differs from the key in an earlier connection of this run/,
  );
  expect(learned).toHaveLength(1);
});

describe('KnownHostsCommand', () => {
  const knownHostsCommand = '/usr/bin/lookup "%H %t" %I %f %K %% ${FROM} %u%%';
  const line = `[node-1.example]:2222 ssh-ed25519 ${first.toString('base64')}\n`;
  const asked: (readonly string[])[] = [];
  const printing =
    (outcome: Outcome): CommandRunner =>
    async ({ argv }) => {
      asked.push(argv);
      return outcome;
    };
  const strict = { knownHostsCommand, unknownKeys: 'refused' } as const;

  test('gets the host’s key in its tokens, and runs without a shell', async () => {
    const run = printing({ kind: 'exited', exitCode: 0, stdout: line, stderr: '' });
    const { refuse } = await check(2222, [], strict, run);
    expect(await refuse(first)).toBeUndefined();
    expect(asked).toEqual([
      [
        '/usr/bin/lookup',
        '[node-1.example]:2222 ssh-ed25519',
        'HOSTNAME',
        fingerprint(first),
        first.toString('base64'),
        '%',
        'env',
        `${userInfo().username}%`,
      ],
    ]);
    expect((await refuse(second))?.message).toMatch(/differs from the key in KnownHostsCommand:1/);
  });

  test('without a matching key, or with a failure, refuses the key, and the error names the command', async () => {
    const said = async (outcome: Outcome): Promise<string | undefined> =>
      (await (await check(2222, [], strict, printing(outcome))).refuse(first))?.message;
    expect(await said({ kind: 'exited', exitCode: 0, stdout: '', stderr: '' })).toMatch(
      /is not known in any file, nor by KnownHostsCommand \/usr\/bin\/lookup .*%%$/,
    );
    expect(await said({ kind: 'exited', exitCode: 3, stdout: line, stderr: 'no entry\n' })).toMatch(
      /nor by KnownHostsCommand .* \(exit 3: no entry\)$/,
    );
    expect(await said({ kind: 'timed-out' })).toMatch(/nor by KnownHostsCommand .* \(timed-out\)$/);
  });

  test('with an undefined token is not run, and the error names the token', async () => {
    const { refuse } = await check(2222, [], { ...strict, knownHostsCommand: '/usr/bin/lookup %Z' });
    expect((await refuse(first))?.message).toMatch(/\(%Z is undefined\)$/);
  });
});

test('a host with a key only in DNS is refused, and the error says that DNS is not used', async () => {
  const { refuse } = await check(22, [], { unknownKeys: 'refused', unsupported: ['VerifyHostKeyDNS yes'] });
  expect((await refuse(first))?.message).toMatch(
    /is not known in any file; firedrill does not look it up in DNS \(VerifyHostKeyDNS yes\)$/,
  );
});

test('weak host key algorithms are requested only if ssh_config names them', async () => {
  const of = async (hostKeyAlgorithms: readonly string[]): Promise<readonly string[]> =>
    (await check(22, [], { hostKeyAlgorithms })).algorithms;
  expect(await of(['ssh-rsa', 'ssh-dss'])).toEqual(['ssh-rsa', 'ssh-dss']);
  expect(await of([])).not.toContain('ssh-rsa');
  await expect(of(['ssh-ed25519-cert-v01@openssh.com'])).rejects.toThrow(
    /^firedrill supports none of the HostKeyAlgorithms in ssh_config for n1$/,
  );
});
