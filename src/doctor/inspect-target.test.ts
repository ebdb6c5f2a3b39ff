import { createServer } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import type { HostContainer } from '../core/host.ts';
import { scriptedHost, type Script, type ScriptedHost } from '../faults/testing/scripted-host.ts';
import { scriptedServer } from '../faults/testing/scripted-server.ts';
import { simulatedClock } from '../engine/testing/simulated-clock.ts';
import { listen, type Listening } from '../net/testing/servers.ts';
import { makePlans, openScenario } from '../scenario/planner.ts';
import { parseSource } from '../scenario/source.ts';
import { planTarget, type TargetInput } from '../scenario/target-planner.ts';
import { inspectTarget } from './inspect-target.ts';

const input = (name: string, text: string): TargetInput => ({
  source: parseSource(name, text),
  sha256: '',
  resolveFile: (file) => file,
});

const targetOf = (url: string, probes: string): TargetInput =>
  input(
    'target.yaml',
    `name: pair
environment: test
hosts:
  node-1: { transport: docker, container: node-1, server: { cloud: lab, id: one } }
  node-2: { transport: ssh, host: node-2 }
probes:
  - { id: web, kind: http, url: '${url}' }
  - { id: name, kind: tcp, address: 'nowhere.invalid:80' }
  - { id: secret, kind: http, url: '${url}', headers: { X: { env: NOT_SET } } }
  - { id: claim, kind: exec, on: [node-1, node-2], argv: [who-am-i] }
${probes}roles: { active: { probe: claim, is: active } }
steady: { require: [{ probe: web }] }
`,
  );

const scenario = input(
  's.yaml',
  `name: s
title: s
faults: [{ kind: network.delay, on: { role: active }, delay: 10ms }, { kind: service.stop, on: node-2, units: [x.service] }]
recovery: { probe: web, within: 10s }
checks: [{ kind: rto, max: 10s }]
`,
);

let server: Listening | undefined;
afterEach(async () => server?.close());

/** A host that has all tools except the named ones. */
const healthy =
  (...missing: string[]): Script =>
  (argv) =>
    argv[0] === 'date'
      ? { stdout: '0.000000000\n' }
      : {
          stdout: `uid 0\nkernel 6.1\nsystemd yes\ncaps 3fffffffff\nnetem no\n${argv
            .slice(4)
            .filter((tool) => !missing.includes(tool))
            .map((tool) => `tool ${tool}\n`)
            .join('')}`,
        };

interface Around {
  readonly hosts?: Readonly<Record<string, Script>>;
  readonly withScenario?: boolean;
  readonly state?: string | Error;
  /** Further probes of the target, as YAML. */
  readonly probes?: string;
  /** The host of its name is this container. */
  readonly container?: HostContainer;
  /** A warning about the connection to each host. */
  readonly note?: string;
}

async function inspect({
  hosts = {},
  withScenario = false,
  state = 'ACTIVE',
  probes = '',
  container,
  note,
}: Around = {}) {
  server = await listen(createServer((_request, response) => response.end('ok')));
  const file = targetOf(`http://${server.address}/`, probes);
  const target = planTarget(file);
  const made: ScriptedHost[] = [];
  const cloud = scriptedServer([state]);
  const findings = await inspectTarget(
    target,
    withScenario ? makePlans(openScenario(scenario), () => file) : [],
    {
      createHost: ({ name }, onNote) => {
        if (note !== undefined) onNote({ message: `${name}: ${note}`, hint: 'Do this.' });
        const inContainer = container !== undefined && name === container.name ? { container } : {};
        const host = { ...scriptedHost(hosts[name] ?? healthy()), ...inContainer, name };
        made.push(host);
        return host;
      },
      createServer: (host) => (host.server === undefined ? undefined : cloud),
      clock: simulatedClock(),
      signal: new AbortController().signal,
      readText: () => Promise.reject(new Error('no file')),
      resolveName: async () => [],
      env: () => undefined,
    },
  );
  return { findings, made, cloud };
}

const reported = (findings: readonly Finding[], name: string): string[] =>
  findings.filter((finding) => finding.name === name).map(({ status, observed }) => `${status}: ${observed}`);

