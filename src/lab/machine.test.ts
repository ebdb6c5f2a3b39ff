import { describe, expect, it } from 'vitest';
import type { Finding } from '../core/finding.ts';
import {
  canInstallEngine,
  collidingRoutes,
  judgeMachine,
  type MachineFacts,
  parseMemAvailableMiB,
} from './machine.ts';
import { type LabManifest, parseManifest } from './manifest.ts';

const manifest: LabManifest = parseManifest(
  `version: 1
stack: pair
composeFile: compose.yaml
network: { subnet: 198.18.0.0/24, gateway: 198.18.0.1 }
needs: { memoryMiB: 6144, diskMiB: 8192 }
base: { tag: 'debian:trixie-slim', suite: trixie }
vmImages: [{ tag: 'vm:1', context: . }]
vms: [{ name: a, container: pair-a, address: 198.18.0.2 }]
`,
  'lab.yaml',
);

const fit: MachineFacts = {
  platform: 'linux',
  arch: 'x64',
  os: { id: 'debian', idLike: [], codename: 'bookworm', prettyName: 'Debian GNU/Linux 12' },
  root: true,
  dockerClient: '28.2.2',
  engine: {
    version: '28.2.2',
    rootDir: '/var/lib/docker',
    cgroupVersion: '2',
    securityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'],
    operatingSystem: 'Debian GNU/Linux 12',
  },
  engineError: undefined,
  composeVersion: '2.26.1',
  labRunning: false,
  memoryAvailableMiB: 16_000,
  diskAvailableMiB: 50_000,
  diskPath: '/var/lib/docker',
  cgroup: 'v2',
  overlay: true,
  netem: true,
  routes: 'default via 10.0.0.1 dev eth0\n172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1',
};

