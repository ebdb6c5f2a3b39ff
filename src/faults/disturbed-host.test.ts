import { describe, expect, test } from 'vitest';
import type { AnyFaultKind } from './catalog.ts';
import { faultKind, faultKinds } from './catalog.ts';
import type { FaultContext } from '../core/fault.ts';
import type { Json } from '../core/plan.ts';
import {
  createMachine,
  managementAddress,
  type DisturbanceAt,
  type Disturbance,
  type SimulatedMachine,
} from './testing/simulated-machine.ts';

/** One drill of each kind, and what it takes for it. */
const cases: readonly (readonly [kind: string, params: Readonly<Record<string, unknown>>])[] = [
  ['process.kill', { process: 'nginx', unit: 'nginx.service' }],
  ['process.kill', { process: 'nginx', container: 'web' }],
  ['container.stop', { container: 'web' }],
  ['container.kill', { container: 'web' }],
  ['container.restart', { container: 'web' }],
  ['container.pause', { container: 'web' }],
  ['container.remove', { container: 'web', projectDirectory: '/opt/app' }],
  ['compose.down', { projectDirectory: '/opt/app' }],
  ['service.stop', { units: ['nginx.service'] }],
  ['service.restart', { units: ['nginx.service'] }],
  ['power.cut', {}],
  ['server.stop', {}],
  ['server.reboot', {}],
  ['network.partition', { peers: ['198.18.0.99'] }],
  ['network.isolate', { allow: ['198.18.0.99', managementAddress] }],
  ['network.loss', { percent: 50, peers: ['198.18.0.99'] }],
  ['network.delay', { delay: '100ms' }],
  ['network.link-down', { interface: 'eth0' }],
  ['command', { run: ['break'], undo: ['repair'], effect: ['is-broken'], undone: ['is-repaired'] }],
];
/** Those that leave nothing broken where all goes well. */
const passing = ['container.restart', 'service.restart', 'server.reboot'];

const kinds: readonly Disturbance[] = [
  'lost before',
  'lost after',
  'silent',
  'another answers',
  'noisy',
  'another version',
  'no program',
  'late',
];

test('every kind is tried', () => {
  expect([...new Set(cases.map(([kind]) => kind))].sort()).toEqual(faultKinds.map(({ kind }) => kind).sort());
});

interface Fault {
  readonly kind: AnyFaultKind;
  readonly params: Json;
}

function faultOf(kindName: string, params: Readonly<Record<string, unknown>>): Fault {
  const kind = faultKind(kindName);
  if (kind === undefined) throw new Error(`no kind ${kindName}`);
  return { kind, params: kind.params.parse(params) };
}

/** How often a heal is tried, as the engine does where it gets no answer. */
const healAttempts = 5;

/** Heals until it is proven, as the engine does: each attempt may fail. */
async function heal({ kind, params }: Fault, before: Json, ctx: FaultContext): Promise<boolean> {
  for (let n = 0; n < healAttempts; n += 1) {
    try {
      await kind.heal(params, before, ctx);
      if (await kind.healed(params, before, ctx)) return true;
    } catch {
      // Not known: it is tried again.
    }
  }
  return false;
}

/** A drill in a machine of these disturbances: whether the heal was proven. */
async function drill(fault: Fault, machine: SimulatedMachine, disturbances: DisturbanceAt): Promise<boolean> {
  const { kind, params } = fault;
  const ctx = machine.context(disturbances);
  let before: Json;
  try {
    before = await kind.before(params, ctx);
  } catch {
    // Nothing was done: nothing is to be healed.
    return !machine.isBroken();
  }
  await kind.inject(params, before, ctx).catch(() => undefined);
  await kind.effect(params, before, ctx).catch(() => undefined);
  return heal(fault, before, ctx);
}

/** A fault that is in force, and that nothing undoes any more. */
async function stuck(fault: Fault): Promise<{ readonly machine: SimulatedMachine; readonly before: Json }> {
  const machine = createMachine();
  const ctx = machine.context();
  const before = await fault.kind.before(fault.params, ctx);
  await fault.kind.inject(fault.params, before, ctx);
  expect(await fault.kind.effect(fault.params, before, ctx)).toBe(true);
  machine.freeze();
  return { machine, before };
}

describe.each(cases)('%s %j', (kindName, given) => {
  const fault = faultOf(kindName, given);

  test('is injected, seen, and healed where nothing disturbs', async () => {
    const machine = createMachine();
    const ctx = machine.context();
    const before = await fault.kind.before(fault.params, ctx);
    await fault.kind.inject(fault.params, before, ctx);
    expect(machine.isBroken()).toBe(!passing.includes(kindName));
    expect(await fault.kind.effect(fault.params, before, ctx)).toBe(true);
    expect(await heal(fault, before, ctx)).toBe(true);
    expect(machine.isBroken()).toBe(false);
  });

  test.each(kinds)(
    'is never called healed while it is in force, where a step is answered: %s',
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

  // The exit of its own commands is all that a `command` goes by.
  const disturbances = kinds.filter(
    (disturbance) => kindName !== 'command' || !['silent', 'another answers'].includes(disturbance),
  );
  test.skipIf(passing.includes(kindName)).each(disturbances)(
    'that nothing undoes is never called healed, where every step is answered: %s',
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
