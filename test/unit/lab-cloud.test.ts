import { createServer } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseCloudConfig } from '../../compose-lab/cloud/config.ts';
import { DockerHypervisor } from '../../compose-lab/cloud/docker-hypervisor.ts';
import { MemoryHypervisor } from '../../compose-lab/cloud/hypervisor.ts';
import { createIdentity } from '../../compose-lab/cloud/identity.ts';
import { createInstances, type Instance } from '../../compose-lab/cloud/instances.ts';
import { stateFile, type Store } from '../../compose-lab/cloud/state-file.ts';
import { temporaryFolder } from '../temporary-folder.ts';

// Behavior of the lab's cloud outside the contract that it shares with a real cloud (test/contract).

const config = {
  region: 'lab',
  user: 'firedrill',
  password: 'password',
  project: 'drills',
  credential: { name: 'firedrill', secret: 'secret' },
  tokenLifeMs: 3_600_000,
  syncPowerStateMs: -1000,
  shutdownTimeoutMs: 60_000,
  servers: [{ name: 'a', machine: 'lab-a' }],
};
const asker = { requestId: 'req-1', bearer: { userId: 'user', projectId: 'project' } };

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

/** Stores its content as text, like a file. */
function memory(): Store {
  let text: string | undefined;
  return {
    load: () => (text === undefined ? undefined : (JSON.parse(text) as unknown)),
    save: (value) => {
      text = JSON.stringify(value);
    },
  };
}

/** A compute service with one server, `a`. A second service with the same store is the service after a restart. */
function compute(hypervisor = new MemoryHypervisor(['lab-a']), store = memory()) {
  const reported: string[] = [];
  const instances = createInstances({
    config,
    hypervisor,
    store,
    nowMs: () => 1_000_500,
    log: (line) => reported.push(line),
  });
  const [a] = instances.all;
  if (a === undefined) throw new Error('no server');
  const idle = async (): Promise<Instance> => {
    await expect.poll(() => a.taskState).toBeNull();
    return a;
  };
  return { instances, a, idle, hypervisor, store, reported };
}

describe('the power sync', () => {
  it('sets a server to stopped when its machine has lost its power', async () => {
    const { instances, a, idle, hypervisor } = compute();
    await instances.syncPowerStates();
    expect(a).toMatchObject({ vmState: 'active', powerState: 1 });
    await hypervisor.powerOff('lab-a');
    // The service does not know it before the next sync.
    expect(a).toMatchObject({ vmState: 'active', powerState: 1 });
    await instances.syncPowerStates();
    expect(await idle()).toMatchObject({ vmState: 'stopped', powerState: 4 });
    expect(a.actions.at(-1)).toMatchObject({ action: 'stop', userId: null, projectId: null });
  });

  it('powers off a machine that something else started', async () => {
    const { instances, a, idle, hypervisor } = compute();
    await instances.syncPowerStates();
    instances.stop(a, asker);
    expect((await idle()).vmState).toBe('stopped');
    await hypervisor.powerOn('lab-a');
    await instances.syncPowerStates();
    await idle();
    expect(hypervisor.machines.get('lab-a')?.on).toBe(false);
    expect(a).toMatchObject({ vmState: 'stopped', powerState: 4 });
  });

  it('ignores a machine during an action', async () => {
    const { instances, a, hypervisor, idle } = compute(new MemoryHypervisor(['lab-a'], 50));
    await instances.syncPowerStates();
    instances.stop(a, asker);
    await instances.syncPowerStates();
    await idle();
    expect(a.actions.map((action) => action.action)).toEqual(['create', 'stop']);
    expect(hypervisor.asked).toEqual(['shutDown lab-a']);
  });

  it('treats a machine with a new id as a new server', async () => {
    const { instances, a, idle, hypervisor } = compute();
    await instances.syncPowerStates();
    instances.stop(a, asker);
    await idle();
    hypervisor.machines.set('lab-a', { id: 'lab-a/2', on: true });
    await instances.syncPowerStates();
    expect(await idle()).toMatchObject({ vmState: 'active', powerState: 1 });
    expect(hypervisor.machines.get('lab-a')?.on).toBe(true);
  });

  it('ignores a machine that is missing, or whose power state is unknown', async () => {
    const { instances, a, hypervisor, reported } = compute();
    await instances.syncPowerStates();
    hypervisor.machines.delete('lab-a');
    await instances.syncPowerStates();
    hypervisor.inspect = () => Promise.reject(new Error('no engine'));
    await instances.syncPowerStates();
    expect(a).toMatchObject({ vmState: 'active', taskState: null });
    expect(reported).toEqual(['a: power state unknown: Error: no engine']);
  });
});

