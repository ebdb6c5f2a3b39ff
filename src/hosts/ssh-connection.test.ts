import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import ssh2, { type ParsedKey } from 'ssh2';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Host } from '../core/host.ts';
import { fromPkcs8 } from './pkcs8.ts';
import { createSshHost } from './ssh.ts';
import { startAgent, type TestAgent } from './testing/ssh-agent.ts';
import { outcome, startSshLab, type Said, type SshLab } from './testing/ssh-lab.ts';
import { makeKey, startSshServer } from './testing/ssh-server.ts';
import { ownLoopback } from './testing/own-loopback.ts';

const { signal } = new AbortController();

let lab: SshLab;
beforeEach(async () => {
  lab = await startSshLab();
});
afterEach(() => lab.close());

async function says(host: Host): Promise<string> {
  return (await host.exec(['echo', 'hello'], { timeoutMs: 120_000, signal })).stdout;
}

describe('the host key', () => {
  const name = (): string => `[${ownLoopback}]:${lab.server.port}`;
  /** The output of a command on a host with these lines in its known hosts. */
  const knowing = (lines: readonly string[], changes: Said = {}): Promise<string> => {
    lab.write('known_hosts', lines.map((line) => `${line}\n`).join(''));
    return says(lab.host(changes));
  };

  test('that is known is accepted', async () => {
    await expect(knowing([`${name()} ${lab.server.hostKey.publicLine}`])).resolves.toBe('hello\n');
  });

  test('that is not known is refused before the login', async () => {
    await expect(knowing(['broken'])).rejects.toMatchObject({
      code: 'host-unreachable',
      message: expect.stringMatching(
        /^node-1: the host key of 127\.[\d.]+:\d+ \(ssh-ed25519, SHA256:[\w+/]{43}\) is not known in \/.*known_hosts; ignored as invalid: .*known_hosts:1 \(expected: names, key type, key\)$/,
      ) as string,
      hint: expect.stringContaining('ssh n1') as string,
    });
    expect(lab.server.logins()).toBe(0);
    expect(lab.server.commands).toEqual([]);
  });

  test('of another port is not accepted, that of port 22 is', async () => {
    const { publicLine } = lab.server.hostKey;
    await expect(knowing([`[${ownLoopback}]:1 ${publicLine}`])).rejects.toThrow(/is not known/);
    await expect(knowing([`${ownLoopback} ${publicLine}`])).resolves.toBe('hello\n');
  });

  test('that has changed is refused with both fingerprints and the line', async () => {
    await expect(knowing([`${name()} ${makeKey().publicLine}`])).rejects.toThrow(
      /\(ssh-ed25519, SHA256:.*\) differs from the key in .*known_hosts:1 \(ssh-ed25519, SHA256:.*\): the host was reinstalled/,
    );
    expect(lab.server.logins()).toBe(0);
  });

  test('that has changed or is revoked is refused with any StrictHostKeyChecking', async () => {
    for (const stricthostkeychecking of ['accept-new', 'false']) {
      await expect(knowing([`${name()} ${makeKey().publicLine}`], { stricthostkeychecking })).rejects.toThrow(
        /differs from the key in/,
      );
      await expect(
        knowing([`@revoked * ${lab.server.hostKey.publicLine}`], { stricthostkeychecking }),
      ).rejects.toThrow(/is revoked by .*known_hosts:1$/);
    }
    expect(lab.server.logins()).toBe(0);
  });

  test('that is known only through an authority is refused, with the reason', async () => {
    await expect(knowing([`@cert-authority * ${makeKey().publicLine}`])).rejects.toThrow(
      /known only through a certificate authority \(.*known_hosts:1\), and firedrill cannot check host certificates$/,
    );
  });

  test('is looked up by its alias', async () => {
    const { publicLine } = lab.server.hostKey;
    await expect(knowing([`pair ${publicLine}`], { hostkeyalias: 'pair' })).resolves.toBe('hello\n');
    await expect(knowing([`${name()} ${publicLine}`], { hostkeyalias: 'pair' })).rejects.toThrow(
      /is not known/,
    );
  });

  test('that was accepted unchecked must be the same the next time', async () => {
    lab.write('known_hosts', '');
    const host = lab.host({ stricthostkeychecking: 'accept-new' });
    expect(await says(host)).toBe('hello\n');
    const { port } = lab.server;
    await lab.server.close();
    const impostor = await startSshServer({ accept: [lab.key], port });
    // The first command may still use the old connection.
    await vi.waitFor(
      () => expect(says(host)).rejects.toThrow(/differs from the key in an earlier connection of this run/),
      5000,
    );
    expect(impostor.logins()).toBe(0);
    await impostor.close();
  });
});

