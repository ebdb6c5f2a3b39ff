import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Ajv } from 'ajv';
import { faultKinds } from '../../faults/catalog.ts';
import { detailsOf, faultTemplates, transports } from '../../init/stack.ts';
import type { KnownContainer } from '../../init/container-names.ts';
import type { LocalEngine } from '../docker-containers.ts';
import { loadAllPlans, loadWatchPlan, readInput } from '../inputs.ts';
import type { InitOptions } from '../init-questions.ts';
import { initCommand } from './init.ts';
import { schemaText } from './schema.ts';
import { temporaryFolder } from '../../../test/temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const hosts = ['node-1=10.0.0.1', 'node-2=10.0.0.2'];
const details = { unit: 'nginx.service', container: 'web', process: 'nginx' };
const silent = { data: () => {}, text: () => {}, progress: () => {} };

const pair: readonly KnownContainer[] = [
  { name: 'shop-web-1', state: 'running', project: 'shop', service: 'web-1' },
  { name: 'shop-web-2', state: 'running', project: 'shop', service: 'web-2' },
  { name: 'shop-queue-1', state: 'exited', project: 'shop', service: 'queue' },
];
const engineOf = (containers: readonly KnownContainer[] | string = pair): LocalEngine => ({
  containers: async () => containers,
  mainProcess: async (name) => (name === 'shop-web-1' ? 'nginx' : undefined),
});
/** No test may ask the engine of the machine it runs on. */
const engine = engineOf();
const url = 'https://staging.example.com/health';

function init(
  options: Partial<InitOptions> & { force?: boolean },
  ask?: (question: string) => Promise<string>,
) {
  const host = options.transport === 'containers' || options.containers !== undefined ? [] : hosts;
  return initCommand(folder, { force: false, host, containers: [], url, ...options }, ask, silent, engine);
}

const compile = (kind: 'target' | 'scenario') =>
  new Ajv({ strict: false }).compile(JSON.parse(schemaText(kind)) as object);
const validators = { target: compile('target'), scenario: compile('scenario') };

/** Every transport of machines and each fault that fits it, with and without a virtual address, with one host and with two. */
const combinations = transports
  .filter((transport) => transport !== 'containers')
  .flatMap((transport) =>
    faultTemplates
      .filter((template) => template.transports?.includes(transport) ?? true)
      .flatMap((template) =>
        [undefined, '10.0.0.100'].flatMap((vip) =>
          [1, 2]
            .filter((count) => count >= (template.hosts ?? 1))
            .map((count) => ({ transport, fault: template.kind, vip, count, template })),
        ),
      ),
  );

describe('the files that init writes', () => {
  test.each(combinations)(
    '$fault over $transport, vip $vip, $count hosts: are valid and can be planned',
    async ({ transport, fault, vip, count, template }) => {
      const { required } = detailsOf(template, transport);
      const asked = Object.fromEntries(required.map((detail) => [detail, details[detail]]));
      await init({
        transport,
        fault,
        host: hosts.slice(0, count),
        ...(vip === undefined ? {} : { vip }),
        ...asked,
      });
      const target = join(folder, 'target.yaml');
      expect(loadWatchPlan(target).hosts.map(({ transport }) => transport.kind)).toEqual(
        Array.from({ length: count }, () => transport),
      );
      const scenario = join(folder, 'scenarios', `${fault.replace('.', '-')}.yaml`);
      const [plan] = loadAllPlans([join(folder, 'scenarios')], {});
      expect(plan?.faults.map(({ kind }) => kind)).toEqual([fault]);
      for (const [path, kind] of [
        [target, 'target'],
        [scenario, 'scenario'],
      ] as const) {
        const [stamp = ''] = readFileSync(path, 'utf8').split('\n');
        const schema = join(path, '..', stamp.replace('# yaml-language-server: $schema=', ''));
        expect(readFileSync(schema, 'utf8')).toBe(schemaText(kind));
        validators[kind](readInput(path).source.value);
        expect(validators[kind].errors ?? [], path).toEqual([]);
      }
    },
  );

  test('offer only existing kinds of faults', () => {
    const known = faultKinds.map(({ kind }) => kind);
    expect(faultTemplates.map(({ kind }) => kind).filter((kind) => !known.includes(kind))).toEqual([]);
  });

  test('quote texts that YAML would read as another type', async () => {
    await init({ name: 'on', host: ['no=10.0.0.1', 'y2=10.0.0.2'], unit: "it's.service" });
    expect(loadWatchPlan(join(folder, 'target.yaml')).target.name).toBe('on');
    expect(loadAllPlans([join(folder, 'scenarios')], {})[0]?.faults[0]?.params).toEqual({
      units: ["it's.service"],
    });
  });
});

