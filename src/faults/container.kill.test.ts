import { describe, expect, test } from 'vitest';
import { containerKill } from './container.kill.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

const params = containerKill.params.parse({ container: 'web' });
const before = { status: 'running', startedAt: '2026-01-01T00:00:00Z' };
const inState = (status: string) =>
  scriptedHost((argv) => (argv[1] === 'inspect' ? { stdout: `${status} 2026-01-01T00:00:00Z\n` } : {}));

describe('container.kill', () => {
  test('kills with `docker kill`, so that no restart policy applies', async () => {
    const host = inState('running');
    await containerKill.inject(params, before, faultContext(host));
    expect(host.commands).toEqual(['docker kill web']);
  });

  test('refuses a container that is not running', async () => {
    await expect(containerKill.before(params, faultContext(inState('paused')))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: container web is paused, not running',
    });
  });

  test('in a container that is the host itself: names the host to use instead', async () => {
    const container = { name: 'shop-db-1', inspect: () => Promise.reject(new Error('not asked')) };
    const host = { ...scriptedHost(() => ({ exitCode: 127, stderr: 'docker: not found' })), container };
    await expect(containerKill.before(params, faultContext(host))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: cannot act on container web: container shop-db-1 has no Docker client',
      hint: 'Set `on` to a host with `transport: local` (the machine of the engine), and keep `container: web`.',
    });
  });

  test.each([
    ['running', false],
    ['exited', true],
  ])('a container that is %s: effect %s', async (status, effect) => {
    await expect(containerKill.effect(params, before, faultContext(inState(status)))).resolves.toBe(effect);
    await expect(containerKill.healed(params, before, faultContext(inState(status)))).resolves.toBe(!effect);
  });

  test('heals by starting, and leaves a running container alone', async () => {
    const down = inState('exited');
    await containerKill.heal(params, before, faultContext(down));
    expect(down.commands.at(-1)).toBe('docker start web');
    const up = inState('running');
    await containerKill.heal(params, before, faultContext(up));
    expect(up.commands).toHaveLength(1);
  });
});
