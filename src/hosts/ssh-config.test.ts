import { createHash } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { SshTransport } from '../core/plan.ts';
import type { CommandRunner, Outcome } from './run-command.ts';
import { resolveRoute, sshWords, type SshRoute } from './ssh-config.ts';
import { outcome, type Said } from './testing/ssh-lab.ts';

/** Output of `ssh -G` of OpenSSH 9.2, shortened. */
const plain: Said = {
  host: 'n1',
  user: 'root',
  hostname: 'n1',
  port: '22',
  addressfamily: 'any',
  identitiesonly: 'no',
  stricthostkeychecking: 'ask',
  serveraliveinterval: '0',
  hostkeyalgorithms: 'ssh-ed25519-cert-v01@openssh.com,ssh-ed25519,rsa-sha2-512',
  identityfile: ['~/.ssh/id_rsa', '~/.ssh/id_ed25519'],
  globalknownhostsfile: '/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2',
  userknownhostsfile: '/home/it/.ssh/known_hosts /home/it/.ssh/known_hosts2',
  connecttimeout: 'none',
};

const n1: SshTransport = { kind: 'ssh', host: 'n1' };

function resolved(
  said: Said,
  transport: SshTransport = n1,
  env: Readonly<Record<string, string>> = {},
): Promise<SshRoute> {
  return resolveRoute(transport, { run: outcome({ n1: { ...plain, ...said } }), env });
}

/** A runner that records its commands, and prints the same output for each. */
function noting(said: Said): { readonly asked: string[][]; readonly run: CommandRunner } {
  const asked: string[][] = [];
  const run: CommandRunner = (command) => {
    asked.push([...command.argv]);
    const name = command.argv.at(-1) ?? '';
    return outcome({ [name]: said })(command);
  };
  return { asked, run };
}

const home = userInfo().homedir;

