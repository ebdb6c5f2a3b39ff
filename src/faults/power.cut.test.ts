import { describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { powerCut } from './power.cut.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';
import { scriptedServer } from './testing/scripted-server.ts';

/** A machine with a switch, which takes commands when it has power. */
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
  test('cuts the power, and has its effect when there is none', async () => {
    const host = machine(true);
    await expect(powerCut.effect({}, null, faultContext(host))).resolves.toBe(false);
    await powerCut.inject({}, null, faultContext(host));
    expect(host.switched).toEqual(['cut']);
    await expect(powerCut.effect({}, null, faultContext(host))).resolves.toBe(true);
  });

  test('refuses a machine that is off, and one whose power it cannot reach', async () => {
    await expect(powerCut.before({}, faultContext(machine(false)))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha has no power already',
    });
    await expect(powerCut.before({}, faultContext(scriptedHost(() => ({}))))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: its power cannot be switched through script',
    });
  });

  test('switches on once, and is healed when the machine takes commands', async () => {
    const host = machine(false);
    // Asked while the machine is off: no way in is no error then, or the heal would not be reached.
    await expect(powerCut.healed({}, null, faultContext(host))).resolves.toBe(false);
    await powerCut.heal({}, null, faultContext(host));
    await powerCut.heal({}, null, faultContext(host));
    expect(host.switched).toEqual(['on']);
    await expect(powerCut.healed({}, null, faultContext(host))).resolves.toBe(true);
  });

  test('leaves a server that its cloud has found to be off to that cloud', async () => {
    const host = machine(false);
    const server = scriptedServer(['SHUTOFF']);
    await powerCut.heal({}, null, faultContext(host, server));
    expect(server.calls).toContain('start');
    expect(host.switched).toEqual([]);
  });

  test('is not healed while the cloud may still take the power away again', async () => {
    const off = scriptedServer(['SHUTOFF']);
    await expect(powerCut.healed({}, null, faultContext(machine(true), off))).resolves.toBe(false);
    const up = scriptedServer(['ACTIVE']);
    await expect(powerCut.healed({}, null, faultContext(machine(true), up))).resolves.toBe(true);
  });
});
