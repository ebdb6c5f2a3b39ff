import { describe, expect, it } from 'vitest';
import { DrillError } from '../core/errors.ts';
import { scriptedHost, type Script } from '../faults/testing/scripted-host.ts';
import { container } from './container.ts';
import { lookOnce, openProbe } from './testing/look.ts';

const seenWith = async (script: Script) =>
  (await lookOnce(container, { name: 'app' }, { host: scriptedHost(script) })).seen;
const state =
  (value: unknown): Script =>
  () => ({ stdout: `${JSON.stringify(value)}\n` });

describe('container probe', () => {
  it('asks the engine for the container’s state', async () => {
    const host = scriptedHost(state({ Status: 'running', Running: true, Pid: 77 }));
    const { seen } = await lookOnce(container, { name: 'app' }, { host });
    expect(seen).toEqual({ status: 'ok', value: 'running' });
    expect(host.commands).toEqual(['docker container inspect --format {{json .State}} app']);
  });

  it.each([
    ['healthy', { Status: 'running', Health: { Status: 'healthy', FailingStreak: 0 } }],
    ['starting', { Status: 'running', Health: { Status: 'starting' } }],
    ['unhealthy', { Status: 'running', Health: { Status: 'unhealthy' } }],
    // A check that was switched off (`healthcheck: { test: [NONE] }`).
    ['running', { Status: 'running', Health: { Status: 'none' } }],
    ['running', { Status: 'running', Health: null }],
    // The last word of a check says nothing of a container that does not run.
    ['exited', { Status: 'exited', Health: { Status: 'healthy' } }],
    ['paused', { Status: 'paused', Health: { Status: 'healthy' } }],
    ['restarting', { Status: 'restarting', Health: { Status: 'unhealthy' } }],
    ['created', { Status: 'created' }],
    ['dead', { Status: 'dead' }],
    ['removing', { Status: 'removing' }],
  ])('tells %s', async (value, told) => {
    expect(await seenWith(state(told))).toEqual({ status: 'ok', value });
  });

  it.each(['Error: No such container: app', 'Error response from daemon: No such container: app'])(
    'tells absent: %s',
    async (stderr) => {
      expect(await seenWith(() => ({ exitCode: 1, stdout: '\n', stderr }))).toEqual({
        status: 'ok',
        value: 'absent',
      });
    },
  );

  it('fails when the engine does not answer', async () => {
    const stderr = 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?';
    expect(await seenWith(() => ({ exitCode: 1, stderr }))).toMatchObject({
      status: 'fail',
      cause: 'error',
      message: expect.stringContaining('Cannot connect') as string,
    });
    expect(await seenWith(() => ({ stdout: 'null' }))).toMatchObject({ status: 'fail', cause: 'error' });
    expect(await seenWith(() => ({ stdout: 'not json' }))).toMatchObject({ status: 'fail', cause: 'error' });
  });

  it('calls it unknown when the host cannot be reached or has no docker', async () => {
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
