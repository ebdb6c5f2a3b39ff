import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Summary } from '../../src/core/summary.ts';
import { must } from '../firedrill.ts';
import { onceMoreIfStarved } from '../starvation.ts';
import { hostImage, image } from './lib/images.ts';

// The container image, used as docs/container-image.md says. Containers and the network have names that begin with `prefix`.

const prefix = 'firedrill-image-test';
const socket = '/var/run/docker.sock';
const root = join(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
let started = 0;

/** Runs the image with a command of firedrill; never rejects. */
function firedrill(options: readonly string[], ...args: readonly string[]) {
  const name = `${prefix}-${process.pid}-${(started += 1)}`;
  return execa('docker', ['run', '--rm', '--name', name, ...options, image, ...args], {
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: 280_000,
  });
}

/** Runs another program of the image. */
async function output(
  program: string,
  options: readonly string[],
  ...args: readonly string[]
): Promise<string> {
  const { all, exitCode } = await firedrill(['--entrypoint', program, ...options], ...args);
  expect(exitCode, all).toBe(0);
  return all;
}

describe('the image', () => {
  test('has the version of the package as its default command, and as a label', async () => {
    expect((await firedrill([], '--version')).stdout).toBe(version);
    expect((await firedrill([])).stdout).toContain('Usage: docker run … firedrill');
    const format = '{{index .Config.Labels "org.opencontainers.image.version"}}';
    expect(await must(['docker', 'image', 'inspect', '--format', format, image])).toBe(version);
  });

  test('is at most 300 MB', async () => {
    const bytes = Number(await must(['docker', 'image', 'inspect', '--format', '{{.Size}}', image]));
    process.stderr.write(`image: ${(bytes / 1e6).toFixed(0)} MB\n`);
    expect(bytes).toBeLessThan(300e6);
  });

  test('runs as a user who is not root, and who cannot write to its files', async () => {
    expect(await output('id', [], '-u')).toBe('1000');
    const wrote = await output('sh', [], '-c', 'touch /opt/firedrill/x /etc/x 2>&1 || true');
    expect(wrote.match(/Permission denied/g)).toHaveLength(2);
  });

  test.each([
    ['a user without a name', ['--user', '12345:12345']],
    ['a read-only file system', ['--read-only', '--tmpfs', '/tmp']],
    ['no capabilities', ['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']],
  ])('runs with %s', async (_what, options) => {
    const { all, exitCode } = await firedrill(options, 'status');
    expect([exitCode, all]).toEqual([0, 'no open faults']);
  });

  test('gives a user without a name one, which ssh needs', async () => {
    const options = ['--user', '12345:12345', '--entrypoint', 'sh'];
    const { all } = await firedrill(options, '-c', 'firedrill-entrypoint --version && ssh -G localhost');
    expect(all).toContain('user firedrill');
  });

  test('has what local probes need: ping, and tcpdump without root', async () => {
    expect(await output('ping', [], '-c', '1', '127.0.0.1')).toContain('1 received');
    expect(await output('tcpdump', [], '--list-interfaces')).toContain('lo');
    const script = 'ping -i 0.2 127.0.0.1 >/dev/null & timeout 60 tcpdump -i lo -c 1; kill $!';
    expect(await output('sh', [], '-c', script)).toContain('1 packet captured');
  });

  test('has the licenses of what it ships', async () => {
    const folder = '/usr/share/doc/firedrill';
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: object;
    };
    const notices = await output('cat', [], `${folder}/npm-packages.txt`);
    const missing = Object.keys(dependencies).filter(
      (name) => !notices.includes(`\n${name} `) && !notices.startsWith(`${name} `),
    );
    expect(missing).toEqual([]);
    expect(await output('cat', [], `${folder}/node.txt`)).toContain('Node.js');
    const packages = await output('cat', [], `${folder}/debian-packages.txt`);
    for (const name of ['docker-cli', 'openssh-client', 'tcpdump', 'tini']) {
      expect(packages).toMatch(new RegExp(`^${name} .+`, 'm'));
      await output('test', [], '-s', `/usr/share/doc/${name}/copyright`);
    }
  });
});

