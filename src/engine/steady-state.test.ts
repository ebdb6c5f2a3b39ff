import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DrillEvent } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import { openEventLog, type EventLog } from './event-log.ts';
import { openLedger } from './ledger.ts';
import { createRun } from './run.ts';
import { followSteadyState } from './steady-state.ts';
import { FakeMachine, planOf } from './testing/fake-machine.ts';
import { simulatedClock } from './testing/simulated-clock.ts';

let folder: string;
let log: EventLog;
let clock: ReturnType<typeof simulatedClock>;
let events: DrillEvent[];
const never = new AbortController().signal;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steady-'));
  clock = simulatedClock();
  log = openEventLog(join(folder, 'events.ndjson'), clock);
  events = [];
  log.subscribe((event) => events.push(event));
});
afterEach(() => {
  log.close();
  rmSync(folder, { recursive: true });
});

type Outcome = 'good' | 'refused' | 'timeout' | 'unknown';

/** A probe every second, every 100 ms in the burst: comes out as `outcome` says by time and rate. */
function steadyStack(outcome: (atMs: number, burst: boolean) => Outcome, part: Partial<Plan> = {}) {
  const base = planOf('http://unused/');
  const [probe] = base.probes;
  if (probe === undefined) throw new Error('no probe');
  const plan: Plan = {
    ...base,
    probes: [{ ...probe, intervalMs: 1000, burstIntervalMs: 100, timeoutMs: 900 }],
    steady: { require: [{ probe: 'web' }], forMs: 3000, withinMs: 60_000 },
    ...part,
  };
  const run = createRun(
    plan,
    {
      runId: 'r',
      clock,
      log,
      ledger: openLedger(join(folder, 'ledger')),
      versions: { firedrill: '0', node: '0' },
      createHost: () => new FakeMachine(),
      createServer: () => undefined,
    },
    never,
  );
  const stop = new AbortController();
  const isBurst = (): boolean => events.findLast((event) => event.type === 'rate.changed')?.burst ?? false;
  const send = async (slot: number): Promise<void> => {
    const sendMs = clock.nowMs();
    const what = outcome(sendMs, isBurst());
    await clock.sleep(what === 'timeout' ? 900 : 5, stop.signal);
    const times = { probe: 'web', slot, dueMs: sendMs, sendMs, finishMs: clock.nowMs() };
    const seen: Pick<Sample, 'status' | 'cause'> =
      what === 'good'
        ? { status: 'ok' }
        : what === 'unknown'
          ? { status: what }
          : { status: 'fail', cause: what };
    run.world.see({ ...times, ...seen });
  };
  const sending = (async () => {
    for (let slot = 0; !stop.signal.aborted; slot++) {
      void send(slot).catch(() => undefined);
      const intervalMs = isBurst() ? 100 : 1000;
      for (let waited = 0; waited < intervalMs && isBurst() === (intervalMs === 100); waited += 100)
        await clock.sleep(100, stop.signal).catch(() => undefined);
    }
  })();
  const end = async (): Promise<void> => {
    stop.abort();
    await sending;
  };
  return { steady: followSteadyState(run), run, end };
}

/** What the log has of rates and gates: when, and what. */
const told = (): string[] =>
  events.flatMap((event) =>
    event.type === 'rate.changed'
      ? [`${Math.round(event.t / 100) / 10} burst ${event.burst ? 'on' : 'off'}`]
      : event.type === 'gate'
        ? [`${Math.round(event.t / 100) / 10} ${event.gate} ${event.state}`]
        : [],
  );
/** When the burst began. */
const onMs = (): number => events.findLast((event) => event.type === 'rate.changed')?.t ?? 0;
const lastGate = () => events.findLast((event) => event.type === 'gate');