describe('an action', () => {
  it('that fails does not change the server, and has the result Error', async () => {
    const { instances, a, idle, hypervisor, reported } = compute();
    await instances.syncPowerStates();
    hypervisor.shutDown = () => Promise.reject(new Error('no engine'));
    instances.stop(a, asker);
    expect(await idle()).toMatchObject({ vmState: 'active' });
    expect(a.actions.at(-1)).toMatchObject({
      message: 'Error',
      events: [{ result: 'Error', finishMs: 1_000_000 }],
    });
    expect(reported).toEqual(['a: stop failed: Error: no engine']);
  });

  it('waits for the action before it: a hard reboot after a soft one', async () => {
    const { instances, a, idle, hypervisor } = compute(new MemoryHypervisor(['lab-a'], 50));
    instances.reboot(a, 'SOFT', asker);
    instances.reboot(a, 'HARD', { ...asker, requestId: 'req-2' });
    expect(a.taskState).toBe('rebooting_hard');
    await idle();
    expect(hypervisor.asked).toEqual(['shutDown lab-a', 'powerOn lab-a', 'powerOff lab-a', 'powerOn lab-a']);
    expect(a.actions.slice(1).map(({ events }) => events[0]?.result)).toEqual(['Success', 'Success']);
  });

  it('gives the guest the same time to shut down as Nova', async () => {
    const { instances, a, idle, hypervisor } = compute();
    const asked: unknown[] = [];
    const shutDown = hypervisor.shutDown.bind(hypervisor);
    hypervisor.shutDown = (...given: [string, number?]) => {
      asked.push(given);
      return shutDown(given[0]);
    };
    instances.stop(a, asker);
    await idle();
    expect(asked).toEqual([['lab-a', 60_000]]);
  });
});

describe('a restart of the service', () => {
  it('keeps all servers and actions', async () => {
    const first = compute();
    await first.instances.syncPowerStates();
    first.instances.stop(first.a, asker);
    await first.idle();
    first.instances.lock(first.a, true, 'in use');
    const second = compute(first.hypervisor, first.store);
    expect(second.a).toEqual(first.a);
    expect(second.a).toMatchObject({ vmState: 'stopped', locked: true });
  });

  it('continues the action in progress, with the same request id', async () => {
    const hypervisor = new MemoryHypervisor(['lab-a']);
    const first = compute(hypervisor);
    await first.instances.syncPowerStates();
    // The process ends before the machine is off.
    hypervisor.shutDown = () => new Promise<void>(() => undefined);
    first.instances.stop(first.a, asker);
    expect(first.a.taskState).toBe('powering-off');

    const later = new MemoryHypervisor(['lab-a']);
    const second = compute(later, first.store);
    await second.instances.run(AbortSignal.abort());
    expect(await second.idle()).toMatchObject({ vmState: 'stopped' });
    expect(later.asked).toEqual(['shutDown lab-a']);
    expect(second.a.actions.map((action) => action.requestId)).toEqual([expect.any(String), 'req-1']);
  });
});

describe('the state file', () => {
  it('is replaced atomically', () => {
    const path = join(folder, 'servers.json');
    const file = stateFile(path);
    expect(file.load()).toBeUndefined();
    file.save([{ name: 'a' }]);
    file.save([{ name: 'b' }]);
    expect(stateFile(path).load()).toEqual([{ name: 'b' }]);
    // A power cut leaves a partial write.
    writeFileSync(`${path}.partial`, '[{"na');
    expect(stateFile(path).load()).toEqual([{ name: 'b' }]);
    expect(readFileSync(path, 'utf8')).toMatch(/\n$/);
  });
});