describe('a drill from the image', () => {
  const network = `${prefix}-net`;
  const onNetwork = ['--network', network];
  const web = `${prefix}-web`;
  const node = `${prefix}-node`;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'firedrill-image-test-'));
    await must(['docker', 'network', 'create', network]);
    const start = ['docker', 'run', '--detach', '--init', ...onNetwork] as const;
    await must([...start, '--name', web, '--restart', 'unless-stopped', hostImage]);
    await must([...start, '--name', node, hostImage, 'start']);
  });
  afterAll(async () => {
    await must(['docker', 'rm', '--force', web, node]);
    await must(['docker', 'network', 'rm', network]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** A folder for /drills that the image's user may write to. */
  const drillsFolder = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(path);
    chmodSync(path, 0o777);
    return path;
  };
  const expectPass = async (mounted: string, options: readonly string[]): Promise<void> => {
    const reports = join(mounted, 'reports');
    const { exitCode, all } = await onceMoreIfStarved(reports, async () =>
      firedrill(options, 'run', 'scenarios'),
    );
    expect(exitCode, all).toBe(0);
    const run = readdirSync(reports).sort().at(-1) ?? '';
    const summary = JSON.parse(readFileSync(join(reports, run, 'summary.json'), 'utf8')) as Summary;
    expect(summary).toMatchObject({ verdict: 'pass', healed: true });
    expect(statSync(join(reports, run, 'report.html')).uid).toBe(1000);
  };

  test('of a container next to it passes, with the socket of the engine and its group', async () => {
    const drills = drillsFolder('socket');
    const engine = ['--volume', `${socket}:${socket}`, '--group-add', String(statSync(socket).gid)];
    const options = [...onNetwork, ...engine, '--volume', `${drills}:/drills`];
    const names = ['--name', 'web', '--containers', web, '--url', `http://${web}:8080/`, '--no-input'];
    const init = await firedrill(options, 'init', ...names);
    expect(init.exitCode, init.all).toBe(0);
    const doctor = await firedrill(options, 'doctor', '--target', 'target.yaml', 'scenarios');
    expect(doctor.exitCode, doctor.all).toBe(0);
    await expectPass(drills, options);
    const without = await firedrill(
      [...onNetwork, '--volume', `${socket}:${socket}`, '--volume', `${drills}:/drills`],
      'doctor',
      '--target',
      'target.yaml',
      'scenarios',
    );
    expect(without.all).toContain('permission denied');
  });

  test('of a host over SSH passes, with a mounted key', async () => {
    const drills = drillsFolder('ssh');
    const ssh = join(folder, 'dot-ssh');
    mkdirSync(ssh);
    const key = join(ssh, 'id_ed25519');
    await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key]);
    chmodSync(key, 0o644);
    const authorize = 'mkdir -p /root/.ssh && cat >/root/.ssh/authorized_keys';
    await execa('docker', ['exec', '--interactive', node, 'sh', '-c', authorize], {
      input: readFileSync(`${key}.pub`),
    });
    const hostKey = await must(['docker', 'exec', node, 'cat', '/etc/ssh/ssh_host_ed25519_key.pub']);
    writeFileSync(join(ssh, 'known_hosts'), `${node} ${hostKey}\n`);
    writeFileSync(join(ssh, 'config'), `Host ${node}\n  User root\n`);
    const mounts = ['--volume', `${drills}:/drills`, '--volume', `${ssh}:/home/firedrill/.ssh:ro`];
    const options = [...onNetwork, ...mounts];
    const names = ['--name', 'node', '--transport', 'ssh', '--host', `node=${node}`];
    const fault = ['--url', `http://${node}:8080/`, '--fault', 'process.kill', '--process', 'nginx'];
    const init = await firedrill(options, 'init', ...names, ...fault, '--no-input');
    expect(init.exitCode, init.all).toBe(0);
    const doctor = await firedrill(options, 'doctor', '--target', 'target.yaml', 'scenarios');
    expect(doctor.exitCode, doctor.all).toBe(0);
    expect(doctor.all).not.toContain('GSSAPI');
    await expectPass(drills, options);
  });
});
