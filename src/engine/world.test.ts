import { describe, expect, test } from 'vitest';
import type { Clock } from '../core/clock.ts';
import type { PlannedProbe } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import { createMachineFitness } from './machine-fitness.ts';
import { createWorld } from './world.ts';

function probe(name: string, host?: string): PlannedProbe {
  const id = host === undefined ? name : `${name}@${host}`;
  return {
    id,
    name,
    ...(host === undefined ? {} : { host }),
    kind: 'http',
    params: {},
    intervalMs: 1000,
    timeoutMs: 900,
  };
}

/** A clock that tests move. Sleeping moves it, too, so that waits end. */
function manualClock(): Clock & { advance(ms: number): void } {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    wallMs: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
    sleep: async (ms) => {
      await Promise.resolve();
      nowMs += ms;
    },
  };
}

function sample(id: string, at: number, part: Partial<Sample> = {}): Sample {
  return {
    probe: id,
    slot: Math.floor(at / 1000),
    dueMs: at,
    sendMs: at,
    finishMs: at,
    status: 'ok',
    ...part,
  };
}

const probes = [
  probe('health'),
  probe('role', 'a'),
  probe('role', 'b'),
  probe('router', 'a'),
  probe('router', 'b'),
];
const roles = { primary: { probe: 'role', is: ['primary'] } };

function makeWorld() {
  const clock = manualClock();
  return { clock, world: createWorld({ probes, roles }, clock) };
}

describe('a world', () => {
  test('says of each condition that does not hold what is seen instead', () => {
    const { world } = makeWorld();
    world.see(sample('health', 0, { status: 'fail', cause: 'timeout' }));
    expect(
      world.unmet([{ probe: 'health' }, { probe: 'role', is: ['primary'], count: { min: 1, max: 1 } }]),
    ).toEqual([
      'health is ok everywhere (health: fail timeout)',
      'role is primary on exactly 1 (role@a: no fresh answer; role@b: no fresh answer)',
    ]);
  });

  test('does not let an old sample speak for the present', () => {
    const { world, clock } = makeWorld();
    world.see(sample('health', 0));
    clock.advance(3900);
    expect(world.unmet([{ probe: 'health' }])).toEqual([]);
    clock.advance(1);
    expect(world.unmet([{ probe: 'health' }])).toEqual(['health is ok everywhere (health: no fresh answer)']);
  });

  test('takes the later request for the later word, whichever answer comes first', () => {
    const { world } = makeWorld();
    world.see(sample('role@a', 2000, { value: 'standby' }));
    world.see(sample('role@a', 1000, { value: 'primary' }));
    expect(world.fresh('role@a')?.value).toBe('standby');
  });

  test('resolves a role to the one host that has it', () => {
    const { world } = makeWorld();
    world.see(sample('role@a', 0, { value: 'standby' }));
    world.see(sample('role@b', 0, { value: 'primary' }));
    expect(world.resolveRole('primary', roles.primary)).toBe('b');
  });

  test.each([
    ['standby', 'no host'],
    ['primary', '2 hosts \\(a, b\\)'],
  ])('refuses a role when both are %s', (value, what) => {
    const { world } = makeWorld();
    world.see(sample('role@a', 0, { value }));
    world.see(sample('role@b', 0, { value }));
    expect(() => world.resolveRole('primary', roles.primary)).toThrow(new RegExp(`fits ${what}`));
  });

  test('binds a condition to the host that has a role at that moment', () => {
    const { world } = makeWorld();
    const together = [{ probe: 'router', role: 'primary' }];
    expect(world.unmet(together)).toEqual(['router@the primary is ok (no host is primary)']);
    world.see(sample('role@a', 0, { value: 'primary' }));
    world.see(sample('router@a', 0, { status: 'fail', cause: 'refused' }));
    world.see(sample('router@b', 0));
    expect(world.unmet(together)).toEqual(['router@the primary is ok (router@a: fail refused)']);
    world.see(sample('role@a', 1000, { value: 'standby' }));
    world.see(sample('role@b', 1000, { value: 'primary' }));
    expect(world.unmet(together)).toEqual([]);
  });
});