function finding(facts: Partial<MachineFacts>, name: string): Finding {
  const found = judgeMachine({ ...fit, ...facts }, manifest).find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no finding ${name}`);
  return found;
}

const noEngine = { engine: undefined, engineError: 'Cannot connect to the Docker daemon' };
const alpine = { id: 'alpine', idLike: [], codename: undefined, prettyName: 'Alpine' };

describe('judgeMachine', () => {
  it('refuses a machine without free memory and disk space, and omits a speed that was not measured', () => {
    const speed = {
      processStartMs: 0.6,
      coreWorkMs: 24,
      dilation: 3,
      cpus: 2,
      effectiveCpus: 2,
      busyShare: 0.95,
      pressureShare: 0.9,
    };
    expect(finding({ speed }, 'speed').status).toBe('fail');
    expect(finding({ speed, labRunning: true }, 'speed').status).toBe('ok');
    expect(judgeMachine(fit, manifest).map(({ name }) => name)).not.toContain('speed');
  });

  it('finds no failure on a suitable machine', () => {
    expect(judgeMachine(fit, manifest).map((f) => f.status)).not.toContain('fail');
    expect(judgeMachine(fit, manifest).map((f) => f.status)).not.toContain('warn');
  });

  it('has a hint for every finding that is not ok', () => {
    const worst = judgeMachine(
      {
        ...fit,
        ...noEngine,
        platform: 'darwin',
        root: false,
        composeVersion: undefined,
        memoryAvailableMiB: undefined,
        diskAvailableMiB: undefined,
        cgroup: 'none',
        overlay: false,
        netem: undefined,
        routes: undefined,
      },
      manifest,
    );
    const silent = worst.filter((f) => f.status !== 'ok' && (f.hint ?? '') === '');
    expect(silent).toEqual([]);
  });

  it('accepts a missing engine if it can install one', () => {
    expect(finding(noEngine, 'docker engine')).toMatchObject({ status: 'info' });
  });

  it('fails without an engine and without root, with both fixes in the hint', () => {
    const found = finding({ ...noEngine, root: false }, 'docker engine');
    expect(found.status).toBe('fail');
    expect(found.observed).toContain('Cannot connect');
    expect(found.hint).toMatch(/docker info.*As root on Debian/);
  });

  it('fails without an engine on a system with unknown packages', () => {
    expect(finding({ ...noEngine, os: alpine }, 'docker engine')).toMatchObject({ status: 'fail' });
    expect(finding({ composeVersion: undefined, os: alpine }, 'docker compose')).toMatchObject({
      status: 'fail',
    });
  });

  it.each(['1.29.2', undefined])('does not accept %s as Compose v2', (composeVersion) => {
    expect(finding({ composeVersion }, 'docker compose')).toMatchObject({ status: 'info' });
  });

  it.each(['2.26.1-4', 'v2.32.0', '5.0.1'])('accepts %s as Compose v2 or later', (composeVersion) => {
    expect(finding({ composeVersion }, 'docker compose')).toMatchObject({ status: 'ok' });
  });

  it.each([
    ['name=rootless', 'rootless'],
    ['name=userns', 'remapped user namespaces'],
  ])('refuses an engine with %s', (option, observed) => {
    const engine = { ...fit.engine!, securityOptions: [option] };
    expect(finding({ engine }, 'engine mode')).toMatchObject({ status: 'fail', observed });
  });

  it('measures memory and disk against the manifest', () => {
    expect(finding({ memoryAvailableMiB: 6143 }, 'memory')).toMatchObject({
      status: 'fail',
      observed: '6.0 GiB available',
    });
    expect(finding({ memoryAvailableMiB: 6144 }, 'memory').status).toBe('ok');
    expect(finding({ diskAvailableMiB: 8191 }, 'disk').status).toBe('fail');
    expect(finding({ diskAvailableMiB: 8192 }, 'disk').status).toBe('ok');
  });

  it('requires no free memory or disk space while the lab is running', () => {
    const small = { labRunning: true, memoryAvailableMiB: 100, diskAvailableMiB: 100 };
    expect(finding(small, 'memory').status).toBe('ok');
    expect(finding(small, 'disk').status).toBe('ok');
  });

  it('reports a kernel without netem only as information', () => {
    expect(finding({ netem: false }, 'sch_netem')).toMatchObject({
      status: 'info',
      observed: 'not in this kernel',
    });
  });

  it('fails if another network uses the lab’s addresses', () => {
    const found = finding({ routes: '198.18.0.0/16 dev tun0 scope link' }, 'lab network');
    expect(found).toMatchObject({ status: 'fail' });
    expect(found.observed).toContain('tun0');
  });
});

describe('canInstallEngine', () => {
  it('needs Linux, root, and apt', () => {
    expect(canInstallEngine(fit)).toBe(true);
    expect(canInstallEngine({ ...fit, root: false })).toBe(false);
    expect(canInstallEngine({ ...fit, os: alpine })).toBe(false);
    expect(canInstallEngine({ ...fit, os: { ...alpine, idLike: ['ubuntu'] } })).toBe(true);
  });
});

describe('collidingRoutes', () => {
  const collide = (routes: string): string[] => collidingRoutes(routes, '198.18.0.0/24', '198.18.0.1');

  it.each([
    '198.18.0.0/15 via 10.0.0.1 dev tun0',
    '198.18.0.0/24 dev br-1 proto kernel scope link src 198.18.0.254',
    '198.18.0.128/25 dev tun0',
    '198.18.0.9 dev tun0',
    'blackhole 198.18.0.0/16',
  ])('sees %s', (route) => {
    expect(collide(route)).toHaveLength(1);
  });

  it.each([
    'default via 10.0.0.1 dev eth0',
    '198.18.1.0/24 dev br-2 proto kernel scope link src 198.18.1.1',
    '198.19.0.0/16 dev tun0',
    '10.0.0.0/8 dev eth0',
    '198.18.0.0/24 dev br-own proto kernel scope link src 198.18.0.1',
    '',
  ])('is not bothered by %j', (route) => {
    expect(collide(route)).toEqual([]);
  });
});

describe('parseMemAvailableMiB', () => {
  it('converts kB to MiB, and is undefined without the line', () => {
    expect(parseMemAvailableMiB('MemTotal: 1 kB\nMemAvailable:    2048000 kB\n')).toBe(2000);
    expect(parseMemAvailableMiB('MemTotal: 1 kB\n')).toBeUndefined();
    expect(parseMemAvailableMiB(undefined)).toBeUndefined();
  });
});