describe('the login', () => {
  let agent: TestAgent | undefined;
  afterEach(() => agent?.close());
  const socketPath = (): string => join(lab.folder, 'agent');

  test('uses a key from an agent', async () => {
    agent = await startAgent(socketPath(), [makeKey(), lab.key]);
    const host = lab.host({ identityfile: '/no/such/key' }, { SSH_AUTH_SOCK: socketPath() });
    expect(await says(host)).toBe('hello\n');
    expect(agent.signatures()).toBe(1);
  });

  test('uses the agent’s keys of the identity files first', async () => {
    agent = await startAgent(socketPath(), [makeKey(), makeKey(), lab.key]);
    const identityfile = lab.write('public', lab.key.publicLine);
    const host = lab.host({ identityfile, identityagent: socketPath() });
    expect(await says(host)).toBe('hello\n');
    expect(lab.server.refused).toEqual([]);
  });

  test('offers no other keys with IdentitiesOnly', async () => {
    agent = await startAgent(socketPath(), [lab.key]);
    const identityfile = lab.write('other', makeKey().privateText);
    const host = lab.host({ identityfile, identityagent: socketPath(), identitiesonly: 'yes' });
    await expect(says(host)).rejects.toThrow(/accepts none of the keys/);
    expect(lab.server.refused).toHaveLength(1);
    expect(agent.signatures()).toBe(0);
  });

  test('uses a key with a passphrase only through an agent, and the error says so', async () => {
    const locked = makeKey('secret');
    const identityfile = lab.write('locked', locked.privateText);
    await expect(says(lab.host({ identityfile }))).rejects.toMatchObject({
      message: `node-1: no usable key for n1: ${identityfile} has a passphrase: add it to an agent (\`ssh-add ${identityfile}\`); no SSH agent, and no usable file among ${identityfile}`,
      hint: expect.stringContaining('ssh-add') as string,
    });
    agent = await startAgent(socketPath(), [lab.key]);
    lab.write('locked.pub', lab.key.publicLine);
    const changes = { identityfile, identitiesonly: 'yes', identityagent: socketPath() };
    expect(await says(lab.host(changes))).toBe('hello\n');
  });

  test('uses the files if the agent does not answer', async () => {
    expect(await says(lab.host({}, { SSH_AUTH_SOCK: '/no/such/agent' }))).toBe('hello\n');
  });

  test.each([
    ['ed25519', () => generateKeyPairSync('ed25519')],
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ECDSA', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ])('takes a key of type %s in PKCS#8', async (_name, make) => {
    const pem = make().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(pem).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    const parsed = ssh2.utils.parseKey(fromPkcs8(pem) ?? '') as ParsedKey;
    const its = await startSshServer({ accept: [{ privateText: pem, publicLine: '', parsed }] });
    lab.write('known_hosts', `[${ownLoopback}]:${its.port} ${its.hostKey.publicLine}\n`);
    const identityfile = lab.write('pkcs8', pem);
    expect(await says(lab.host({ identityfile, port: String(its.port) }))).toBe('hello\n');
    await its.close();
  });

  test('reports why a PKCS#8 key cannot be used', async () => {
    const x = generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    const locked = generateKeyPairSync('ed25519').privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'secret',
    });
    const identityfile = [lab.write('x', x.toString()), lab.write('locked', locked.toString())];
    await expect(says(lab.host({ identityfile }))).rejects.toThrow(
      /x is not a usable key \(SSH has no keys of type x25519\); .*locked has a passphrase: add it to an agent/,
    );
  });

  test('that fails names unsupported settings in ssh_config, which are also reported before', async () => {
    const identityfile = lab.write('other', makeKey().privateText);
    const certificatefile = '~/.ssh/id-cert.pub';
    const notes: string[] = [];
    const host = lab.host({ identityfile, certificatefile }, {}, {}, ({ message }) => notes.push(message));
    await expect(says(host)).rejects.toThrow(
      /accepts none of the keys \(.*\); not supported in ssh_config: CertificateFile ~\/\.ssh\/id-cert\.pub$/,
    );
    await expect(says(host)).rejects.toThrow(/accepts none/);
    expect(notes).toEqual([
      'node-1: ssh_config for n1 has settings that firedrill does not support: CertificateFile ~/.ssh/id-cert.pub',
    ]);
  });

  test('uses only the algorithms that ssh_config allows', async () => {
    const allowed = { kexalgorithms: 'ecdh-sha2-nistp256', ciphers: 'aes256-ctr', macs: 'hmac-sha2-512' };
    expect(await says(lab.host(allowed))).toBe('hello\n');
    expect(lab.server.negotiated()).toMatchObject({
      kex: 'ecdh-sha2-nistp256',
      cs: { cipher: 'aes256-ctr', mac: 'hmac-sha2-512' },
    });
    await expect(says(lab.host({ ciphers: 'aes128-xts' }))).rejects.toThrow(
      /^node-1: firedrill supports none of the Ciphers in ssh_config for n1: aes128-xts$/,
    );
  });

  test('that is refused names the keys that were tried', async () => {
    const identityfile = [lab.write('other', makeKey().privateText), lab.write('torn', 'no key')];
    await expect(says(lab.host({ identityfile }))).rejects.toThrow(
      /^node-1: cannot connect to n1 over SSH \(tester@127\.[\d.]+:\d+\): tester@127\.[\d.]+:\d+ accepts none of the keys \(tried: .*other; .*torn is not a usable key \(.*\)\)$/,
    );
  });
});

