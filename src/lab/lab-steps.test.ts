import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { mainSite } from './apt.ts';
import { ensureBaseImage } from './base-image.ts';
import { buildInnerImages, buildVmImages } from './build-images.ts';
import type { CommandResult } from './command.ts';
import { ensureCompose } from './compose-plugin.ts';
import { loadedIds, saveInnerImages } from './image-archive.ts';
import type { LabContext, LabEvent } from './lab-context.ts';
import { sshArgv } from './lab-shell.ts';
import { type Lab, parseManifest } from './manifest.ts';
import { fillTemplates } from './lab-state.ts';
import { startServices, waitForBoot } from './virtual-machines.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

type Answer = Partial<CommandResult> | ((argv: readonly string[]) => Partial<CommandResult>);

/** A simulated machine: answers with the first rule whose words all occur, and records the commands. */
function machine(rules: readonly (readonly [string, Answer])[]): { context: LabContext; ran: string[] } {
  const ran: string[] = [];
  const context: LabContext = {
    signal: new AbortController().signal,
    report: () => undefined,
    run: (argv) => {
      const line = argv.join(' ');
      ran.push(line);
      const answer =
        rules.find(([words]) => words.split(' … ').every((part) => line.includes(part)))?.[1] ?? {};
      return Promise.resolve({
        exitCode: 0,
        stdout: '',
        stderr: '',
        timedOut: false,
        startError: undefined,
        ...(typeof answer === 'function' ? answer(argv) : answer),
      });
    },
  };
  return { context, ran };
}

const debian = { id: 'debian', idLike: [], codename: 'bookworm', prettyName: 'Debian 12' };
const fails = { exitCode: 1, stderr: 'no such thing' };
let folder: string;
let lab: Lab;

beforeEach(async () => {
  folder = temporaryFolder();
  await mkdir(join(folder, 'stack/images/one'), { recursive: true });
  await writeFile(join(folder, 'stack/images/one/file'), 'content');
  lab = {
    manifest: parseManifest(
      `version: 1
stack: pair
composeFile: compose.yaml
network: { subnet: 198.18.9.0/24, gateway: 198.18.9.1 }
needs: { memoryMiB: 512, diskMiB: 1024 }
base: { tag: 'debian:trixie-slim', suite: trixie }
vmImages: [{ tag: 'vm:1', context: . }]
innerImages:
  context: images
  targets:
    one: { tag: 'pair-one:1', inputs: [one] }
    two: { tag: 'pair-two:1', inputs: [one] }
vms: [{ name: a, container: pair-a, address: 198.18.9.2 }]
`,
      'lab.yaml',
    ),
    stackDir: join(folder, 'stack'),
    stateDir: join(folder, 'state'),
  };
});

describe('ensureCompose', () => {
  it('installs nothing if Compose v2 answers', async () => {
    const { context, ran } = machine([['compose version', { stdout: '2.26.1' }]]);
    await ensureCompose(context, debian, true);
    expect(ran).toEqual(['docker compose version --short']);
  });

  it('installs the package of the own release if it is v2', async () => {
    let installed = false;
    const { context, ran } = machine([
      ['compose version', () => (installed ? { stdout: '2.24.6' } : fails)],
      ['policy docker-compose-v2', { stdout: 'docker-compose-v2:\n  Candidate: 2.24.6' }],
      ['policy docker-buildx', { stdout: 'docker-buildx:\n  Candidate: (none)' }],
      ['apt-get install', () => ((installed = true), {})],
    ]);
    await ensureCompose(context, { ...debian, id: 'ubuntu' }, true);
    expect(ran.find((line) => line.startsWith('apt-get install'))).toMatch(/ docker-compose-v2$/);
  });

  it('never installs the v1 of an older release', async () => {
    const { context, ran } = machine([
      ['compose version', fails],
      ['policy docker-compose-v2', { stdout: '  Candidate: (none)' }],
      ['policy docker-compose', { stdout: 'docker-compose:\n  Candidate: 1.29.2-3' }],
      ['policy', { stdout: '  Candidate: (none)' }],
    ]);
    await expect(ensureCompose(context, { ...debian, id: 'ubuntu' }, true)).rejects.toMatchObject({
      code: 'lab',
    });
    expect(ran.filter((line) => line.startsWith('apt-get install'))).toEqual([]);
  });

  it('has a hint for a system with unknown packages', async () => {
    const { context } = machine([['compose version', fails]]);
    await expect(ensureCompose(context, { ...debian, id: 'alpine' }, true)).rejects.toMatchObject({
      hint: expect.stringContaining('Compose v2 plugin') as string,
    });
  });
});

