import { describe, expect, test } from 'vitest';
import { containerStop } from './container.stop.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

const params = containerStop.params.parse({ container: 'web' });
const before = { status: 'running', startedAt: '2026-01-01T00:00:00Z' };
const inState = (status: string) =>
  scriptedHost((argv) => (argv[1] === 'inspect' ? { stdout: `${status} 2026-01-01T00:00:00Z\n` } : {}));

describe('container.stop', () => {
  test('stops with the grace period given', async () => {
    const host = inState('running');
    await containerStop.inject({ ...params, graceSeconds: 3 }, before, faultContext(host));
    expect(host.commands).toEqual(['docker stop --time 3 web']);
  });

  test('refuses a container that is not running', async () => {
    await expect(containerStop.before(params, faultContext(inState('exited')))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: container web is exited, not running',
    });
  });

  test.each([
    ['created', 'Start the container first: docker start web'],
    ['exited', 'Start the container first: docker start web'],
    ['paused', 'Resume the container first: docker unpause web'],
    ['restarting', 'Find out why the container does not stay up: docker logs web'],
    ['removing', 'Wait until the engine has removed the container, then create it again.'],
    ['dead', 'The engine cannot start it: remove it (docker rm web), then create it again.'],
  ])('gives a hint for a container that is %s', async (status, hint) => {
    await expect(containerStop.before(params, faultContext(inState(status)))).rejects.toMatchObject({ hint });
  });

  test('distinguishes a missing container from an engine that does not answer', async () => {
    const missing = scriptedHost(() => ({ exitCode: 1, stderr: 'Error: No such container: web' }));
    await expect(containerStop.before(params, faultContext(missing))).rejects.toMatchObject({
      code: 'fault-failed',
    });
    const dead = scriptedHost(() => ({ exitCode: 1, stderr: 'Cannot connect to the Docker daemon' }));
    await expect(containerStop.before(params, faultContext(dead))).rejects.toMatchObject({
      code: 'host-unreachable',
    });
  });

  test.each([
    ['running', false],
    ['exited', true],
  ])('a container that is %s: effect %s', async (status, effect) => {
    await expect(containerStop.effect(params, before, faultContext(inState(status)))).resolves.toBe(effect);
    await expect(containerStop.healed(params, before, faultContext(inState(status)))).resolves.toBe(!effect);
  });

  test('heals by starting, and leaves a running container alone', async () => {
    const down = inState('exited');
    await containerStop.heal(params, before, faultContext(down));
    expect(down.commands.at(-1)).toBe('docker start web');
    const up = inState('running');
    await containerStop.heal(params, before, faultContext(up));
    expect(up.commands).toHaveLength(1);
  });
});
