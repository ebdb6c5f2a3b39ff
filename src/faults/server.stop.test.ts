import { describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import { wallMs } from '../core/time.ts';
import { serverStop } from './server.stop.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';
import { scriptedServer, type ScriptedServer } from './testing/scripted-server.ts';

const params = serverStop.params.parse({});
const unreachable = new DrillError('host-unreachable', 'no way in');
const at = (server: ScriptedServer | undefined, host = scriptedHost(() => ({}))) =>
  faultContext(host, server);

describe('server.stop', () => {
  test('stops through the cloud, and records the request ID and the cloud’s times', async () => {
    const server = scriptedServer(['ACTIVE'], () =>
      Promise.resolve({ startMs: wallMs(1000), finishMs: null }),
    );
    await expect(serverStop.inject(params, null, at(server))).resolves.toEqual({
      requestId: 'req-1',
      startedAt: '1970-01-01T00:00:01.000Z',
      finishedAt: null,
    });
    expect(server.calls).toEqual(['stop']);
  });

  test('does not fail if the cloud has no record of the action', async () => {
    const server = scriptedServer(['ACTIVE'], () => Promise.reject(unreachable));
    await expect(serverStop.inject(params, null, at(server))).resolves.toEqual({
      requestId: 'req-1',
      startedAt: null,
      finishedAt: null,
    });
  });

  test('requires a server that is ACTIVE and idle', async () => {
    await expect(serverStop.before(params, at(scriptedServer(['ACTIVE'])))).resolves.toBeNull();
    for (const state of ['SHUTOFF', 'ACTIVE image_snapshot']) {
      await expect(serverStop.before(params, at(scriptedServer([state])))).rejects.toMatchObject({
        code: 'fault-failed',
      });
    }
    await expect(serverStop.before(params, at(undefined))).rejects.toMatchObject({ code: 'invalid-input' });
  });

  test('has taken effect when the server is SHUTOFF and idle', async () => {
    const server = scriptedServer(['ACTIVE powering-off', 'SHUTOFF powering-off', 'SHUTOFF']);
    const seen = [];
    for (let i = 0; i < 3; i++) seen.push(await serverStop.effect(params, null, at(server)));
    expect(seen).toEqual([false, false, true]);
  });

  test('waits for a graceful shutdown', () => {
    expect(serverStop.effectWithinMs).toBeGreaterThan(60_000);
  });

  test('heals by starting, after the cloud has finished stopping, and only once', async () => {
    const server = scriptedServer(['ACTIVE powering-off', 'SHUTOFF', 'SHUTOFF powering-on', 'ACTIVE']);
    for (let i = 0; i < 4; i++) await serverStop.heal(params, null, at(server));
    expect(server.calls).toEqual(['start']);
  });

  test('brings a server out of ERROR with a hard reboot', async () => {
    const server = scriptedServer(['ERROR']);
    await serverStop.heal(params, null, at(server));
    expect(server.calls).toEqual(['reboot HARD']);
  });

  test('runs no command on the host except a check', async () => {
    const host = scriptedHost(() => ({}));
    const ctx = at(scriptedServer(['SHUTOFF', 'ACTIVE']), host);
    await serverStop.heal(params, null, ctx);
    await serverStop.healed(params, null, ctx);
    expect(host.commands).toEqual(['true']);
  });

  test('is healed when the server is up and accepts commands', async () => {
    const booting = scriptedHost(() => {
      throw unreachable;
    });
    const up = () => scriptedServer(['ACTIVE']);
    await expect(serverStop.healed(params, null, at(scriptedServer(['SHUTOFF'])))).resolves.toBe(false);
    await expect(serverStop.healed(params, null, at(scriptedServer(['ACTIVE powering-on'])))).resolves.toBe(
      false,
    );
    await expect(serverStop.healed(params, null, at(up(), booting))).resolves.toBe(false);
    await expect(serverStop.healed(params, null, at(up()))).resolves.toBe(true);
  });
});
