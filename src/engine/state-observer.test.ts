import { describe, expect, test } from 'vitest';
import type { Clock } from '../core/clock.ts';
import type { PlannedProbe } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import { runMs, wallMs } from '../core/time.ts';
import { fromPlain } from '../core/testing/plain.ts';
import { createMachineHealth } from './machine-health.ts';
import { seeded } from '../analysis/testing/log-builder.ts';
import { simulatedClock } from './testing/simulated-clock.ts';
import { createStateObserver } from './state-observer.ts';

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

/** A clock that tests advance. A sleep advances it, too, so that waits end. */
function manualClock(): Clock & { advance(ms: number): void } {
  let nowMs = 0;
  return {
    nowMs: () => runMs(nowMs),
    wallMs: () => wallMs(nowMs),
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
  return fromPlain<Sample>({
    probe: id,
    slot: Math.floor(at / 1000),
    dueMs: at,
    sendMs: at,
    finishMs: at,
    status: 'ok',
    ...part,
  });
}

const probes = [
  probe('health'),
  probe('role', 'a'),
  probe('role', 'b'),
  probe('router', 'a'),
  probe('router', 'b'),
];
const roles = { primary: { probe: 'role', is: ['primary'] } };

function makeObserver() {
  const clock = manualClock();
  return { clock, observer: createStateObserver({ probes, roles }, clock) };
}

describe('the observed state', () => {
  test('names each condition that does not hold, with the observed values', () => {
    const { observer } = makeObserver();
    observer.record(sample('health', 0, { status: 'fail', cause: 'timeout' }));
    expect(
      observer.unmet([{ probe: 'health' }, { probe: 'role', is: ['primary'], count: { min: 1, max: 1 } }]),
    ).toEqual([
      'health is ok everywhere (health: fail timeout)',
      'role is primary on exactly 1 (role@a: no fresh answer; role@b: no fresh answer)',
    ]);
  });

  test('ignores a stale sample', () => {
    const { observer, clock } = makeObserver();
    observer.record(sample('health', 0));
    clock.advance(3900);
    expect(observer.unmet([{ probe: 'health' }])).toEqual([]);
    clock.advance(1);
    expect(observer.unmet([{ probe: 'health' }])).toEqual([
      'health is ok everywhere (health: no fresh answer)',
    ]);
  });

  test('takes the sample of the later slot as the latest, in any order of arrival', () => {
    const { observer } = makeObserver();
    observer.record(sample('role@a', 2000, { value: 'standby' }));
    observer.record(sample('role@a', 1000, { value: 'primary' }));
    expect(observer.latest('role@a')?.value).toBe('standby');
  });

  test('has no value for a failed sample: the host may be a second primary', () => {
    const { observer } = makeObserver();
    const one = [{ probe: 'role', is: ['primary'], count: { min: 1, max: 1 } }];
    observer.record(sample('role@a', 0, { value: 'primary' }));
    observer.record(sample('role@b', 0, { status: 'fail', cause: 'timeout' }));
    expect(observer.unmet(one)).toEqual([
      'role is primary on exactly 1 (role@a: primary; role@b: fail timeout)',
    ]);
    // At least one is certain.
    expect(observer.unmet([{ probe: 'role', is: ['primary'], count: { min: 1 } }])).toEqual([]);
  });

  test('uses the value that the probe declares for a failure', () => {
    const declared = probes.map((one) => ({ ...one, onFailure: { refused: 'down' } }));
    const observer = createStateObserver({ probes: declared, roles }, manualClock());
    observer.record(sample('role@a', 0, { value: 'primary' }));
    observer.record(sample('role@b', 0, { status: 'fail', cause: 'refused' }));
    expect(observer.unmet([{ probe: 'role', is: ['primary'], count: { min: 1, max: 1 } }])).toEqual([]);
    expect(observer.unmet([{ probe: 'role', host: 'b', is: ['down'] }])).toEqual([]);
  });

  test('takes a failed sample as proof of nothing running if a fault has cut the power', () => {
    const off = new Set(['b']);
    const observer = createStateObserver({ probes, roles }, manualClock(), undefined, (host) =>
      off.has(host),
    );
    const one = [{ probe: 'role', is: ['primary'], count: { min: 1, max: 1 } }];
    observer.record(sample('role@a', 0, { value: 'primary' }));
    for (const part of [{ status: 'fail', cause: 'timeout' }, { status: 'unknown' }] as const) {
      observer.record(sample('role@b', 0, part));
      expect(observer.unmet(one)).toEqual([]);
    }
    off.clear();
    expect(observer.unmet(one)).toHaveLength(1);
  });

  test('counts an instance only if the condition’s other probes hold on its host', () => {
    const { observer } = makeObserver();
    const both = [
      { probe: 'role', is: ['primary'], and: [{ probe: 'router', is: ['up'] }], count: { min: 1, max: 1 } },
    ];
    observer.record(sample('role@a', 0, { value: 'primary' }));
    observer.record(sample('router@a', 0, { value: 'up' }));
    // The unknown role of b does not matter, because its router is down.
    observer.record(sample('role@b', 0, { status: 'fail', cause: 'timeout' }));
    observer.record(sample('router@b', 0, { value: 'down' }));
    expect(observer.unmet(both)).toEqual([]);
    observer.record(sample('router@b', 1000, { value: 'up' }));
    expect(observer.unmet(both)).toEqual([
      'role is primary and router is up on exactly 1 (role@a: primary; router@a: up; role@b: fail timeout; router@b: up)',
    ]);
  });

  test('resolves a role to the one host that has it', () => {
    const { observer } = makeObserver();
    observer.record(sample('role@a', 0, { value: 'standby' }));
    observer.record(sample('role@b', 0, { value: 'primary' }));
    expect(observer.resolveRole('primary', roles.primary)).toBe('b');
  });

  test.each([
    ['standby', 'no host'],
    ['primary', '2 hosts \\(a, b\\)'],
  ])('refuses a role when both are %s', (value, what) => {
    const { observer } = makeObserver();
    observer.record(sample('role@a', 0, { value }));
    observer.record(sample('role@b', 0, { value }));
    expect(() => observer.resolveRole('primary', roles.primary)).toThrow(new RegExp(`it matches ${what}`));
  });

  test('binds a condition to the host that has a role at that moment', () => {
    const { observer } = makeObserver();
    const together = [{ probe: 'router', role: 'primary' }];
    expect(observer.unmet(together)).toEqual(['router@the primary is ok (no host is primary)']);
    observer.record(sample('role@a', 0, { value: 'primary' }));
    observer.record(sample('router@a', 0, { status: 'fail', cause: 'refused' }));
    observer.record(sample('router@b', 0));
    expect(observer.unmet(together)).toEqual(['router@the primary is ok (router@a: fail refused)']);
    observer.record(sample('role@a', 1000, { value: 'standby' }));
    observer.record(sample('role@b', 1000, { value: 'primary' }));
    expect(observer.unmet(together)).toEqual([]);
  });
});

describe('a gate', () => {
  const gate = { require: [{ probe: 'health' }], forMs: 2000, withinMs: 10_000 };
  const never = new AbortController().signal;

  /** Feeds a sample of the given status every 100 ms of the manual clock. */
  function feed(
    observer: ReturnType<typeof createStateObserver>,
    clock: Clock,
    statusAt: (ms: number) => Sample['status'],
  ) {
    const sleep = clock.sleep.bind(clock);
    clock.sleep = async (ms, signal) => {
      await sleep(ms, signal);
      const now = clock.nowMs();
      observer.record({ ...sample('health', now, { status: statusAt(now) }), slot: now });
    };
  }

  test('is met when its conditions held without interruption', async () => {
    const { observer, clock } = makeObserver();
    feed(observer, clock, () => 'ok');
    await expect(observer.waitForGate(gate, never)).resolves.toEqual({ met: true, unmet: [] });
    expect(clock.nowMs()).toBeGreaterThanOrEqual(2000);
  });

  test('restarts its hold after an interruption', async () => {
    const { observer, clock } = makeObserver();
    feed(observer, clock, (ms) => (ms === 1900 ? 'fail' : 'ok'));
    await expect(observer.waitForGate(gate, never)).resolves.toMatchObject({ met: true });
    expect(clock.nowMs()).toBeGreaterThanOrEqual(3900);
  });

  test('ends in time and names the missing condition', async () => {
    const { observer, clock } = makeObserver();
    feed(observer, clock, () => 'fail');
    await expect(observer.waitForGate(gate, never)).resolves.toEqual({
      met: false,
      unmet: ['health is ok everywhere (health: fail)'],
    });
    expect(clock.nowMs()).toBeLessThan(11_000);
  });

  test('is not met if the conditions held for too short a time', async () => {
    const { observer, clock } = makeObserver();
    feed(observer, clock, (ms) => (ms > 9000 ? 'ok' : 'fail'));
    const { met, unmet } = await observer.waitForGate(gate, never);
    expect(met).toBe(false);
    expect(unmet).toEqual([expect.stringMatching(/^all conditions held, but only for /)]);
  });

  test('is not met with `fit` until the machine was fit during the hold', async () => {
    const clock = manualClock();
    const machine = createMachineHealth();
    const observer = createStateObserver({ probes, roles }, clock, machine);
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
    const wait = async (machineHealthy: boolean) => {
      const fromMs = clock.nowMs();
      const out = await observer.waitForGate(gate, new AbortController().signal, { machineHealthy });
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
    // Fit again, as soon as the median of the hold is.
    dilation = 1;
    const { met, afterMs } = await wait(true);
    expect(met).toBe(true);
    expect(afterMs).toBeGreaterThanOrEqual(3000);
    expect(afterMs).toBeLessThan(5000);
  });

  test('names both the missing condition and the unfit machine', async () => {
    const clock = manualClock();
    const machine = { unmet: () => ['this machine is overloaded'] };
    const observer = createStateObserver({ probes, roles }, clock, machine);
    const gate = { require: [{ probe: 'health' }], forMs: 1000, withinMs: 2000 };
    const { unmet } = await observer.waitForGate(gate, new AbortController().signal, {
      machineHealthy: true,
    });
    expect(unmet).toEqual([
      'health is ok everywhere (health: no fresh answer)',
      'this machine is overloaded',
    ]);
  });
});

describe('a gate and late answers', () => {
  const never = new AbortController().signal;
  const gate = { require: [{ probe: 'health' }], forMs: 5000, withinMs: 60_000 };

  /** A probe with an interval of 200 ms and a timeout of 900 ms. Slot n is sent at n * 200 ms with that outcome. */
  function replay(
    outcome: (slot: number) => { readonly afterMs: number; readonly bad?: boolean } | 'dropped',
  ) {
    const clock = simulatedClock();
    const observer = createStateObserver(
      { probes: [{ ...probe('health'), intervalMs: 200 }], roles: {} },
      clock,
    );
    const stop = new AbortController();
    const send = async (slot: number): Promise<void> => {
      const sendMs = slot * 200;
      const what = outcome(slot);
      if (what === 'dropped') return observer.drop('health', slot);
      await clock.sleep(what.afterMs, stop.signal);
      const end = { slot, finishMs: clock.nowMs() };
      const bad = { status: 'fail', cause: 'timeout' } as const;
      observer.record(sample('health', sendMs, what.bad === true ? { ...end, ...bad } : end));
    };
    const sending = (async () => {
      for (let slot = 0; !stop.signal.aborted; slot++) {
        void send(slot).catch(() => undefined);
        await clock.sleep(200, stop.signal).catch(() => undefined);
      }
    })();
    const wait = async (part: Partial<typeof gate> = {}) => {
      const out = await observer.waitForGate({ ...gate, ...part }, never);
      const atMs = clock.nowMs();
      stop.abort();
      await sending;
      return { ...out, atMs };
    };
    return { wait, observer, clock };
  }

  test('is never met while half of the samples time out', async () => {
    const { wait } = replay((slot) => (slot % 2 === 0 ? { afterMs: 5 } : { afterMs: 900, bad: true }));
    expect(await wait()).toMatchObject({ met: false });
  });

  test.each([0.02, 0.1, 0.5])(
    'is met after its hold alone, whichever samples time out: a share of %s',
    async (share) => {
      for (let seed = 1; seed <= 8; seed++) {
        const random = seeded(seed);
        const bad = Array.from({ length: 400 }, () => random() < share);
        const { wait } = replay((slot) =>
          bad[slot] === true ? { afterMs: 900, bad: true } : { afterMs: 5 + 400 * random() },
        );
        const { met, atMs } = await wait();
        // Before it is met, there are five seconds without a failed sample. With a share of 0.5 there never are.
        const sentBad = bad.flatMap((one, slot) => (one && slot * 200 < atMs ? [slot * 200] : []));
        const edges = [-1, ...sentBad, atMs];
        const longestMs = Math.max(...edges.slice(1).map((edge, i) => edge - (edges[i] ?? 0)));
        expect(met && (longestMs < 5000 || share === 0.5)).toBe(false);
      }
    },
  );

  test('is met only once all samples sent within its hold are answered', async () => {
    // The last sample of the first five seconds is good, and its answer comes just before its timeout.
    const { wait } = replay((slot) => (slot === 25 ? { afterMs: 850 } : { afterMs: 5 }));
    const { met, atMs } = await wait();
    expect(met).toBe(true);
    expect(atMs).toBeGreaterThanOrEqual(5850);
    expect(atMs).toBeLessThan(6100);
  });

  test('counts a failed sample that was sent within its hold, even if it arrives late', async () => {
    const { wait } = replay((slot) => (slot === 24 ? { afterMs: 900, bad: true } : { afterMs: 5 }));
    const { met, atMs } = await wait();
    expect(met).toBe(true);
    // Sent at 4.8 s, known at 5.7 s: the hold begins again.
    expect(atMs).toBeGreaterThanOrEqual(10_700);
  });

  test('dates a timeout to its send time: one from before the hold does not break it', async () => {
    // Slot 0 hangs, slot 1 is good at once.
    const { wait } = replay((slot) => (slot === 0 ? { afterMs: 900, bad: true } : { afterMs: 5 }));
    const { met, atMs } = await wait();
    expect(met).toBe(true);
    expect(atMs).toBeLessThan(5600);
  });

  test('waits at most one timeout for a missing answer', async () => {
    const { wait } = replay((slot) => (slot === 10 ? { afterMs: 1e9 } : { afterMs: 5 }));
    const { met, atMs } = await wait();
    expect(met).toBe(true);
    expect(atMs).toBeLessThan(6200);
  });

  test('does not wait for slots that were never sent', async () => {
    const { wait } = replay((slot) => (slot === 10 ? 'dropped' : { afterMs: 5 }));
    const { met, atMs } = await wait();
    expect(met).toBe(true);
    expect(atMs).toBeLessThan(5500);
  });

  test('counts a failed sample that a good one follows before the next check', async () => {
    const { wait, observer, clock } = replay(() => ({ afterMs: 5 }));
    const waiting = wait({ forMs: 2000 });
    await clock.sleep(1100, never);
    observer.record(sample('health', 1100, { slot: 5, status: 'fail', cause: 'refused' }));
    observer.record(sample('health', 1100, { slot: 5 }));
    const { met, atMs } = await waiting;
    expect(met).toBe(true);
    expect(atMs).toBeGreaterThanOrEqual(3100);
  });

  test('can end as soon as a condition is lost, and names it', async () => {
    const { wait, observer, clock } = replay((slot) =>
      slot === 6 ? { afterMs: 5, bad: true } : { afterMs: 5 },
    );
    await clock.sleep(500, never);
    const out = await observer.waitForGate(gate, never, { endWhenLost: true });
    expect(out).toEqual({
      met: false,
      lost: true,
      unmet: ['health is ok everywhere (health: fail timeout)'],
    });
    expect(clock.nowMs()).toBeLessThan(1300);
    await wait({ forMs: 0 });
  });

  test('restarts its hold after an unknown sample, which is not a loss', async () => {
    const { wait, observer, clock } = replay(() => ({ afterMs: 5 }));
    await clock.sleep(500, never);
    const waiting = observer.waitForGate({ ...gate, forMs: 1000 }, never, { endWhenLost: true });
    await clock.sleep(600, never);
    observer.record(sample('health', 1100, { slot: 5, status: 'unknown' }));
    expect(await waiting).toEqual({ met: true, unmet: [] });
    expect(clock.nowMs()).toBeGreaterThanOrEqual(2100);
    await wait({ forMs: 0 });
  });
});