describe('ensureBaseImage', () => {
  const base = { tag: 'debian:trixie-slim', suite: 'trixie' };

  it('keeps an existing image', async () => {
    const { context, ran } = machine([]);
    await ensureBaseImage(context, base, { os: debian, root: true });
    expect(ran).toEqual(['docker image inspect debian:trixie-slim']);
  });

  it('pulls it if a registry answers', async () => {
    const { context, ran } = machine([['image inspect', fails]]);
    expect(await ensureBaseImage(context, base, { os: debian, root: true })).toBe(
      'pulled debian:trixie-slim',
    );
    expect(ran.some((line) => line.startsWith('mmdebstrap'))).toBe(false);
  });

  it('builds it from packages of the configured archive otherwise', async () => {
    const { context, ran } = machine([
      ['image inspect', fails],
      ['docker pull', fails],
      ['indextargets', { stdout: 'http://archive.test/debian bookworm' }],
    ]);
    await ensureBaseImage(context, base, { os: debian, root: true });
    expect(ran.find((line) => line.startsWith('mmdebstrap --variant'))).toContain(
      'http://archive.test/debian',
    );
    expect(ran.at(-1)).toMatch(/^docker import .* debian:trixie-slim$/);
  });

  it('has a hint if it can do neither', async () => {
    const { context } = machine([
      ['image inspect', fails],
      ['docker pull', { exitCode: 1, stderr: 'no such host' }],
    ]);
    await expect(ensureBaseImage(context, base, { os: debian, root: false })).rejects.toMatchObject({
      code: 'lab',
      message: expect.stringContaining('no such host') as string,
      hint: expect.stringContaining('registry') as string,
    });
  });
});

describe('mainSite', () => {
  it('selects the release, not its security and update archives', () => {
    expect(
      mainSite(
        'http://a/security bookworm-security\nhttp://b/debian bookworm-updates\nhttp://c/debian bookworm',
      ),
    ).toBe('http://c/debian');
    expect(mainSite('')).toBeUndefined();
  });
});

describe('buildVmImages', () => {
  it('builds them in order, and again if a base image has changed', async () => {
    await mkdir(join(folder, 'stack/vm'));
    await writeFile(join(folder, 'stack/vm/Dockerfile'), 'FROM vm:1');
    const pair = {
      ...lab,
      manifest: {
        ...lab.manifest,
        vmImages: [
          { tag: 'vm:1', context: 'images/one', dockerfile: 'file', inputs: ['.'] },
          { tag: 'vm-more:1', context: 'vm', dockerfile: 'Dockerfile', inputs: ['.'] },
        ],
      },
    };
    const first = machine([['image inspect', fails]]);
    expect(await buildVmImages(first.context, pair)).toBe('built vm:1; built vm-more:1');
    const builds = first.ran.filter((line) => line.startsWith('docker build --file'));
    expect(builds.map((line) => /--tag (\S+)/.exec(line)?.[1])).toEqual(['vm:1', 'vm-more:1']);

    const labels = new Map(
      builds.map((line) => [
        /--tag (\S+)/.exec(line)?.[1] ?? '',
        /--label firedrill\.context=(\w+)/.exec(line)?.[1] ?? '',
      ]),
    );
    const built: readonly (readonly [string, Answer])[] = [
      ['image inspect', (argv) => ({ stdout: labels.get(argv.at(-1) ?? '') ?? '' })],
    ];
    expect(await buildVmImages(machine(built).context, pair)).toBe('vm:1: unchanged; vm-more:1: unchanged');
    await writeFile(join(folder, 'stack/images/one/file'), 'other content');
    expect(await buildVmImages(machine(built).context, pair)).toBe('built vm:1; built vm-more:1');
  });
});

