import { describe, expect, test } from 'vitest';
import { awaitRecovery } from './await-recovery.ts';
import { fakePlan } from './testing/fake-machine.ts';
import { simulatedClock } from './testing/simulated-clock.ts';
import { createStateObserver } from './state-observer.ts';

/**
 * Runs the wait with a recovery probe: interval 200 ms, timeout 900 ms. Slot n is sent at n * 200 ms with that outcome. The fault
 * acts until `faultMs`.
 */
async function recover(
  outcome: (slot: number) => 'good' | 'refused' | 'timeout' | 'unknown',
  { faultMs = 0, withinMs = 30_000 } = {},
) {
  const clock = simulatedClock();
  const [probe] = fakePlan().probes;
  if (probe === undefined) throw new Error('no probe');
  const plan = {
    ...fakePlan(),
    probes: [{ ...probe, intervalMs: 200, timeoutMs: 900 }],
    recovery: { probe: 'web', withinMs, stableForMs: 2000 },
  };
  const observer = createStateObserver(plan, clock);
  const stop = new AbortController();
  const send = async (slot: number): Promise<void> => {
    const what = outcome(slot);
    const sendMs = clock.nowMs();
    await clock.sleep(what === 'timeout' ? 900 : 5, stop.signal);
    const times = { slot, dueMs: sendMs, sendMs, finishMs: clock.nowMs() };
    observer.record({
      probe: 'web',
      ...times,
      ...(what === 'good'
        ? { status: 'ok' }
        : what === 'unknown'
          ? { status: what }
          : { status: 'fail', cause: what }),
    });
  };
  const sending = (async () => {
    for (let slot = 0; !stop.signal.aborted; slot++) {
      void send(slot).catch(() => undefined);
      await clock.sleep(200, stop.signal).catch(() => undefined);
    }
  })();
  const run = { plan, observer, hostByFault: new Map(), signal: new AbortController().signal, clock };
  const out = await awaitRecovery(run, {
    get isOver() {
      return clock.nowMs() >= faultMs;
    },
  });
  const atMs = clock.nowMs();
  stop.abort();
  await sending;
  return { ...out, atMs };
}

describe('the wait for a recovery', () => {
  test('is over once the probe has been good for long enough after it was bad', async () => {
    const { met, atMs } = await recover((slot) => (slot < 10 ? 'refused' : 'good'));
    expect(met).toBe(true);
    expect(atMs).toBeGreaterThanOrEqual(4005);
    expect(atMs).toBeLessThan(4500);
  });

  test('is not over while every other sample times out', async () => {
    const { met } = await recover((slot) => (slot < 10 || slot % 2 === 1 ? 'timeout' : 'good'));
    expect(met).toBe(false);
  });

  test('counts a timeout that was sent while it was good, however late it arrives', async () => {
    // Good from 2.0 s on, except for the sample sent at 3.8 s.
    const { met, atMs } = await recover((slot) => (slot < 10 ? 'refused' : slot === 19 ? 'timeout' : 'good'));
    expect(met).toBe(true);
    expect(atMs).toBeGreaterThanOrEqual(6000);
  });

  test('ignores a timeout that was sent before the recovery', async () => {
    const { met, atMs } = await recover((slot) => (slot < 10 ? 'timeout' : 'good'));
    expect(met).toBe(true);
    expect(atMs).toBeLessThan(4500);
  });

  describe('while a fault with its own duration acts', () => {
    test('is not over after a short early outage: the later outage counts', async () => {
      // Down for 1 s, up for 8 s, down from 9 s to 42 s; the fault is healed at 30 s.
      const isDown = (slot: number) => slot < 5 || (slot >= 45 && slot < 210);
      const { met, atMs } = await recover((slot) => (isDown(slot) ? 'refused' : 'good'), {
        faultMs: 30_000,
        withinMs: 60_000,
      });
      expect(met).toBe(true);
      expect(atMs).toBeGreaterThanOrEqual(44_005);
    });

    test('without an outage, waits for the end of the fault and for the answers to earlier samples', async () => {
      const { met, atMs } = await recover(() => 'good', { faultMs: 25_000 });
      expect(met).toBe(true);
      expect(atMs).toBeGreaterThanOrEqual(25_000);
      expect(atMs).toBeLessThan(26_200);
    });

    test('goes on after `within` while the service is up', async () => {
      const { met, atMs } = await recover((slot) => (slot < 10 ? 'refused' : 'good'), {
        faultMs: 50_000,
        withinMs: 20_000,
      });
      expect(met).toBe(true);
      expect(atMs).toBeGreaterThanOrEqual(50_000);
    });

    test('goes on after `within` if one sample is unknown', async () => {
      const { met, atMs } = await recover(
        (slot) => (slot < 10 ? 'refused' : slot === 60 ? 'unknown' : 'good'),
        {
          faultMs: 20_000,
          withinMs: 8000,
        },
      );
      expect(met).toBe(true);
      expect(atMs).toBeGreaterThanOrEqual(20_000);
    });

    test('ends with `within` if the service is down then, or later as soon as it goes down', async () => {
      const down = await recover(() => 'refused', { faultMs: 50_000, withinMs: 20_000 });
      expect(down).toMatchObject({ met: false, unmet: ['web: fail refused'] });
      expect(down.atMs).toBeLessThan(20_300);
      const later = await recover((slot) => (slot >= 150 ? 'refused' : 'good'), {
        faultMs: 50_000,
        withinMs: 20_000,
      });
      expect(later.met).toBe(false);
      expect(later.atMs).toBeLessThan(30_300);
    });
  });
});
