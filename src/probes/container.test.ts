import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DrillError } from '../core/errors.ts';
import { scriptedHost, type Script } from '../faults/testing/scripted-host.ts';
import { container } from './container.ts';
import { attemptOnce, observe, openProbe } from './testing/attempt.ts';
import { pipedEngine } from './testing/piped-engine.ts';

const seenWith = async (script: Script) =>
  (await attemptOnce(container, { name: 'app' }, { host: scriptedHost(script) })).seen;
const state =
  (value: unknown): Script =>
  () => ({ stdout: `${JSON.stringify(value)}\n` });

/** The observation for a state. Conditions with `is` read good and bad states. */
const seenAs = (value: string) =>
  ['running', 'healthy'].includes(value)
    ? { status: 'ok', value }
    : { status: 'fail', cause: 'bad-state', message: `container app is ${value}`, value };

describe('container probe', () => {
  it('reads the container’s state from the engine', async () => {
    const host = scriptedHost(state({ Status: 'running', Running: true, Pid: 77 }));
    const { seen } = await attemptOnce(container, { name: 'app' }, { host });
    expect(seen).toEqual({ status: 'ok', value: 'running' });
    expect(host.commands).toEqual(['docker container inspect --format {{json .State}} app']);
  });

  it.each([
    ['healthy', { Status: 'running', Health: { Status: 'healthy', FailingStreak: 0 } }],
    ['starting', { Status: 'running', Health: { Status: 'starting' } }],
    ['unhealthy', { Status: 'running', Health: { Status: 'unhealthy' } }],
    // A disabled health check (`healthcheck: { test: [NONE] }`).
    ['running', { Status: 'running', Health: { Status: 'none' } }],
    ['running', { Status: 'running', Health: null }],
    // The last result of a health check does not count for a container that is not running.
    ['exited', { Status: 'exited', Health: { Status: 'healthy' } }],
    ['paused', { Status: 'paused', Health: { Status: 'healthy' } }],
    ['restarting', { Status: 'restarting', Health: { Status: 'unhealthy' } }],
    ['created', { Status: 'created' }],
    ['dead', { Status: 'dead' }],
    ['removing', { Status: 'removing' }],
  ])('reports %s', async (value, reported) => {
    expect(await seenWith(state(reported))).toEqual(seenAs(value));
  });

  it.each(['Error: No such container: app', 'Error response from daemon: No such container: app'])(
    'reports absent: %s',
    async (stderr) => {
      expect(await seenWith(() => ({ exitCode: 1, stdout: '\n', stderr }))).toEqual(seenAs('absent'));
    },
  );

  it('fails when the engine does not answer', async () => {
    const stderr = 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?';
    expect(await seenWith(() => ({ exitCode: 1, stderr }))).toMatchObject({
      status: 'fail',
      cause: 'error',
      message: expect.stringContaining('Cannot connect') as string,
    });
  });

  it('is unknown if the answer has no state', async () => {
    for (const stdout of ['null', 'not json', '{"Status":""}'])
      expect(await seenWith(() => ({ stdout }))).toEqual({
        status: 'unknown',
        message: `docker reported no state: ${stdout}`,
      });
  });

  it('is unknown if the host is unreachable or has no docker', async () => {
    const away: Script = () => {
      throw new DrillError('host-unreachable', 'alpha: not running');
    };
    expect(await seenWith(away)).toEqual({ status: 'unknown', message: 'alpha: not running' });
    expect(await seenWith(() => ({ exitCode: 127, stderr: 'docker: not found' }))).toMatchObject({
      status: 'unknown',
    });
  });

  it('refuses to open without a host', async () => {
    await expect(openProbe(container, { name: 'app' })).rejects.toMatchObject({ code: 'invalid-input' });
  });
});