describe('buildInnerImages', () => {
  it('builds images without the label of the present content, and none a second time', async () => {
    const labels = new Map<string, string>();
    const rules = [
      ['image inspect', (argv: readonly string[]) => ({ stdout: labels.get(argv.at(-1) ?? '') ?? '' })],
      [
        'docker build --file',
        (argv: readonly string[]) => {
          labels.set(
            argv[argv.indexOf('--tag') + 1] ?? '',
            (argv[argv.indexOf('--label') + 1] ?? '').split('=')[1] ?? '',
          );
          return {};
        },
      ],
    ] as const;
    const first = machine(rules);
    expect(await buildInnerImages(first.context, lab)).toBe('built pair-one:1, pair-two:1');
    expect(first.ran.filter((line) => line.startsWith('docker build '))).toHaveLength(2);
    const second = machine(rules);
    expect(await buildInnerImages(second.context, lab)).toContain('unchanged');
    expect(second.ran.filter((line) => line.startsWith('docker build '))).toHaveLength(0);
    await writeFile(join(lab.stackDir, 'images/one/file'), 'other');
    expect(await buildInnerImages(machine(rules).context, lab)).toBe('built pair-one:1, pair-two:1');
  });

  it('counts existing and built images, and reports the output of the build', async () => {
    const reported: LabEvent[] = [];
    const { context } = machine([
      ['image inspect', fails],
      ['buildx', fails],
    ]);
    const run: LabContext['run'] = (argv, options) => {
      options.onLine?.(`#1 ${argv[1]}`);
      return context.run(argv, options);
    };
    await buildInnerImages({ ...context, run, report: (event) => reported.push(event) }, lab);
    expect(reported).toEqual([
      { step: 'inner images', state: 'count', done: 0, of: 2 },
      { step: 'inner images', state: 'output', text: '#1 build' },
      { step: 'inner images', state: 'count', done: 1, of: 2 },
      { step: 'inner images', state: 'output', text: '#1 build' },
      { step: 'inner images', state: 'count', done: 2, of: 2 },
    ]);
  });

  it('fails with the output of the build', async () => {
    const { context } = machine([
      ['docker build --file', { exitCode: 1, stderr: 'E: Unable to locate package' }],
    ]);
    await expect(buildInnerImages(context, lab)).rejects.toMatchObject({
      code: 'lab',
      message: expect.stringContaining('Unable to locate package') as string,
    });
  });
});

describe('saveInnerImages', () => {
  const config = 'a'.repeat(64);
  const list = JSON.stringify([{ Config: `${config}.json`, RepoTags: ['pair-one:1'], Layers: [] }]);

  async function save(ids: string): Promise<string[]> {
    const { context, ran } = machine([
      ['image inspect', { stdout: ids }],
      ['tar -xOf', { stdout: list }],
    ]);
    const run: LabContext['run'] = async (argv, options) => {
      if (argv[1] === 'save') await writeFile(argv[3] ?? '', 'archive');
      return context.run(argv, options);
    };
    await saveInnerImages({ ...context, run }, lab);
    return ran;
  }

  it('saves once, and again only if an image has another id', async () => {
    expect((await save('sha256:1\nsha256:2')).some((line) => line.startsWith('docker save'))).toBe(true);
    expect(await readFile(join(lab.stateDir, 'vm/images.txt'), 'utf8')).toBe(`pair-one:1 sha256:${config}\n`);
    expect((await save('sha256:1\nsha256:2')).some((line) => line.startsWith('docker save'))).toBe(false);
    expect((await save('sha256:1\nsha256:3')).some((line) => line.startsWith('docker save'))).toBe(true);
  });

  it('reads the ids of both layouts of an archive', () => {
    const oci = JSON.stringify([{ Config: `blobs/sha256/${config}`, RepoTags: ['x:1', 'y:1'], Layers: [] }]);
    expect(loadedIds(oci)).toEqual([`x:1 sha256:${config}`, `y:1 sha256:${config}`]);
    expect(loadedIds(list)).toEqual([`pair-one:1 sha256:${config}`]);
  });
});