describe('init', () => {
  test('overwrites no file without --force', async () => {
    writeFileSync(join(folder, 'target.yaml'), 'mine');
    await expect(init({ unit: 'x.service' })).rejects.toMatchObject({
      code: 'refused',
      message: `cannot write ${join(folder, 'target.yaml')}: the file exists`,
    });
    expect(readFileSync(join(folder, 'target.yaml'), 'utf8')).toBe('mine');
    expect(existsSync(join(folder, 'scenarios'))).toBe(false);
    await init({ unit: 'x.service', force: true });
    expect(readFileSync(join(folder, 'target.yaml'), 'utf8')).toContain('x.service');
    // A file with the same content is left as it is.
    await init({ unit: 'x.service' });
  });

  test('names all missing values without a terminal', async () => {
    const nothing = { force: false, host: [], containers: [] };
    await expect(initCommand(folder, nothing, undefined, silent, engine)).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(/--host: .*\n {2}--url: .*\n {2}--unit: /) as string,
    });
  });

  test('asks for missing values, and again after an invalid answer', async () => {
    const answers = ['', 'local', 'node-1', 'node-1=10.0.0.1', '', 'container.pause', 'web'];
    const asked: string[] = [];
    await initCommand(
      folder,
      { force: false, host: [], containers: [], url, name: 'pair' },
      async (question) => {
        asked.push(question);
        return answers[asked.length] ?? 'more questions than answers';
      },
      silent,
      engine,
    );
    expect(asked.map((question) => question.replaceAll(/\(.*\)/g, '()'))).toEqual([
      'where the stack runs: ssh () [ssh]: ',
      'hosts, as name=address, separated by blanks: ',
      '  expected name=address, found "node-1"\nhosts, as name=address, separated by blanks: ',
      'virtual address that one host holds at a time (): ',
      'first fault () [service.stop]: ',
      'container of container.pause: ',
    ]);
    expect(loadAllPlans([join(folder, 'scenarios')], {})[0]?.faults[0]).toMatchObject({
      kind: 'container.pause',
      params: { container: 'web' },
    });
  });

  test.each([
    [
      { name: 'a b' },
      '--name a b: expected a name of letters, digits, dots, dashes, and underscores, with a letter or digit first',
    ],
    [{ host: ['a=1', 'a=2'] }, '--host a=1 a=2: two hosts are named "a"'],
    [{ url: 'staging' }, '--url staging: expected http://, https://, postgresql://, or tcp://'],
    [{ vip: '10.0.0.300' }, '--vip 10.0.0.300: expected an IP address'],
    [{ unit: 'nginx' }, '--unit nginx: expected a unit with its suffix, such as nginx.service'],
    [{ fault: 'power.cut' }, '--fault power.cut: needs transport docker'],
    [
      { fault: 'network.partition', host: ['a=10.0.0.1', 'b=node-b'] },
      '--fault network.partition: needs hosts by IP address; host names do not work in its rules',
    ],
    [
      { fault: 'network.partition', transport: 'local', host: ['a=10.0.0.1', 'b=10.0.0.2'] },
      '--fault network.partition: needs transport ssh or docker',
    ],
    [{ fault: 'network.partition', host: ['a=10.0.0.1'] }, '--fault network.partition: needs 2 hosts'],
    [
      { fault: 'container.stop', container: '-x' },
      '--container -x: expected a name without blanks and without a leading dash',
    ],
    [
      { fault: 'container.stop', container: 'web', unit: 'x.service' },
      '--unit x.service: a fault of kind container.stop has no unit',
    ],
    [{ fault: 'container.kil' }, '--fault container.kil: did you mean "container.kill"?'],
    [{ transport: 'contaners' }, '--transport contaners: did you mean "containers"?'],
    [
      { transport: 'docker', fault: 'container.pause' },
      '--fault container.pause: needs transport ssh, containers, or local',
    ],
    [
      { transport: 'docker', fault: 'process.kill', process: 'nginx', container: 'web' },
      '--container web: not valid with transport docker, where each host is a container itself',
    ],
    [{ passwordEnv: 'DB_PASSWORD' }, '--password-env DB_PASSWORD: needs a postgresql:// URL'],
    [
      { url: 'postgresql://app@db1,db2/app' },
      expect.stringContaining('--url postgresql://app@db1,db2/app: ') as string,
    ],
    [{ url: 'tcp://db1' }, '--url tcp://db1: expected host:port, such as 192.0.2.1:443 or [2001:db8::1]:443'],
    [
      { fault: 'network.partition', host: ['a=one', 'b=two words'] },
      '--host a=one b=two words: expected name=address, found "words"',
    ],
  ])('refuses %j', async (options, message) => {
    await expect(init(options)).rejects.toMatchObject({ code: 'invalid-input', message });
  });
});