describe('a token', () => {
  const addresses = { identity: 'http://cloud/identity', compute: 'http://cloud/compute/v2.1' };
  const body = JSON.stringify({
    auth: {
      identity: {
        methods: ['application_credential'],
        application_credential: {
          name: 'firedrill',
          user: { name: 'firedrill', domain: { id: 'default' } },
          secret: 'secret',
        },
      },
    },
  });
  const call = {
    method: 'POST',
    path: '/v3/auth/tokens',
    query: new URLSearchParams(),
    headers: {},
    body,
    requestId: 'req-1',
  };
  const clock = { ms: 0 };
  const issue = (): string =>
    createIdentity(config, addresses, () => clock.ms).handle(call).headers?.['x-subject-token'] ?? '';

  it('expires, and is valid after a restart of the service', () => {
    const token = issue();
    const identity = createIdentity(config, addresses, () => clock.ms);
    expect(identity.check(token)).toEqual({
      userId: expect.any(String) as string,
      projectId: expect.any(String) as string,
    });
    clock.ms = config.tokenLifeMs;
    expect(identity.check(token)).toBeUndefined();
  });

  it('is invalid if it was altered or signed with another secret', () => {
    clock.ms = 0;
    const [payload = '', signature = ''] = issue().split('.');
    const identity = createIdentity(config, addresses, () => 0);
    const claims = Buffer.from(payload, 'base64url').toString().replace('3600000', '9900000');
    for (const token of [
      `${Buffer.from(claims).toString('base64url')}.${signature}`,
      payload,
      `${payload}.x`,
      '',
    ])
      expect(identity.check(token)).toBeUndefined();
    const other = createIdentity({ ...config, password: 'other' }, addresses, () => 0);
    expect(other.check(`${payload}.${signature}`)).toBeUndefined();
    expect(identity.check(`${payload}.${signature}`)).toBeDefined();
  });
});

describe('the Docker engine as hypervisor', () => {
  /** An engine with fixed answers. It records its requests. */
  async function engine(answers: Record<string, [number, unknown?]>) {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      const line = `${request.method} ${request.url}`;
      asked.push(line);
      const [status, body] = answers[line] ?? [500, { message: `not expected: ${line}` }];
      response.writeHead(status).end(body === undefined ? undefined : JSON.stringify(body));
    });
    const socket = join(folder, 'docker.sock');
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    return { asked, hypervisor: new DockerHypervisor(socket), close: () => server.close() };
  }
  const inspect = (Status: string) =>
    [200, { Id: 'abc', State: { Running: Status === 'running', Status } }] as [number, unknown];

  it('distinguishes machines that are on, off, and missing', async () => {
    const { hypervisor, close } = await engine({
      'GET /containers/on/json': inspect('running'),
      'GET /containers/off/json': inspect('exited'),
      'GET /containers/about-to-be/json': inspect('created'),
      'GET /containers/none/json': [404, { message: 'No such container: none' }],
    });
    expect(await hypervisor.inspect('on')).toEqual({ id: 'abc', on: true });
    expect(await hypervisor.inspect('off')).toEqual({ id: 'abc', on: false });
    // Compose creates a container before it starts it: a created container has not lost its power.
    expect(await hypervisor.inspect('about-to-be')).toBeUndefined();
    expect(await hypervisor.inspect('none')).toBeUndefined();
    await expect(hypervisor.inspect('broken')).rejects.toThrow('500');
    close();
  });

  it('shuts a machine down, powers it off, and powers it on', async () => {
    const { asked, hypervisor, close } = await engine({
      'POST /containers/a/stop?t=60': [204],
      'POST /containers/a/kill': [409, { message: 'Container abc is not running' }],
      'POST /containers/a/wait?condition=not-running': [200, { StatusCode: 137 }],
      'POST /containers/a/start': [304],
    });
    await hypervisor.shutDown('a', 60_000);
    await hypervisor.powerOff('a');
    await hypervisor.powerOn('a');
    expect(asked).toEqual([
      'POST /containers/a/stop?t=60',
      'POST /containers/a/kill',
      'POST /containers/a/wait?condition=not-running',
      'POST /containers/a/start',
    ]);
    await expect(hypervisor.powerOn('b')).rejects.toThrow('b: 500');
    close();
  });
});

describe('the configuration', () => {
  const text = readFileSync(join(import.meta.dirname, '../../compose-lab/certlocker/cloud.json'), 'utf8');
  const secrets = { CERTLOCKER_CLOUD_PASSWORD: 'one', CERTLOCKER_CLOUD_CREDENTIAL_SECRET: 'two' };

  it('of the certlocker lab is complete', () => {
    expect(parseCloudConfig(text, secrets)).toMatchObject({
      password: 'one',
      credential: { name: 'firedrill', secret: 'two' },
      syncPowerStateMs: 10_000,
      shutdownTimeoutMs: 60_000,
      servers: expect.arrayContaining([
        { name: 'node-1', machine: 'firedrill-certlocker-node-1' },
      ]) as unknown,
    });
  });

  it('names a missing or invalid key', () => {
    expect(() => parseCloudConfig(text, {})).toThrow(
      'the variable CERTLOCKER_CLOUD_PASSWORD (passwordVariable) is missing',
    );
    expect(() => parseCloudConfig('{"region": "lab"}', secrets)).toThrow('servers are missing');
    expect(() => parseCloudConfig(text.replace('3600', '"1h"'), secrets)).toThrow(
      'tokenSeconds is not a number of seconds',
    );
  });
});
