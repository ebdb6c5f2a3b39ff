import { describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import { serverReboot } from './server.reboot.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';
import { scriptedServer } from './testing/scripted-server.ts';

const params = serverReboot.params.parse({});
const unreachable = new DrillError('host-unreachable', 'no way in');

/** A machine whose PID 1 has a name that a naive parser of /proc/1/stat would misread. */
const machine = (bootId: string, startTicks: number) =>
  scriptedHost(() => ({
    stdout: `${bootId}\n1 (init) x (y) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 ${startTicks} 99 100\n`,
  }));
const before = { life: 'boot-1 700' };
const at = (states: readonly string[], host = machine('boot-1', 700)) =>
  faultContext(host, scriptedServer(states));

describe('server.reboot', () => {
  test('reboots with type HARD, or the given type', async () => {
    const server = scriptedServer(['ACTIVE']);
    const ctx = faultContext(machine('boot-1', 700), server);
    await expect(serverReboot.inject(params, before, ctx)).resolves.toMatchObject({ requestId: 'req-1' });
    await serverReboot.inject(serverReboot.params.parse({ type: 'SOFT' }), before, ctx);
    expect(server.calls).toEqual(['reboot HARD', 'reboot SOFT']);
  });

  test('records the boot of the machine', async () => {
    await expect(serverReboot.before(params, at(['ACTIVE']))).resolves.toEqual(before);
    await expect(serverReboot.before(params, at(['SHUTOFF']))).rejects.toMatchObject({
      code: 'fault-failed',
    });
    const isUnreachable = scriptedHost(() => ({ exitCode: 1, stderr: 'cat: no such file' }));
    await expect(serverReboot.before(params, at(['ACTIVE'], isUnreachable))).rejects.toMatchObject({
      code: 'fault-failed',
    });
  });

  test('has taken effect when the server leaves ACTIVE', async () => {
    await expect(serverReboot.effect(params, before, at(['ACTIVE']))).resolves.toBe(false);
    await expect(serverReboot.effect(params, before, at(['HARD_REBOOT rebooting_hard']))).resolves.toBe(true);
  });

  test('has taken effect when the kernel or PID 1 has started again', async () => {
    for (const host of [machine('boot-2', 700), machine('boot-1', 900)]) {
      await expect(serverReboot.effect(params, before, at(['ACTIVE'], host))).resolves.toBe(true);
    }
  });

  test('does not take an unreachable host for a rebooted one', async () => {
    const away = scriptedHost(() => {
      throw unreachable;
    });
    await expect(serverReboot.effect(params, before, at(['ACTIVE'], away))).rejects.toBe(unreachable);
  });

  test('leaves a server alone that comes back by itself, and starts a server that does not', async () => {
    const server = scriptedServer(['HARD_REBOOT rebooting_hard', 'ACTIVE', 'SHUTOFF']);
    const ctx = faultContext(machine('boot-1', 700), server);
    for (let i = 0; i < 2; i++) await serverReboot.heal(params, before, ctx);
    expect(server.calls).toEqual([]);
    await serverReboot.heal(params, before, ctx);
    expect(server.calls).toEqual(['start']);
  });

  test('is healed when the server is up and accepts commands', async () => {
    await expect(serverReboot.healed(params, before, at(['ACTIVE']))).resolves.toBe(true);
    await expect(serverReboot.healed(params, before, at(['REBOOT rebooting']))).resolves.toBe(false);
  });
});