describe('startServices', () => {
  const services = [
    { name: 'cloud', container: 'pair-cloud', provision: ['/node', 'ready.ts'] },
    { name: 'clock', container: 'pair-clock' },
  ];

  it('starts only the services, then runs their provision commands', async () => {
    const { context, ran } = machine([['docker exec', { stdout: 'waiting\nthe cloud has a ACTIVE\n' }]]);
    let node: string | undefined;
    const run: LabContext['run'] = (argv, options) => {
      node ??= options.env?.['FIREDRILL_NODE'];
      return context.run(argv, options);
    };
    await startServices({ ...context, run }, { ...lab, manifest: { ...lab.manifest, services } }, false);
    expect(ran).toEqual([
      expect.stringMatching(/^docker compose .* up --detach cloud clock$/),
      'docker exec pair-cloud /node ready.ts',
    ]);
    expect(node).toMatch(/^\/.*node$/);
  });

  it('replaces services that run with a deleted state', async () => {
    const { context, ran } = machine([]);
    await startServices(context, { ...lab, manifest: { ...lab.manifest, services } }, true);
    expect(ran[0]).toMatch(/ up --detach --force-recreate cloud clock$/);
  });

  it('fails with the output of a service', async () => {
    const { context } = machine([['docker exec', { exitCode: 1, stderr: 'still busy: a' }]]);
    const failing = startServices(context, { ...lab, manifest: { ...lab.manifest, services } }, false);
    await expect(failing).rejects.toMatchObject({
      code: 'lab',
      message: expect.stringMatching(/^cannot provision cloud: [^]*still busy: a/) as string,
    });
  });
});

describe('fillTemplates', () => {
  const templates = [{ source: 'clouds.template.yaml', file: 'clouds.yaml' }];

  it('fills in secrets, readable only for the owner', async () => {
    const filled = { ...lab, manifest: { ...lab.manifest, templates } };
    await mkdir(lab.stateDir);
    await writeFile(join(lab.stackDir, 'clouds.template.yaml'), 'password: ${PAIR_PASSWORD} # $HOME\n');
    await fillTemplates(filled, new Map([['PAIR_PASSWORD', 'a$&b']]));
    const path = join(lab.stateDir, 'clouds.yaml');
    expect(await readFile(path, 'utf8')).toBe('password: a$&b # $HOME\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(fillTemplates(filled, new Map())).rejects.toThrow(
      'clouds.template.yaml: there is no secret PAIR_PASSWORD',
    );
  });
});

describe('waitForBoot', () => {
  const vm = { name: 'a', container: 'pair-a', address: '198.18.9.2', innerImages: false };

  it('repeats the query until systemd has booted', async () => {
    const states = ['', 'starting', 'running'];
    const { context, ran } = machine([
      ['is-system-running', () => ({ exitCode: states.length > 1 ? 1 : 0, stdout: states.shift() ?? '' })],
    ]);
    await waitForBoot(context, vm);
    expect(ran).toHaveLength(3);
  });

  it('accepts a VM with failed units, and reports them', async () => {
    const reported: string[] = [];
    const { context } = machine([
      ['is-system-running', { exitCode: 1, stdout: 'degraded' }],
      ['--failed', { stdout: 'job.service loaded failed failed A job' }],
    ]);
    await waitForBoot({ ...context, report: (event) => 'text' in event && reported.push(event.text) }, vm);
    expect(reported).toEqual(['a runs with failed units: job.service']);
  });
});

describe('sshArgv', () => {
  it('accepts only the host key that the lab created', () => {
    const argv = sshArgv(lab, 'a', ['uptime', '-p']);
    expect(argv).toContain('StrictHostKeyChecking=yes');
    expect(argv).toContain(`UserKnownHostsFile=${lab.stateDir}/ssh/known_hosts`);
    expect(argv.slice(-4)).toEqual(['root@198.18.9.2', '--', 'uptime', '-p']);
  });
});