/** The faults of the template for containers. */
const containerFaults = faultTemplates.filter(({ transports: fits }) => fits?.includes('containers') ?? true);

describe('the template for plain containers', () => {
  test('has the faults that make sense for a container on this machine', () => {
    expect(containerFaults.map(({ kind }) => kind)).toEqual([
      'process.kill',
      'container.stop',
      'container.kill',
      'container.restart',
      'container.pause',
    ]);
  });

  test.each(containerFaults.flatMap(({ kind }) => [1, 2].map((count) => [kind, count] as const)))(
    '%s on the first of %i: the files are valid and can be planned, and name the container',
    async (fault, count) => {
      await init({ containers: [['shop-web-1', 'shop-web-2'].slice(0, count).join(',')], fault });
      const target = join(folder, 'target.yaml');
      const plan = loadWatchPlan(target);
      expect(plan.hosts.map(({ name, transport }) => [name, transport.kind])).toEqual(
        ['shop-web-1', 'shop-web-2'].slice(0, count).map((name) => [name, 'local']),
      );
      expect(plan.probes.filter(({ kind }) => kind === 'container').map(({ params }) => params)).toEqual(
        plan.hosts.map(({ name }) => ({ name })),
      );
      const [drill] = loadAllPlans([join(folder, 'scenarios')], {});
      expect(drill?.faults).toMatchObject([
        { kind: fault, on: { host: 'shop-web-1' }, params: { container: '${host}' } },
      ]);
      for (const [path, kind] of [
        [target, 'target'],
        [join(folder, 'scenarios', `${fault.replace('.', '-')}.yaml`), 'scenario'],
      ] as const) {
        validators[kind](readInput(path).source.value);
        expect(validators[kind].errors ?? [], path).toEqual([]);
      }
    },
  );

  test('kills the main process that the engine reports, unless --process names another one', async () => {
    const faultOf = () => loadAllPlans([join(folder, 'scenarios')], {})[0]?.faults[0]?.params;
    await init({ containers: ['web-1,web-2'], fault: 'process.kill' });
    expect(faultOf()).toMatchObject({ process: 'nginx', container: '${host}' });
    await init({ containers: ['web-1,web-2'], fault: 'process.kill', process: 'worker', force: true });
    expect(faultOf()).toMatchObject({ process: 'worker' });
    // The engine reports no process of a container that is stopped.
    await expect(init({ containers: ['queue'], force: true })).rejects.toMatchObject({
      message: 'init needs\n  --process: process of process.kill',
    });
  });

  test('has a target that does not depend on the fault, so that a second scenario needs no --force', async () => {
    await init({ containers: ['web-1,web-2'] });
    await init({ containers: ['web-1,web-2'], fault: 'container.pause' });
    expect(loadAllPlans([join(folder, 'scenarios')], {}).map(({ scenario }) => scenario.name)).toEqual([
      'container-kill',
      'container-pause',
    ]);
  });

  test.each([
    [
      { containers: ['shop-web1'] },
      '--containers shop-web1: no container or Compose service is named "shop-web1"; did you mean "shop-web-1"?',
    ],
    [
      { containers: ['quue'] },
      '--containers quue: no container or Compose service is named "quue"; did you mean "queue"?',
    ],
    [
      { containers: ['database'] },
      '--containers database: no container or Compose service is named "database"; known: shop-web-1, shop-web-2, shop-queue-1',
    ],
    [
      { containers: ['web-1', 'shop-web-1'] },
      '--containers web-1 shop-web-1: container "shop-web-1" is named twice',
    ],
    [{ containers: ['web-1'], transport: 'docker' }, '--containers web-1: not valid with --transport docker'],
    [
      { transport: 'containers', host: ['a=10.0.0.1'] },
      '--host a=10.0.0.1: not valid with --transport containers',
    ],
    [
      { containers: ['web-1'], container: 'web-2' },
      '--container web-2: not valid with transport containers, which acts on the first of --containers',
    ],
    [{ container: 'web-1,web-2', host: [] }, '--container web-1,web-2: no host is named'],
    [{ containers: ['web-1'], vip: '10.0.0.9' }, '--vip 10.0.0.9: needs transport ssh, docker, or local'],
    [{ containers: ['web-1'], fault: 'power.cut' }, '--fault power.cut: needs transport docker'],
    [
      { containers: ['web-1'], fault: 'service.stop' },
      '--fault service.stop: needs transport ssh, docker, or local',
    ],
  ])('refuses %j', async (options, message) => {
    await expect(init(options)).rejects.toMatchObject({ code: 'invalid-input', message });
    expect(existsSync(join(folder, 'target.yaml'))).toBe(false);
  });

  test('takes names as they are, and warns, if the engine gives no answer', async () => {
    const warnings: string[] = [];
    await initCommand(
      folder,
      { force: false, host: [], containers: ['one,two'], url },
      undefined,
      { data: () => {}, text: () => {}, progress: (text) => warnings.push(text) },
      engineOf('Cannot connect to the Docker daemon'),
    );
    expect(warnings[0]).toBe(
      'warning: container names are not checked: docker ps: Cannot connect to the Docker daemon',
    );
    expect(loadWatchPlan(join(folder, 'target.yaml')).hosts.map(({ name }) => name)).toEqual(['one', 'two']);
  });

  test('asks for containers by the names of those that run', async () => {
    const asked: string[] = [];
    const answers = ['containers', 'web1', 'web-1 web-2', ''];
    await initCommand(
      folder,
      { force: false, host: [], containers: [], url, name: 'pair' },
      async (question) => {
        asked.push(question);
        return answers[asked.length - 1] ?? 'more questions than answers';
      },
      silent,
      engine,
    );
    const words = 'containers or Compose services, separated by commas (running: shop-web-1, shop-web-2): ';
    expect(asked.slice(1)).toEqual([
      words,
      `  no container or Compose service is named "web1"; did you mean "web-1"?\n${words}`,
      'first fault (process.kill, container.stop, container.kill, container.restart, container.pause) [container.kill]: ',
    ]);
  });
});

describe('the URL that clients use', () => {
  test.each([
    ['http://127.0.0.1:8080/', undefined, { kind: 'http', params: { url: 'http://127.0.0.1:8080/' } }],
    [
      'postgresql://app@127.0.0.1:5432/app',
      'DB_PASSWORD',
      {
        kind: 'sql',
        params: { dsn: 'postgresql://app@127.0.0.1:5432/app', password: { env: 'DB_PASSWORD' } },
      },
    ],
    ['postgres://app@db/app', undefined, { kind: 'sql', params: { dsn: 'postgres://app@db/app' } }],
    ['tcp://127.0.0.1:6379', undefined, { kind: 'tcp', params: { address: '127.0.0.1:6379' } }],
  ])('%s selects the probe', async (address, passwordEnv, probe) => {
    await init({ unit: 'x.service', url: address, ...(passwordEnv === undefined ? {} : { passwordEnv }) });
    const { probes } = loadWatchPlan(join(folder, 'target.yaml'));
    expect(probes.find(({ id }) => id === 'service')).toMatchObject(probe);
  });
});
