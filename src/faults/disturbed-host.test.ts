import { describe, expect, test } from 'vitest';
import { faultKind, faultKinds } from './catalog.ts';
import type { Json } from '../core/plan.ts';
import type { DisturbanceAt } from '../extension/conformance/disturbance.ts';
import type { Fault } from '../extension/conformance/fault-call.ts';
import { cycle, disturbances, heal } from '../extension/conformance/fault-cycle.ts';
import { faultCases, passingKinds } from './testing/fault-cases.ts';
import { createMachine, type SimulatedMachine } from './testing/simulated-machine.ts';

test('the cases cover every kind', () => {
  expect([...new Set(faultCases.map(([kind]) => kind))].sort()).toEqual(
    faultKinds.map(({ kind }) => kind).sort(),
  );
});

function faultOf(kindName: string, params: Readonly<Record<string, unknown>>): Fault {
  const kind = faultKind(kindName);
  if (kind === undefined) throw new Error(`no kind ${kindName}`);
  return { kind, params: kind.params.parse(params) };
}

/** Injects and heals on a machine with these disturbances. Returns whether the heal was proven. */
async function drill(fault: Fault, machine: SimulatedMachine, at: DisturbanceAt): Promise<boolean> {
  const { isHealed, before } = await cycle(fault, machine.context(at));
  // Without a state nothing was injected, so there is nothing to heal.
  return before === undefined ? !machine.isBroken() : isHealed;
}

/** A fault in force on a machine that no longer changes, so that nothing can undo it. */
async function stuck(fault: Fault): Promise<{ readonly machine: SimulatedMachine; readonly before: Json }> {
  const machine = createMachine();
  const ctx = machine.context();
  const before = await fault.kind.before(fault.params, ctx);
  await fault.kind.inject(fault.params, before, ctx);
  expect(await fault.kind.effect(fault.params, before, ctx)).toBe(true);
  machine.freeze();
  return { machine, before };
}

describe.each(faultCases)('%s %j', (kindName, given) => {
  const fault = faultOf(kindName, given);

  test('is injected, observed, and healed if no step is disturbed', async () => {
    const machine = createMachine();
    const ctx = machine.context();
    const before = await fault.kind.before(fault.params, ctx);
    await fault.kind.inject(fault.params, before, ctx);
    expect(machine.isBroken()).toBe(!passingKinds.includes(kindName));
    expect(await fault.kind.effect(fault.params, before, ctx)).toBe(true);
    expect(await heal(fault, before, ctx)).toBe(true);
    expect(machine.isBroken()).toBe(false);
  });

  test.each(disturbances)(
    'is never reported as healed while it is in force, if one step is disturbed: %s',
    async (disturbance) => {
      const whole = createMachine();
      await drill(fault, whole, () => undefined);
      const steps = whole.steps();
      expect(steps).toBeGreaterThan(2);
      const falselyHealed: number[] = [];
      for (let at = 0; at < steps; at += 1) {
        const machine = createMachine();
        const isHealed = await drill(fault, machine, (step) => (step === at ? disturbance : undefined));
        if (isHealed && machine.isBroken()) falselyHealed.push(at);
      }
      expect(falselyHealed).toEqual([]);
    },
  );

  // `command` has no evidence other than the exit codes of its own commands.
  const used = disturbances.filter(
    (disturbance) =>
      kindName !== 'command' || (disturbance !== 'silent' && disturbance !== 'another answers'),
  );
  test.skipIf(passingKinds.includes(kindName)).each(used)(
    'is never reported as healed if nothing can undo it and every step is disturbed: %s',
    async (disturbance) => {
      const { machine, before } = await stuck(fault);
      expect(
        await heal(
          fault,
          before,
          machine.context(() => disturbance),
        ),
      ).toBe(false);
    },
  );
});