describe('a gate', () => {
  const gate = { require: [{ probe: 'health' }], forMs: 2000, withinMs: 10_000 };
  const never = new AbortController().signal;

  /** Feeds a sample of the given status every 100 ms of the manual clock. */
  function feed(
    world: ReturnType<typeof createWorld>,
    clock: Clock,
    statusAt: (ms: number) => Sample['status'],
  ) {
    const sleep = clock.sleep.bind(clock);
    clock.sleep = async (ms, signal) => {
      await sleep(ms, signal);
      const now = clock.nowMs();
      world.see({ ...sample('health', now, { status: statusAt(now) }), slot: now });
    };
  }

  test('is met when its conditions held without a break', async () => {
    const { world, clock } = makeWorld();
    feed(world, clock, () => 'ok');
    await expect(world.waitForGate(gate, never)).resolves.toEqual({ met: true, unmet: [] });
    expect(clock.nowMs()).toBeGreaterThanOrEqual(2000);
  });

  test('starts counting again after a break', async () => {
    const { world, clock } = makeWorld();
    feed(world, clock, (ms) => (ms === 1900 ? 'fail' : 'ok'));
    await expect(world.waitForGate(gate, never)).resolves.toMatchObject({ met: true });
    expect(clock.nowMs()).toBeGreaterThanOrEqual(3900);
  });

  test('gives up in time and says what was missing', async () => {
    const { world, clock } = makeWorld();
    feed(world, clock, () => 'fail');
    await expect(world.waitForGate(gate, never)).resolves.toEqual({
      met: false,
      unmet: ['health is ok everywhere (health: fail)'],
    });
    expect(clock.nowMs()).toBeLessThan(11_000);
  });

  test('does not count what held for less than was asked', async () => {
    const { world, clock } = makeWorld();
    feed(world, clock, (ms) => (ms > 9000 ? 'ok' : 'fail'));
    const { met, unmet } = await world.waitForGate(gate, never);
    expect(met).toBe(false);
    expect(unmet).toEqual([expect.stringMatching(/^held for .* only$/)]);
  });

  test('holds a gate that asks for a fit machine back until it was fit over the hold', async () => {
    const clock = manualClock();
    const machine = createMachineFitness();
    const world = createWorld({ probes, roles }, clock, machine);
    const gate = { require: [], forMs: 3000, withinMs: 8000 };
    let dilation = 1;
    const work = (): void => machine.addSample({ finishMs: clock.nowMs(), cpuMs: 8, wallMs: 8 * dilation });
    const sleep = clock.sleep.bind(clock);
    let dueMs = 0;
    clock.sleep = async (ms, signal) => {
      await sleep(ms, signal);
      if (clock.nowMs() < dueMs) return;
      work();
      dueMs = clock.nowMs() + 500;
    };
    const wait = async (fit: boolean) => {
      const fromMs = clock.nowMs();
      const out = await world.waitForGate(gate, new AbortController().signal, { fit });
      return { ...out, afterMs: clock.nowMs() - fromMs };
    };
    machine.startControl(clock.nowMs());
    expect(await wait(true)).toEqual({ met: true, unmet: [], afterMs: 3000 });
    dilation = 12;
    expect(await wait(false)).toMatchObject({ met: true, afterMs: 3000 });
    expect(await wait(true)).toEqual({
      met: false,
      unmet: [
        expect.stringMatching(/^this machine is overloaded: 8 ms of CPU work took 96 ms \(dilation 12 x/),
      ],
      afterMs: 8000,
    });
    // Fit again: as soon as most of the hold was.
    dilation = 1;
    const { met, afterMs } = await wait(true);
    expect(met).toBe(true);
    expect(afterMs).toBeGreaterThanOrEqual(3000);
    expect(afterMs).toBeLessThan(5000);
  });

  test('names both, what is missing and that the machine is not fit', async () => {
    const clock = manualClock();
    const machine = { unmet: () => ['this machine is overloaded'] };
    const world = createWorld({ probes, roles }, clock, machine);
    const gate = { require: [{ probe: 'health' }], forMs: 1000, withinMs: 2000 };
    const { unmet } = await world.waitForGate(gate, new AbortController().signal, { fit: true });
    expect(unmet).toEqual([
      'health is ok everywhere (health: no fresh answer)',
      'this machine is overloaded',
    ]);
  });
});
