import { describe, expect, test } from 'vitest';
import { containerRestart } from './container.restart.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

const params = containerRestart.params.parse({ container: 'web' });
const [first, second] = ['2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'];
const before = { status: 'running', startedAt: first };
const inState = (status: string, startedAt = first) =>
  scriptedHost((argv) => (argv[1] === 'inspect' ? { stdout: `${status} ${startedAt}\n` } : {}));

describe('container.restart', () => {
  test('restarts with the grace period given', async () => {
    const host = inState('running');
    await containerRestart.inject({ ...params, graceSeconds: 3 }, before, faultContext(host));
    expect(host.commands).toEqual(['docker restart --time 3 web']);
  });

  test('records the start time, and refuses a container that is not running', async () => {
    await expect(containerRestart.before(params, faultContext(inState('running')))).resolves.toEqual(before);
    await expect(containerRestart.before(params, faultContext(inState('exited')))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: container web is exited, not running',
    });
  });

  test('is in effect when the container has started again', async () => {
    const record = (status: string, startedAt: string) =>
      containerRestart.effect(params, before, faultContext(inState(status, startedAt)));
    await expect(record('running', first)).resolves.toBe(false);
    await expect(record('exited', first)).resolves.toBe(false);
    await expect(record('running', second)).resolves.toBe(true);
    // It came back, and exited by itself.
    await expect(record('exited', second)).resolves.toBe(true);
  });

  test('does not take a missing container for a restarted one', async () => {
    const gone = scriptedHost(() => ({ exitCode: 1, stderr: 'Error: No such container: web' }));
    await expect(containerRestart.effect(params, before, faultContext(gone))).resolves.toBe(false);
  });

  test('heals by starting, and leaves a running or restarting container alone', async () => {
    const down = inState('exited', second);
    await expect(containerRestart.healed(params, before, faultContext(down))).resolves.toBe(false);
    await containerRestart.heal(params, before, faultContext(down));
    expect(down.commands.at(-1)).toBe('docker start web');
    for (const status of ['running', 'restarting']) {
      const up = inState(status, second);
      await containerRestart.heal(params, before, faultContext(up));
      expect(up.commands).toHaveLength(1);
    }
    await expect(
      containerRestart.healed(params, before, faultContext(inState('running', second))),
    ).resolves.toBe(true);
  });

  test('compares the whole start time, including its spaces', async () => {
    const at = (hour: number) => `2026-01-01 ${hour}:00:00.1 +0100 CET`;
    const noted = await containerRestart.before(params, faultContext(inState('running', at(10))));
    expect(noted.startedAt).toBe(at(10));
    const later = faultContext(inState('running', at(11)));
    await expect(containerRestart.effect(params, noted, later)).resolves.toBe(true);
  });

  test('is refused if `docker` is Podman', async () => {
    const podman = scriptedHost((argv) =>
      argv.includes('docker --version; docker version')
        ? { stdout: 'podman version 4.3.1\nClient:       Podman Engine\n' }
        : { stdout: `running ${first}\n` },
    );
    await expect(containerRestart.before(params, faultContext(podman))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: `docker` is Podman on this host; firedrill supports only Docker',
    });
  });

  test('throws if `docker inspect` prints nothing', async () => {
    const silent = scriptedHost(() => ({ stdout: '' }));
    await expect(containerRestart.effect(params, before, faultContext(silent))).rejects.toMatchObject({
      code: 'host-unreachable',
      message: 'alpha: cannot parse the output of `docker inspect web`: ',
    });
  });
});