describe('a jump host', () => {
  test('is used with its own user, key, and known hosts', async () => {
    const jump = await startSshLab();
    try {
      const hosts = {
        n1: lab.said({ proxyjump: `hopper@bastion:${jump.server.port}` }),
        bastion: jump.said(),
      };
      const host = createSshHost('node-1', { kind: 'ssh', host: 'n1' }, { run: outcome(hosts), env: {} });
      expect(await says(host)).toBe('hello\n');
      expect([jump.server.logins(), lab.server.logins()]).toEqual([1, 1]);
      expect(jump.server.commands).toEqual([]);
    } finally {
      await jump.close();
    }
  });

  test('with an unknown key is refused, and the host behind it gets no connection', async () => {
    const jump = await startSshLab();
    try {
      jump.write('known_hosts', '');
      const hosts = { n1: lab.said({ proxyjump: 'bastion' }), bastion: jump.said() };
      const host = createSshHost('node-1', { kind: 'ssh', host: 'n1' }, { run: outcome(hosts), env: {} });
      await expect(says(host)).rejects.toThrow(
        new RegExp(`^node-1: the host key of ${ownLoopback}:${jump.server.port} .* is not known`),
      );
      expect([jump.server.logins(), lab.server.logins()]).toEqual([0, 0]);
    } finally {
      await jump.close();
    }
  });

  test('does not replace the key check of the host behind it', async () => {
    const jump = await startSshLab();
    try {
      lab.write('known_hosts', `[${ownLoopback}]:${lab.server.port} ${jump.server.hostKey.publicLine}\n`);
      const hosts = { n1: lab.said({ proxyjump: 'bastion' }), bastion: jump.said() };
      const host = createSshHost('node-1', { kind: 'ssh', host: 'n1' }, { run: outcome(hosts), env: {} });
      await expect(says(host)).rejects.toThrow(/differs from the key in/);
      expect([jump.server.logins(), lab.server.logins()]).toEqual([1, 0]);
    } finally {
      await jump.close();
    }
  });

  test('that cannot reach the host is reported', async () => {
    const jump = await startSshLab();
    try {
      const hosts = { n1: lab.said({ proxyjump: 'bastion', port: '1' }), bastion: jump.said() };
      const host = createSshHost('node-1', { kind: 'ssh', host: 'n1' }, { run: outcome(hosts), env: {} });
      await expect(says(host)).rejects.toThrow(
        /^node-1: cannot connect to n1 over SSH \(tester@127\.[\d.]+:1\): \(SSH\) Channel open failure/,
      );
    } finally {
      await jump.close();
    }
  });
});