describe('a target', () => {
  test('is only read: two read-only commands for each host, and no cloud action', async () => {
    const { made, cloud } = await inspect();
    for (const { commands } of made) {
      expect(commands.filter((command) => !/^(?:sh -c|date \+%s\.%N$)/.test(command))).toEqual([]);
      expect(commands.filter((command) => command.startsWith('sh -c'))).toHaveLength(1);
    }
    expect(made).toHaveLength(2);
    expect(cloud.calls).toEqual([]);
  });

  test('has each endpoint checked once: name, port, answer', async () => {
    const { findings } = await inspect();
    expect(reported(findings, 'probe web')[0]).toMatch(/^ok: GET http/);
    expect(reported(findings, 'probe name')[0]).toMatch(/^warn: connect to nowhere\.invalid:80: /);
    expect(reported(findings, 'probe secret')[0]).toMatch(/^fail: the probe cannot run: .*NOT_SET/);
  });

  test.each([
    ['no', 'info: restart policy no: if its PID 1 exits, it stays down until a heal starts it'],
    ['always', 'info: restart policy always: if its PID 1 exits, the engine restarts it'],
  ])('reports what happens to a container with restart policy %s', async (restartPolicy, said) => {
    const report = { status: 'running', startedAt: '', finishedAt: '', sharesMachineNetwork: false };
    const container = { name: 'node-1', inspect: async () => ({ ...report, restartPolicy }) };
    const { findings } = await inspect({ container });
    expect(reported(findings, 'node-1: container')).toEqual([said]);
    expect(reported(findings, 'node-2: container')).toEqual([]);
  });

  test('reports warnings about the connection to a host, with their hints', async () => {
    const { findings } = await inspect({ note: 'the profile prints' });
    const odd = findings.filter(({ observed }) => observed.includes('the profile prints'));
    expect(odd).toHaveLength(2);
    expect(odd[0]).toEqual({
      name: 'node-1: script',
      status: 'info',
      observed: 'the profile prints',
      hint: 'Do this.',
    });
  });

  test('reports a missing program of a probe', async () => {
    const { findings } = await inspect({ hosts: { 'node-2': healthy('who-am-i') } });
    expect(reported(findings, 'node-1: who-am-i')).toEqual([]);
    expect(reported(findings, 'node-2: who-am-i')).toEqual(['fail: not in PATH; needed by probe claim']);
  });

  test('has the unit names of its journal probes checked', async () => {
    const script: Script = (argv) =>
      argv[3] === 'journal'
        ? { stdout: 'names-begin\nunit unlogged not-found\nnames-end\n' }
        : healthy()(argv);
    const { findings } = await inspect({
      hosts: { 'node-1': script },
      probes:
        '  - { id: log, kind: journal, on: [node-1, node-2], unit: keepalive, marks: [{ name: m, match: x }] }\n',
    });
    expect(findings.filter(({ name }) => name.startsWith('probe log'))).toEqual([
      {
        name: 'probe log@node-1',
        status: 'fail',
        observed: 'node-1 has no unit keepalive.service',
        hint: expect.stringContaining('systemctl list-units') as string,
      },
      {
        name: 'probe log@node-2',
        status: 'ok',
        observed: expect.stringContaining('keepalive.service') as string,
      },
    ]);
  });

  test('without scenarios reports which fault kinds cannot be used', async () => {
    const { findings } = await inspect({ hosts: { 'node-1': healthy('tc') } });
    expect(reported(findings, 'node-1: tc')).toEqual([
      'info: not in PATH, so network.delay cannot be used on this host',
    ]);
    expect(findings.filter(({ name, status }) => name.startsWith('node-') && status === 'fail')).toEqual([]);
  });

  test('with a scenario fails for missing requirements of its faults, on the hosts that they may hit', async () => {
    const { findings } = await inspect({
      withScenario: true,
      hosts: { 'node-1': healthy('systemctl'), 'node-2': healthy('systemctl') },
    });
    expect(reported(findings, 'node-1: sch_netem')).toEqual([
      'fail: not in this kernel; needed by fault network.delay',
    ]);
    expect(reported(findings, 'node-2: sch_netem')).toEqual([
      'fail: not in this kernel; needed by fault network.delay',
    ]);
    expect(reported(findings, 'node-1: systemctl')).toEqual([]);
    expect(reported(findings, 'node-2: systemctl')).toEqual([
      'fail: not in PATH; needed by fault service.stop',
    ]);
  });

  test('reports what undoes the faults of a scenario if firedrill is killed', async () => {
    const without = (): Script => {
      const all = healthy();
      return (argv) => {
        const said = all(argv);
        return { ...said, stdout: said.stdout?.replace('systemd yes\n', '') ?? '' };
      };
    };
    const { findings } = await inspect({ withScenario: true, hosts: { 'node-1': without() } });
    expect(reported(findings, 'node-1: auto-revert')).toEqual([
      'warn: no systemd, so nothing on the host undoes network.delay (fault-1) if firedrill is killed',
    ]);
    expect(reported(findings, 'node-2: auto-revert')).toEqual([
      'ok: a systemd timer undoes network.delay (fault-1), service.stop (fault-2) if firedrill is silent for 30 s',
    ]);
  });

  test('reports why a host cannot be reached, with the hint', async () => {
    const lost = (): never => {
      throw new DrillError('host-unreachable', 'node-2: the host key is not known', { hint: 'Add it.' });
    };
    const { findings } = await inspect({ hosts: { 'node-2': lost } });
    expect(findings.find(({ name }) => name === 'node-2: script')).toEqual({
      name: 'node-2: script',
      status: 'fail',
      observed: 'the host key is not known',
      hint: 'Add it.',
    });
  });

  test('asks the cloud with its credentials', async () => {
    expect(reported((await inspect()).findings, 'node-1: cloud')).toEqual([
      'ok: server web-1 of cloud lab: ACTIVE',
    ]);
    await server?.close();
    const refused = new DrillError('host-unreachable', 'Keystone: 401');
    expect(reported((await inspect({ state: refused })).findings, 'node-1: cloud')).toEqual([
      'fail: Keystone: 401',
    ]);
  });
});
