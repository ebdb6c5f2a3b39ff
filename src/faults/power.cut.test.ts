import { describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { powerCut } from './power.cut.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';
import { scriptedServer } from './testing/scripted-server.ts';

/** A machine with a power switch. It accepts commands while it has power. */
function machine(on: boolean): Host & { readonly switched: string[] } {
  const switched: string[] = [];
  return {
    ...scriptedHost(() => {
      if (!on) throw new DrillError('host-unreachable', 'alpha is off');
      return {};
    }),
    switched,
    power: {
      describe: { cut: 'cut', on: 'on' },
      isOn: () => Promise.resolve(on),
      cut: () => {
        switched.push('cut');
        on = false;
        return Promise.resolve();
      },
      on: () => {
        switched.push('on');
        on = true;
        return Promise.resolve();
      },
    },
  };
}

describe('power.cut', () => {
  test('cuts the power, and is in effect while it is off', async () => {
    const host = machine(true);
    await expect(powerCut.effect({}, null, faultContext(host))).resolves.toBe(false);
    await powerCut.inject({}, null, faultContext(host));
    expect(host.switched).toEqual(['cut']);
    await expect(powerCut.effect({}, null, faultContext(host))).resolves.toBe(true);
  });

  test('refuses a machine that is off, and a transport without a power switch', async () => {
    await expect(powerCut.before({}, faultContext(machine(false)))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: cannot cut the power: it is already off',
    });
    await expect(powerCut.before({}, faultContext(scriptedHost(() => ({}))))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: cannot switch the power: transport script has no power switch',
    });
  });

  test('switches on once, and is healed when the machine accepts commands', async () => {
    const host = machine(false);
    // While the machine is off, the failed access is not an error: otherwise the heal would never run.
    await expect(powerCut.healed({}, null, faultContext(host))).resolves.toBe(false);
    await powerCut.heal({}, null, faultContext(host));
    await powerCut.heal({}, null, faultContext(host));
    expect(host.switched).toEqual(['on']);
    await expect(powerCut.healed({}, null, faultContext(host))).resolves.toBe(true);
  });

  test('starts a server through its cloud if the cloud has marked it SHUTOFF', async () => {
    const host = machine(false);
    const server = scriptedServer(['SHUTOFF']);
    await powerCut.heal({}, null, faultContext(host, server));
    expect(server.calls).toContain('start');
    expect(host.switched).toEqual([]);
  });

  test('is not healed while the cloud may still cut the power again', async () => {
    const off = scriptedServer(['SHUTOFF']);
    await expect(powerCut.healed({}, null, faultContext(machine(true), off))).resolves.toBe(false);
    const up = scriptedServer(['ACTIVE']);
    await expect(powerCut.healed({}, null, faultContext(machine(true), up))).resolves.toBe(true);
  });
});
