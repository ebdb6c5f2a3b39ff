import { spawn, type ChildProcess } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { withForeignPackages } from '../../../src/lab/apt.ts';
import { mustRun, type LabContext } from '../../../src/lab/lab-context.ts';

/** The sshd package and its library. Installing it would start a service on port 22. */
const packages = ['openssh-server', 'libwrap0'];
/** Later releases also have the system libraries that these packages need. */
const release = 'bookworm';
const folder = join(import.meta.dirname, '../../../.firedrill/sshd');
const installed = '/usr/sbin/sshd';
const unpacked = join(folder, installed);
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Unpacks Debian's SSH server once into a separate folder, if the machine has none installed. */
export async function unpackSshd(context: LabContext): Promise<void> {
  if (existsSync(installed) || existsSync(unpacked) || whyNoSshd() !== undefined) return;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await withForeignPackages(context, release, packages, async (debs) => {
    for (const deb of debs) await mustRun(context, ['dpkg-deb', '-x', deb, folder], { timeoutMs: 600_000 });
  });
}

/** Why an SSH server cannot run on this machine; undefined if it can. */
export function whyNoSshd(): string | undefined {
  if (process.getuid?.() !== 0) return 'sshd needs root to log in other users';
  if (!existsSync(installed) && !existsSync(keyring)) return 'this machine has no sshd and is not Debian';
  return undefined;
}

/** A user who may log in. */
export interface SshUser {
  readonly name: string;
  readonly shell: string;
  /** Files of the home folder, by their path in it. */
  readonly files?: Readonly<Record<string, string>>;
  /** Command that runs instead of the requested one. */
  readonly forced?: string;
  /** May run everything as root without a password. */
  readonly sudo?: true;
  readonly passwordExpired?: true;
}

export interface SshdLab {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** First of the users' UIDs, which no other user has. */
const firstUid = 64_101;

/**
 * A real sshd on loopback with its own users. It runs in a mount namespace with its own /etc, so that the machine does not
 * change. The machine's name does not resolve there, so sudo prints a warning.
 */
export async function startSshd(
  work: string,
  authorized: string,
  users: readonly SshUser[],
): Promise<SshdLab> {
  const homes = join(work, 'homes');
  writeFileSync(join(work, 'authorized_keys'), authorized);
  await mustSpawn('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(work, 'host_key')]);
  for (const [n, { name, files = {} }] of users.entries()) {
    for (const [path, text] of Object.entries({ '.hushlogin': '', ...files })) {
      const file = join(homes, name, path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, text);
    }
    for (const path of ['', ...readdirSync(join(homes, name), { recursive: true, encoding: 'utf8' })]) {
      chownSync(join(homes, name, path), firstUid + n, firstUid + n);
    }
  }
  // Busybox acts as a shell if its name is sh.
  symlinkSync('/bin/busybox', join(work, 'sh'));
  writeFileSync(join(work, 'start.sh'), startScript(work, users));
  for (let tries = 0; ; tries += 1) {
    const port = await freePort();
    writeFileSync(join(work, 'sshd_config'), config(work, users, port));
    const server = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', join(work, 'start.sh')], {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, LD_LIBRARY_PATH: libraries() },
    });
    const said: string[] = [];
    if (await isListening(server, said)) return { port, close: () => end(server) };
    // Another process may have taken the port in between.
    if (tries >= 3) throw new Error(`start sshd: it does not listen: ${said.join('\n')}`);
  }
}

function libraries(): string {
  const machine = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  return join(folder, 'usr/lib', machine);
}

/** The script that sets up the namespace and then executes sshd. */
function startScript(work: string, users: readonly SshUser[]): string {
  const lines = (file: string, each: (user: SshUser, uid: number) => string): string =>
    `cat >>"$etc/${file}" <<'END'\n${users.map((user, n) => each(user, firstUid + n)).join('\n')}\nEND`;
  const program = existsSync(installed) ? installed : unpacked;
  return [
    'set -e',
    `etc=${work}/etc; rm -rf "$etc"; cp -a /etc "$etc"`,
    'grep -q ^sshd: "$etc/passwd" || echo "sshd:x:64100:65534::/run/sshd:/usr/sbin/nologin" >>"$etc/passwd"',
    lines('passwd', ({ name, shell }, uid) => `${name}:x:${uid}:${uid}::${work}/homes/${name}:${shell}`),
    lines('group', ({ name }, uid) => `${name}:x:${uid}:`),
    // The day of the last password change; 0 forces a change.
    lines('shadow', ({ name, passwordExpired }) => `${name}:*:${passwordExpired ? 0 : 19000}:0:99999:7:::`),
    `cat >"$etc/sudoers" <<'END'\n${users.map(({ name, sudo }) => (sudo ? `${name} ALL=(ALL) NOPASSWD: ALL\n` : '')).join('')}END`,
    'chmod 440 "$etc/sudoers"',
    'for kind in auth session; do echo "$kind required pam_permit.so"; done >"$etc/pam.d/sshd"',
    'for kind in account password; do echo "$kind required pam_unix.so"; done >>"$etc/pam.d/sshd"',
    'rm -f "$etc/resolv.conf"; echo "nameserver 127.0.0.1" >"$etc/resolv.conf"; echo "127.0.0.1 localhost" >"$etc/hosts"',
    'mount --bind "$etc" /etc',
    'mount -t tmpfs tmpfs /run; mkdir -m 755 /run/sshd',
    `exec ${program} -D -e -r -f ${work}/sshd_config`,
    '',
  ].join('\n');
}

function config(work: string, users: readonly SshUser[], port: number): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${work}/host_key`,
    `AuthorizedKeysFile ${work}/authorized_keys`,
    'StrictModes no',
    'UsePAM yes',
    'PidFile none',
    'PasswordAuthentication no',
    'MaxStartups 100',
    'AcceptEnv LANG LC_* LANGUAGE FD_*',
    ...users.flatMap(({ name, forced }) =>
      forced === undefined ? [] : [`Match User ${name}`, `  ForceCommand ${forced}`],
    ),
    '',
  ].join('\n');
}

/** Resolves to true when it listens, and to false if it ends first. */
async function isListening(server: ChildProcess, said: string[]): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  if (server.stderr === null) return false;
  createInterface({ input: server.stderr }).on('line', (line) => {
    said.push(line);
    if (line.startsWith('Server listening')) resolve(true);
  });
  server.on('close', () => resolve(false));
  return promise;
}

async function end(server: ChildProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.on('close', () => resolve());
  server.kill('SIGKILL');
  await promise;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function mustSpawn(file: string, argv: readonly string[]): Promise<void> {
  const child = spawn(file, argv, { stdio: 'ignore' });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`run ${file}: exit code ${code}`);
}

/** A line of known_hosts for the server of that folder. */
export function knownHost(work: string, port: number): string {
  const [type, key] = readFileSync(join(work, 'host_key.pub'), 'utf8').split(' ');
  return `[127.0.0.1]:${port} ${type} ${key}\n`;
}