describe('container probe over the engine’s kept connection', () => {
  async function engine(
    onRequest: (request: IncomingMessage, response: ServerResponse) => void,
    script?: Script,
    timeoutMs = 300,
  ) {
    const { host, close, ...made } = await pipedEngine(onRequest, script);
    onTestFinished(close);
    const session = await openProbe(container, { name: 'app' }, { host, timeoutMs });
    onTestFinished(async () => session.close());
    const attempt = () => observe(session, timeoutMs);
    return { attempt, session, ...made };
  }
  const running = (response: ServerResponse): void =>
    void response.end(JSON.stringify({ Id: 'x'.repeat(9000), State: { Status: 'running' } }));

  it('uses one connection, and runs no command for a sample', async () => {
    const paths: string[] = [];
    const { attempt, pipes, commands } = await engine((request, response) => {
      paths.push(`${request.method ?? ''} ${request.url ?? ''}`);
      running(response);
    });
    for (let n = 0; n < 3; n++) expect(await attempt()).toEqual({ status: 'ok', value: 'running' });
    expect(paths).toEqual(Array.from({ length: 3 }, () => 'GET /containers/app/json'));
    expect(pipes).toEqual(['docker system dial-stdio']);
    expect(commands).toEqual([]);
  });

  it('distinguishes a missing container from an engine error', async () => {
    let status = 404;
    const { attempt } = await engine((_, response) => {
      response.statusCode = status;
      response.end(JSON.stringify({ message: status === 404 ? 'No such container: app' : 'no disk' }));
    });
    expect(await attempt()).toEqual(seenAs('absent'));
    status = 500;
    expect(await attempt()).toEqual({ status: 'fail', cause: 'error', message: 'status 500: no disk' });
  });

  it('runs a command when the connection breaks, and opens a new connection after the command got an answer', async () => {
    let breaks = false;
    let engineIsUp = true;
    const { attempt, pipes, commands } = await engine(
      (request, response) => {
        if (breaks) request.socket.destroy();
        else running(response);
      },
      () =>
        engineIsUp
          ? { stdout: '{"Status":"exited"}' }
          : { exitCode: 1, stderr: 'Cannot connect to the Docker daemon' },
    );
    expect(await attempt()).toMatchObject({ value: 'running' });
    breaks = true;
    engineIsUp = false;
    // The engine has stopped: only the command asks, until the engine is back.
    for (let n = 0; n < 3; n++) expect(await attempt()).toMatchObject({ status: 'fail', cause: 'error' });
    expect([pipes.length, commands.length]).toEqual([1, 3]);
    breaks = false;
    engineIsUp = true;
    expect(await attempt()).toMatchObject({ value: 'exited' });
    expect(await attempt()).toMatchObject({ value: 'running' });
    expect([pipes.length, commands.length]).toEqual([2, 4]);
  });

  it('stops trying the connection on a host where it never worked', async () => {
    const { attempt, pipes } = await engine(
      (request) => request.socket.destroy(),
      () => ({ stdout: '{"Status":"running"}' }),
    );
    for (let n = 0; n < 6; n++) expect(await attempt()).toEqual({ status: 'ok', value: 'running' });
    expect(pipes).toHaveLength(3);
  });

  it('reports a timeout, and no state, if the engine does not answer', async () => {
    const waiting: ServerResponse[] = [];
    const { attempt, session, pipes, commands } = await engine((_, response) => void waiting.push(response));
    const both = await Promise.all([attempt(), attempt()]);
    expect(both).toMatchObject([
      { status: 'fail', cause: 'timeout' },
      { status: 'fail', cause: 'timeout' },
    ]);
    expect(session.isBusy?.()).toBe(true);
    for (const response of waiting.splice(0)) running(response);
    await expect.poll(() => session.isBusy?.(), { interval: 5 }).toBe(false);
    expect(pipes).toHaveLength(2);
    expect(commands).toEqual([]);
  });

  it('opens fewer and fewer connections to a frozen engine', async () => {
    const { attempt, session, pipes } = await engine(() => {}, undefined, 10);
    const endMs = performance.now() + 2000;
    while (performance.now() < endMs) {
      if (session.isBusy?.() === true) await new Promise((resolve) => setTimeout(resolve, 5));
      else await attempt();
    }
    // One connection per 20 ms would be 100. Slower machines open fewer.
    expect(pipes.length).toBeLessThan(40);
  });

  it('closes a connection whose answer is late by more than a timeout', async () => {
    const { attempt, session, server } = await engine(() => {}, undefined, 100);
    const closed = new Promise((resolve) => {
      server.once('connection', (socket) => socket.once('close', resolve));
    });
    expect(await attempt()).toMatchObject({ cause: 'timeout' });
    await closed;
    await expect.poll(() => session.isBusy?.(), { interval: 5 }).toBe(false);
  });
});