describe('resolveRoute', () => {
  test('uses the settings of `ssh -G`, with the files of the user and the system', async () => {
    expect(await resolved({ hostname: '10.0.0.1', port: '2222', user: 'ops', connecttimeout: '7' })).toEqual({
      settings: {
        asked: 'n1',
        words: 'ssh n1',
        host: '10.0.0.1',
        port: 2222,
        user: 'ops',
        identityFiles: [`${home}/.ssh/id_rsa`, `${home}/.ssh/id_ed25519`],
        identitiesOnly: false,
        knownHostsFiles: [
          '/home/it/.ssh/known_hosts',
          '/home/it/.ssh/known_hosts2',
          '/etc/ssh/ssh_known_hosts',
          '/etc/ssh/ssh_known_hosts2',
        ],
        unknownKeys: 'refused',
        hostKeyAlgorithms: ['ssh-ed25519-cert-v01@openssh.com', 'ssh-ed25519', 'rsa-sha2-512'],
        kexAlgorithms: [],
        ciphers: [],
        macs: [],
        tokens: expect.objectContaining({ h: '10.0.0.1', p: '2222', r: 'ops' }) as object,
        setEnv: {},
        unsupported: [],
        family: 0,
        connectTimeoutMs: 7000,
      },
    });
  });

  test('passes the settings of the target to `ssh -G`', async () => {
    const { asked, run } = noting({ ...plain, identityfile: '/keys/a b' });
    const transport: SshTransport = {
      kind: 'ssh',
      host: 'n1',
      user: 'ops',
      port: 2222,
      identityFile: '/keys/a b',
      knownHosts: '/keys/known',
      config: 'none',
      jump: 'bastion',
    };
    const { settings } = await resolveRoute(transport, { run, env: {} });
    expect(asked).toEqual([
      [
        'ssh',
        '-G',
        '-T',
        '-F',
        'none',
        '-l',
        'ops',
        '-p',
        '2222',
        '-i',
        '/keys/a b',
        '-o',
        'IdentitiesOnly=yes',
      ].concat(['-J', 'bastion', '--', 'n1']),
    ]);
    expect(settings.knownHostsFiles).toEqual([
      '/keys/known',
      '/etc/ssh/ssh_known_hosts',
      '/etc/ssh/ssh_known_hosts2',
    ]);
  });

  test('reads lists of files with spaces in their names, and empty lists', async () => {
    const { settings } = await resolved({
      userknownhostsfile: '/tmp/a b/known /tmp/c d',
      globalknownhostsfile: 'none',
      identityfile: ['/tmp/a key', 'none'],
    });
    expect(settings.knownHostsFiles).toEqual(['/tmp/a b/known', '/tmp/c d']);
    expect(settings.identityFiles).toEqual(['/tmp/a key']);
  });

  test('expands the tokens that `ssh -G` does not', async () => {
    const identityfile = ['~/%n/%h-%p-%r', '%d/%u/%k', '/x/%%h', '/x/%l_%L_%C_%j', '~/${NAME}/%i'];
    const said = { hostname: '10.0.0.1', identityfile, hostkeyalias: 'pair' };
    const { settings } = await resolved(said, n1, { NAME: 'of%h${NAME}' });
    const short = hostname().replace(/\..*/, '');
    const connection = createHash('sha1').update(`${hostname()}10.0.0.122root`).digest('hex');
    expect(settings.identityFiles).toEqual([
      `${home}/n1/10.0.0.1-22-root`,
      `${home}/${userInfo().username}/pair`,
      '/x/%h',
      `/x/${hostname()}_${short}_${connection}_`,
      `${home}/of%h\${NAME}/${userInfo().uid}`,
    ]);
  });

  test('names an undefined token, variable, or home folder in the error', async () => {
    const of = (identityfile: string): Promise<SshRoute> => resolved({ identityfile });
    await expect(of('/x/%Z')).rejects.toMatchObject({
      message: 'cannot connect to n1 over SSH: its ssh_config names the file /x/%Z, and %Z is undefined',
      hint: expect.stringContaining('ssh_config(5)') as string,
    });
    await expect(of('/x/${NOT_SET}')).rejects.toThrow(/\$\{NOT_SET\} is undefined$/);
    await expect(of('~somebody/key')).rejects.toThrow(/~somebody is undefined$/);
  });

  test('returns algorithms, variables, and KnownHostsCommand from `ssh -G`', async () => {
    const { settings } = await resolved({
      kexalgorithms: 'diffie-hellman-group14-sha1,curve25519-sha256',
      ciphers: 'aes128-cbc',
      macs: 'hmac-sha1',
      setenv: ['A=1', 'B=two words=2'],
      knownhostscommand: '/usr/bin/lookup %H',
    });
    expect(settings).toMatchObject({
      kexAlgorithms: ['diffie-hellman-group14-sha1', 'curve25519-sha256'],
      ciphers: ['aes128-cbc'],
      macs: ['hmac-sha1'],
      setEnv: { A: '1', B: 'two words=2' },
      knownHostsCommand: '/usr/bin/lookup %H',
    });
  });

  test('lists unsupported settings that are on', async () => {
    const { settings } = await resolved({
      certificatefile: ['~/.ssh/id-cert.pub', 'none'],
      pkcs11provider: '/usr/lib/opensc.so',
      verifyhostkeydns: 'true',
      gssapiauthentication: 'no',
      hostbasedauthentication: 'no',
      forwardagent: 'no',
      remotecommand: 'tmux attach',
      tunnel: 'false',
      compression: 'yes',
      controlmaster: 'auto',
    });
    expect(settings.unsupported).toEqual([
      'CertificateFile ~/.ssh/id-cert.pub',
      'PKCS11Provider /usr/lib/opensc.so',
      'VerifyHostKeyDNS true',
      'RemoteCommand tmux attach',
    ]);
  });

  test('finds the agent', async () => {
    const env = { SSH_AUTH_SOCK: '/env/agent', OTHER: '/other/agent' };
    const agentOf = async (said: Said): Promise<string | undefined> =>
      (await resolved(said, n1, env)).settings.agent;
    expect(await agentOf({})).toBe('/env/agent');
    expect(await agentOf({ identityagent: 'SSH_AUTH_SOCK' })).toBe('/env/agent');
    expect(await agentOf({ identityagent: 'none' })).toBeUndefined();
    expect(await agentOf({ identityagent: '~/agent' })).toBe(`${home}/agent`);
    expect(await agentOf({ identityagent: '$OTHER' })).toBe('/other/agent');
    expect(await agentOf({ identityagent: '${OTHER}' })).toBe('/other/agent');
    expect((await resolved({}, n1, { SSH_AUTH_SOCK: '' })).settings.agent).toBeUndefined();
  });

  test('accepts unknown keys only if ssh_config allows it', async () => {
    const unknownKeys = async (stricthostkeychecking: string): Promise<string> =>
      (await resolved({ stricthostkeychecking })).settings.unknownKeys;
    expect(await unknownKeys('ask')).toBe('refused');
    expect(await unknownKeys('true')).toBe('refused');
    expect(await unknownKeys('accept-new')).toBe('new');
    expect(await unknownKeys('false')).toBe('new');
  });

  test('resolves jump hosts, the last one nearest to the host, with the same ssh_config', async () => {
    const { asked, run } = noting(plain);
    const jumping: CommandRunner = async (command) => {
      const answer = (await run(command)) as Extract<Outcome, { kind: 'exited' }>;
      const jump = command.argv[command.argv.indexOf('-J') + 1] ?? '';
      return command.argv.includes('-J')
        ? { ...answer, stdout: `${answer.stdout}proxyjump ${jump}\n` }
        : answer;
    };
    const transport: SshTransport = { ...n1, config: '/etc/lab', jump: 'a@j1:99,b@[fd00::1]:2200,j3' };
    const route = await resolveRoute(transport, { run: jumping, env: {} });
    expect(asked.slice(1)).toEqual([
      ['ssh', '-G', '-T', '-F', '/etc/lab', '-J', 'a@j1:99,b@[fd00::1]:2200', '--', 'j3'],
      ['ssh', '-G', '-T', '-F', '/etc/lab', '-l', 'b', '-p', '2200', '-J', 'a@j1:99', '--', 'fd00::1'],
      ['ssh', '-G', '-T', '-F', '/etc/lab', '-l', 'a', '-p', '99', '--', 'j1'],
    ]);
    const way = (r: SshRoute | undefined): string[] =>
      r === undefined ? [] : [r.settings.asked, ...way(r.via)];
    expect(way(route)).toEqual(['n1', 'j3', 'fd00::1', 'j1']);
  });

  test('refuses a loop of jump hosts', async () => {
    await expect(resolved({ proxyjump: 'n1' })).rejects.toMatchObject({
      message: expect.stringMatching(/its jump hosts form a loop$/) as string,
      hint: expect.stringContaining('`ProxyJump none`') as string,
    });
  });

  test('refuses unsupported settings, with a hint', async () => {
    await expect(resolved({ proxycommand: 'nc %h %p' })).rejects.toMatchObject({
      code: 'host-unreachable',
      message:
        'cannot connect to n1 over SSH: its ssh_config has ProxyCommand nc %h %p, which firedrill does not run',
      hint: expect.stringContaining('ProxyJump') as string,
    });
    await expect(resolved({ revokedhostkeys: '/etc/ssh/revoked' })).rejects.toThrow(/RevokedHostKeys/);
    await expect(resolved({ bindinterface: 'eth1' })).rejects.toThrow(
      /has BindInterface eth1, which firedrill does not support$/,
    );
    await expect(resolved({ pubkeyauthentication: 'no' })).rejects.toThrow(/has PubkeyAuthentication no/);
    await expect(resolved({}, { ...n1, identityFile: '/no/key' })).rejects.toThrow(
      /there is no identity file \/no\/key$/,
    );
  });

  test('reports a missing `ssh`, and the error of a failed one', async () => {
    const answering = (outcome: Outcome): Promise<SshRoute> =>
      resolveRoute(n1, { run: async () => outcome, env: {} });
    await expect(
      answering({ kind: 'not-started', code: 'ENOENT', message: 'spawn ssh ENOENT' }),
    ).rejects.toMatchObject({
      message:
        'cannot connect to n1 over SSH: `ssh -G`, which reads ssh_config, cannot be started: spawn ssh ENOENT',
      hint: 'Install the OpenSSH client (Debian, Ubuntu: openssh-client).',
    });
    const failed = {
      kind: 'exited',
      exitCode: 255,
      stdout: '',
      stderr: "Can't open user config file x\n",
    } as const;
    await expect(answering(failed)).rejects.toThrow("`ssh -G -T -- n1`: Can't open user config file x");
  });
});

test('sshWords returns the ssh command', () => {
  expect(sshWords(n1)).toBe('ssh n1');
  expect(sshWords({ ...n1, sudo: true })).toBe('ssh n1 sudo -n');
  expect(sshWords({ ...n1, user: 'ops', port: 2222, config: 'none', identityFile: 'key', jump: 'j' })).toBe(
    'ssh -F none -i key -p 2222 -J j ops@n1',
  );
});
