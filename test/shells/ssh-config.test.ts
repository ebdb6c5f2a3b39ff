import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { runCommand } from '../../src/hosts/run-command.ts';
import { resolveRoute, type SshRoute } from '../../src/hosts/ssh-config.ts';
import { expandTokens } from '../../src/hosts/ssh-tokens.ts';
import { sharedTemporaryFolder } from '../temporary-folder.ts';

// Typical ssh_config files, resolved by the real `ssh -G`.
const folder = sharedTemporaryFolder();
const config = join(folder, 'config');
writeFileSync(
  config,
  `Host op
  IdentityAgent "~/Library/Group Containers/2BUA8C4S2C.example/t/agent.sock"
Host env
  IdentityFile \${KEYS}/id_env
  UserKnownHostsFile \${KEYS}/kh_env
Host tok
  HostName 192.0.2.3
  User ops
  Port 2222
  IdentityFile %d/.ssh/%r@%n:%p_%k_%u_%i_%h
Host odd
  IdentityFile ~/.ssh/%Z
Host old
  HostKeyAlgorithms ssh-rsa,ssh-dss
  KexAlgorithms +diffie-hellman-group1-sha1
  Ciphers aes128-cbc
  CertificateFile ~/.ssh/id-cert.pub
  VerifyHostKeyDNS yes
  KnownHostsCommand /usr/bin/true %H
  SetEnv FOO="a b" BAR=c
Host space
  IdentityFile "~/.ssh/with space/private_key"
Host chain
  ProxyJump alice@bastion1:2201,[2001:db8::5]:2202,ssh://bob@bastion3:2203
Host none
  ProxyCommand none
  ProxyJump none
`,
);
const home = userInfo().homedir;
const env = { ...process.env, KEYS: folder };

function resolved(host: string): Promise<SshRoute> {
  const run: typeof runCommand = (command) => runCommand({ ...command, env });
  return resolveRoute({ kind: 'ssh', host, config }, { run, env });
}

test('files, agents, and variables are resolved like in ssh', async () => {
  const { settings: op } = await resolved('op');
  expect(op.agent).toBe(`${home}/Library/Group Containers/2BUA8C4S2C.example/t/agent.sock`);
  const { settings: variable } = await resolved('env');
  expect(variable.identityFiles).toEqual([join(folder, 'id_env')]);
  expect(variable.knownHostsFiles[0]).toBe(join(folder, 'kh_env'));
  const { settings: space } = await resolved('space');
  expect(space.identityFiles).toEqual([`${home}/.ssh/with space/private_key`]);
  const { username, uid } = userInfo();
  const { settings: tokens } = await resolved('tok');
  expect(tokens.identityFiles).toEqual([`${home}/.ssh/ops@tok:2222_tok_${username}_${uid}_192.0.2.3`]);
});

test('tokens have the same values as in ssh', async () => {
  const path = '/x/%C/%d/%h/%i/%k/%L/%l/%n/%p/%r/%u/%%';
  const { stdout } = await execa('ssh', ['-G', '-T', '-F', config, '-o', `ControlPath=${path}`, 'tok']);
  const said = /^controlpath (.*)$/im.exec(stdout)?.[1];
  const { settings } = await resolved('tok');
  expect(expandTokens(path, settings.tokens, {})).toEqual({ text: said });
});

test('an unknown token is reported', async () => {
  await expect(resolved('odd')).rejects.toThrow(/names the file ~\/\.ssh\/%Z, and %Z is undefined$/);
});

test('algorithms, variables, commands, and unsupported options match the output of ssh', async () => {
  const { settings } = await resolved('old');
  expect(settings.hostKeyAlgorithms).toEqual(['ssh-rsa', 'ssh-dss']);
  expect(settings.kexAlgorithms).toContain('diffie-hellman-group1-sha1');
  expect(settings.ciphers).toEqual(['aes128-cbc']);
  expect(settings.knownHostsCommand).toBe('/usr/bin/true %H');
  expect(settings.setEnv).toEqual({ FOO: 'a b', BAR: 'c' });
  expect(settings.unsupported).toEqual([
    'CertificateFile ~/.ssh/id-cert.pub',
    expect.stringMatching(/^VerifyHostKeyDNS (yes|true)$/),
  ]);
});

test('jump hosts are in order, and `none` means no jump host', async () => {
  const way = (route: SshRoute | undefined): string[] =>
    route === undefined
      ? []
      : [`${route.settings.user}@${route.settings.host}:${route.settings.port}`, ...way(route.via)];
  const { username } = userInfo();
  expect(way(await resolved('chain')).slice(1)).toEqual([
    'bob@bastion3:2203',
    `${username}@2001:db8::5:2202`,
    'alice@bastion1:2201',
  ]);
  expect((await resolved('none')).via).toBeUndefined();
});
