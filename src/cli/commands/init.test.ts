import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Ajv } from 'ajv';
import { faultKinds } from '../../faults/catalog.ts';
import { faultTemplates, transports } from '../../init/stack.ts';
import { loadAllPlans, loadWatchPlan, readInput } from '../inputs.ts';
import type { InitOptions } from '../init-questions.ts';
import { initCommand } from './init.ts';
import { schemaText } from './schema.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'init-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const hosts = ['node-1=10.0.0.1', 'node-2=10.0.0.2'];
const details = { unit: 'nginx.service', container: 'web', process: 'nginx' };
const silent = { data: () => {}, progress: () => {} };
const url = 'https://staging.example.com/health';

function init(
  options: Partial<InitOptions> & { force?: boolean },
  ask?: (question: string) => Promise<string>,
) {
  return initCommand(folder, { force: false, host: hosts, url, ...options }, ask, silent);
}

const compile = (kind: 'target' | 'scenario') =>
  new Ajv({ strict: false }).compile(JSON.parse(schemaText(kind)) as object);
const validators = { target: compile('target'), scenario: compile('scenario') };

/** Every transport and fault that go together, with and without a virtual address, with one host and with two. */
const combinations = transports.flatMap((transport) =>
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
      const asked = Object.fromEntries(template.asks.map((detail) => [detail, details[detail]]));
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

  test('only kinds that there are', () => {
    const known = faultKinds.map(({ kind }) => kind);
    expect(faultTemplates.map(({ kind }) => kind).filter((kind) => !known.includes(kind))).toEqual([]);
  });

  test('texts that YAML would read as something else stay texts', async () => {
    await init({ name: 'on', host: ['no=10.0.0.1', 'y2=10.0.0.2'], unit: "it's.service" });
    expect(loadWatchPlan(join(folder, 'target.yaml')).target.name).toBe('on');
    expect(loadAllPlans([join(folder, 'scenarios')], {})[0]?.faults[0]?.params).toEqual({
      units: ["it's.service"],
    });
  });
});

describe('init', () => {
  test('writes over nothing, unless it is forced', async () => {
    writeFileSync(join(folder, 'target.yaml'), 'mine');
    await expect(init({ unit: 'x.service' })).rejects.toMatchObject({
      code: 'refused',
      message: `${join(folder, 'target.yaml')}: there already`,
    });
    expect(readFileSync(join(folder, 'target.yaml'), 'utf8')).toBe('mine');
    expect(existsSync(join(folder, 'scenarios'))).toBe(false);
    await init({ unit: 'x.service', force: true });
    expect(readFileSync(join(folder, 'target.yaml'), 'utf8')).toContain('x.service');
    // What it would write is no obstacle.
    await init({ unit: 'x.service' });
  });

  test('says everything that is missing where nobody can be asked', async () => {
    await expect(initCommand(folder, { force: false, host: [] }, undefined, silent)).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(/--host: .*\n {2}--url: .*\n {2}--unit: /) as string,
    });
  });

  test('asks for what is left open, again where an answer will not do', async () => {
    const answers = ['', 'docker', 'node-1', 'node-1=10.0.0.1', '', 'container.pause', 'web'];
    const asked: string[] = [];
    await initCommand(
      folder,
      { force: false, host: [], url, name: 'pair' },
      async (question) => {
        asked.push(question);
        return answers[asked.length] ?? 'nobody asked for so much';
      },
      silent,
    );
    expect(asked.map((question) => question.replaceAll(/\(.*?\)/g, '()'))).toEqual([
      'how commands reach its hosts () [ssh]: ',
      'its hosts, as name=address, with blanks between; names are those of containers: ',
      '  expected name=address, found "node-1"\nits hosts, as name=address, with blanks between; names are those of containers: ',
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
    [{ name: 'a b' }, '--name a b: expected letters, digits, dots, dashes'],
    [{ host: ['a=1', 'a=2'] }, '--host a=1 a=2: two hosts are called "a"'],
    [{ url: 'staging' }, '--url staging: expected an http:// or https:// URL'],
    [{ vip: '10.0.0.300' }, '--vip 10.0.0.300: expected an IP address'],
    [{ unit: 'nginx' }, '--unit nginx: expected a unit with its suffix, such as nginx.service'],
    [{ fault: 'power.cut' }, '--fault power.cut: needs transport docker'],
    [
      { fault: 'network.partition', host: ['a=10.0.0.1', 'b=node-b'] },
      '--fault network.partition: needs hosts by IP address: its rules take no names',
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
      '--unit x.service: a fault of kind container.stop takes none',
    ],
    [
      { fault: 'network.partition', host: ['a=one', 'b=two words'] },
      '--host a=one b=two words: expected name=address, found "words"',
    ],
  ])('refuses %j', async (options, message) => {
    await expect(init(options)).rejects.toMatchObject({ code: 'invalid-input', message });
  });
});
