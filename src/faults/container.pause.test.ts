import { describe, expect, test } from 'vitest';
import { containerPause } from './container.pause.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

const params = containerPause.params.parse({ container: 'web' });
const before = { status: 'running', startedAt: '2026-01-01T00:00:00Z' };
const inState = (status: string) =>
  scriptedHost((argv) => (argv[1] === 'inspect' ? { stdout: `${status} 2026-01-01T00:00:00Z\n` } : {}));
const acting = (commands: readonly string[]) => commands.filter((line) => !line.startsWith('docker inspect'));

describe('container.pause', () => {
  test('freezes with `docker pause`', async () => {
    const host = inState('running');
    await containerPause.inject(params, before, faultContext(host));
    expect(host.commands).toEqual(['docker pause web']);
  });

  test.each(['paused', 'exited', 'restarting'])('refuses a container that is %s', async (status) => {
    await expect(containerPause.before(params, faultContext(inState(status)))).rejects.toMatchObject({
      code: 'fault-failed',
      message: `alpha: container web is ${status}, not running`,
    });
  });

  test.each([
    ['running', false],
    ['paused', true],
    // The stack stopped it, not this fault, so the heal does not start it.
    ['exited', false],
  ])('a container that is %s: effect %s', async (status, effect) => {
    await expect(containerPause.effect(params, before, faultContext(inState(status)))).resolves.toBe(effect);
    await expect(containerPause.healed(params, before, faultContext(inState(status)))).resolves.toBe(!effect);
  });

  test('unpauses a paused container, and leaves any other alone', async () => {
    const frozen = inState('paused');
    await containerPause.heal(params, before, faultContext(frozen));
    expect(acting(frozen.commands)).toEqual(['docker unpause web']);
    for (const status of ['running', 'exited']) {
      const other = inState(status);
      await containerPause.heal(params, before, faultContext(other));
      expect(acting(other.commands)).toEqual([]);
    }
  });

  test('throws instead of reporting a heal if the engine does not answer', async () => {
    const silent = scriptedHost(() => ({ exitCode: 1, stderr: 'Cannot connect to the Docker daemon' }));
    await expect(containerPause.healed(params, before, faultContext(silent))).rejects.toMatchObject({
      code: 'host-unreachable',
    });
  });
});