describe('the steady state', () => {
  test('is reached at the base rate, and borne at the burst rate', async () => {
    const { steady, end } = steadyStack(() => 'good');
    expect(await steady.reach()).toBe(true);
    expect(told()).toEqual(['4 steady met', '4 burst on']);
    expect(clock.nowMs()).toBeLessThan(6300);
    expect(steady.isHeld()).toBe(true);
    await end();
  });

  test('ends the burst at the first sample that contradicts it, and tries it once more', async () => {
    let bad = 1;
    const { steady, end } = steadyStack((_, burst) => (burst && bad-- > 0 ? 'refused' : 'good'));
    expect(await steady.reach()).toBe(true);
    expect(told()).toEqual(['4 steady met', '4 burst on', '4.1 burst off', '8.2 steady met', '8.2 burst on']);
    await end();
  });

  test('is given up when the burst loses it again, and says that probing may be the load', async () => {
    const { steady, end } = steadyStack((atMs, burst) =>
      burst && atMs > onMs() + 1000 ? 'refused' : 'good',
    );
    expect(await steady.reach()).toBe(false);
    expect(told().filter((line) => line.includes('burst'))).toHaveLength(4);
    expect(lastGate()).toMatchObject({
      state: 'timeout',
      unmet: [
        expect.stringMatching(
          /^web is ok everywhere \(web: fail refused\): lost 1\.\d\d s after the burst began, at 10 samples and 10 new connections a second: probing itself may be the load$/,
        ),
        'hint: raise `burst` or `interval` of the probes in the target file',
      ],
    });
    // No longer than it took to lose it twice: not the whole of `within` at the burst rate.
    expect(clock.nowMs()).toBeLessThan(16_000);
    await end();
  });

  test('is given up when it does not come back after the burst, within what is left of its time', async () => {
    let lost = false;
    const { steady, end } = steadyStack((_, burst) => {
      if (burst) lost = true;
      return lost ? 'timeout' : 'good';
    });
    expect(await steady.reach()).toBe(false);
    expect(clock.nowMs()).toBeLessThan(61_000);
    expect(told().filter((line) => line.includes('burst'))).toHaveLength(2);
    expect(lastGate()).toMatchObject({
      unmet: [
        expect.stringContaining('after the burst began') as string,
        expect.stringContaining('hint:') as string,
        'since then: web is ok everywhere (web: fail timeout)',
      ],
    });
    await end();
  });

  test('takes what is unknown under the burst for no loss: it waits', async () => {
    let first = 3;
    const { steady, end } = steadyStack((_, burst) => (burst && first-- > 0 ? 'unknown' : 'good'));
    expect(await steady.reach()).toBe(true);
    expect(told()).toEqual(['4 steady met', '4 burst on']);
    await end();
  });

  test('that is lost before the fault ends the burst at once, whoever looks', async () => {
    const { steady, end } = steadyStack((atMs) => (atMs >= 8000 && atMs < 8100 ? 'refused' : 'good'));
    const reached = steady.reach();
    await clock.sleep(7950, never);
    expect(await reached).toBe(true);
    expect(steady.isHeld()).toBe(true);
    await clock.sleep(500, never);
    expect(told().at(-1)).toBe('8 burst off');
    // The last word is good: what was sent before counts all the same.
    expect(steady.isHeld()).toBe(false);
    expect(await steady.regain()).toBe(true);
    expect(steady.isHeld()).toBe(true);
    await end();
  });

  test('is not held while nothing fresh is known', async () => {
    const { steady, end } = steadyStack(() => 'good');
    expect(await steady.reach()).toBe(true);
    await end();
    await clock.sleep(10_000, never);
    expect(steady.isHeld()).toBe(false);
  });

  test('is not waited for again longer than its time, and the fault is not to act', async () => {
    const { steady, end } = steadyStack((atMs) => (atMs > 8000 ? 'refused' : 'good'));
    expect(await steady.reach()).toBe(true);
    await clock.sleep(3000, never);
    const fromMs = clock.nowMs();
    const both = await Promise.all([steady.regain(), steady.regain()]);
    expect(both).toEqual([false, false]);
    expect(clock.nowMs() - fromMs).toBeLessThan(61_000);
    expect(lastGate()).toMatchObject({ gate: 'steady', state: 'timeout' });
    await end();
  });

  test('is told of as lost with what was missing then, also where that is back when it is waited for', async () => {
    let quiet = false;
    const { steady, run, end } = steadyStack(() => 'good');
    expect(await steady.reach()).toBe(true);
    run.world.unmet = () => (quiet ? ['web is ok everywhere (web: no fresh answer)'] : []);
    quiet = true;
    expect(steady.isHeld()).toBe(false);
    quiet = false;
    expect(await steady.regain()).toBe(true);
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'log',
        text: 'steady state lost: web is ok everywhere (web: no fresh answer)',
      }),
    );
    await end();
  });

  test('is lost with the service, also where the gate does not ask for that', async () => {
    const steady = { require: [], forMs: 3000, withinMs: 20_000 };
    const stack = steadyStack((atMs) => (atMs > 8000 ? 'refused' : 'good'), { steady });
    expect(await stack.steady.reach()).toBe(true);
    await clock.sleep(5000, never);
    expect(stack.steady.isHeld()).toBe(false);
    expect(await stack.steady.regain()).toBe(false);
    expect(lastGate()).toMatchObject({ gate: 'steady', state: 'timeout' });
    await stack.end();
  });

  test('asks for no service that was never up', async () => {
    const steady = { require: [], forMs: 3000, withinMs: 20_000 };
    const stack = steadyStack(() => 'refused', { steady });
    expect(await stack.steady.reach()).toBe(true);
    expect(stack.steady.isHeld()).toBe(true);
    await stack.end();
  });

  test('may be lost once a fault acts: the burst goes on', async () => {
    const { steady, end } = steadyStack((atMs) => (atMs > 8000 ? 'refused' : 'good'));
    expect(await steady.reach()).toBe(true);
    steady.end();
    await clock.sleep(5000, never);
    expect(steady.isHeld()).toBe(true);
    expect(told().at(-1)).toBe('4 burst on');
    await end();
  });
});
