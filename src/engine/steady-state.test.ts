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
import { FakeMachine, fakePlan } from './testing/fake-machine.ts';
import { simulatedClock } from './testing/simulated-clock.ts';
import { webProbe } from './testing/web-machine.ts';

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

/** A run with one probe: every second, every 100 ms in the burst. `outcome` gives each sample's result by time and rate. */
function steadyStack(outcome: (atMs: number, burst: boolean) => Outcome, part: Partial<Plan> = {}) {
  const base = fakePlan(webProbe('http://unused/'));
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
    run.observer.record({ ...times, ...seen });
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

/** The log's rate changes and gates, with times in s. */
const reported = (): string[] =>
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
  test('is reached at the base rate, and holds at the burst rate', async () => {
    const { steady, end } = steadyStack(() => 'good');
    expect(await steady.accessTo()).toBe(true);
    expect(reported()).toEqual(['4 steady met', '4 burst on']);
    expect(clock.nowMs()).toBeLessThan(6300);
    expect(steady.isHeld()).toBe(true);
    await end();
  });

  test('ends the burst at the first sample that contradicts it, and tries it once more', async () => {
    let bad = 1;
    const { steady, end } = steadyStack((_, burst) => (burst && bad-- > 0 ? 'refused' : 'good'));
    expect(await steady.accessTo()).toBe(true);
    expect(reported()).toEqual([
      '4 steady met',
      '4 burst on',
      '4.1 burst off',
      '8.2 steady met',
      '8.2 burst on',
    ]);
    await end();
  });

  test('fails if it is lost under a second burst, and the reason names probing as a possible load', async () => {
    const { steady, end } = steadyStack((atMs, burst) =>
      burst && atMs > onMs() + 1000 ? 'refused' : 'good',
    );
    expect(await steady.accessTo()).toBe(false);
    expect(reported().filter((line) => line.includes('burst'))).toHaveLength(4);
    expect(lastGate()).toMatchObject({
      state: 'timeout',
      unmet: [
        expect.stringMatching(
          /^web is ok everywhere \(web: fail refused\): lost 1\.\d\d s after the burst began, at 10 samples and 10 new connections a second: probing itself may be the load$/,
        ),
        'hint: set a longer `burst` or `interval` for the probes in the target file',
      ],
    });
    // The drill ends after the second loss, not at the end of `within`.
    expect(clock.nowMs()).toBeLessThan(16_000);
    await end();
  });

  test('fails if it does not return after the burst within its remaining time', async () => {
    let lost = false;
    const { steady, end } = steadyStack((_, burst) => {
      if (burst) lost = true;
      return lost ? 'timeout' : 'good';
    });
    expect(await steady.accessTo()).toBe(false);
    expect(clock.nowMs()).toBeLessThan(61_000);
    expect(reported().filter((line) => line.includes('burst'))).toHaveLength(2);
    expect(lastGate()).toMatchObject({
      unmet: [
        expect.stringContaining('after the burst began') as string,
        expect.stringContaining('hint:') as string,
        'since then: web is ok everywhere (web: fail timeout)',
      ],
    });
    await end();
  });

  test('is not lost by unknown samples under the burst, and waits', async () => {
    let first = 3;
    const { steady, end } = steadyStack((_, burst) => (burst && first-- > 0 ? 'unknown' : 'good'));
    expect(await steady.accessTo()).toBe(true);
    expect(reported()).toEqual(['4 steady met', '4 burst on']);
    await end();
  });

  test('ends the burst at once if it is lost before the fault', async () => {
    const { steady, end } = steadyStack((atMs) => (atMs >= 8000 && atMs < 8100 ? 'refused' : 'good'));
    const reached = steady.accessTo();
    await clock.sleep(7950, never);
    expect(await reached).toBe(true);
    expect(steady.isHeld()).toBe(true);
    await clock.sleep(500, never);
    expect(reported().at(-1)).toBe('8 burst off');
    // The latest sample is good, but the earlier failed one still counts.
    expect(steady.isHeld()).toBe(false);
    expect(await steady.regain()).toBe(true);
    expect(steady.isHeld()).toBe(true);
    await end();
  });

  test('is not held without fresh samples', async () => {
    const { steady, end } = steadyStack(() => 'good');
    expect(await steady.accessTo()).toBe(true);
    await end();
    await clock.sleep(10_000, never);
    expect(steady.isHeld()).toBe(false);
  });

  test('fails if it does not return in time after a loss', async () => {
    const { steady, end } = steadyStack((atMs) => (atMs > 8000 ? 'refused' : 'good'));
    expect(await steady.accessTo()).toBe(true);
    await clock.sleep(3000, never);
    const fromMs = clock.nowMs();
    const both = await Promise.all([steady.regain(), steady.regain()]);
    expect(both).toEqual([false, false]);
    expect(clock.nowMs() - fromMs).toBeLessThan(61_000);
    expect(lastGate()).toMatchObject({ gate: 'steady', state: 'timeout' });
    await end();
  });

  test('is logged as lost with the conditions missing then, even if they hold again', async () => {
    let quiet = false;
    const { steady, run, end } = steadyStack(() => 'good');
    expect(await steady.accessTo()).toBe(true);
    run.observer.unmet = () => (quiet ? ['web is ok everywhere (web: no fresh answer)'] : []);
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

  test('is lost with the service, even if the gate does not require it', async () => {
    const steady = { require: [], forMs: 3000, withinMs: 20_000 };
    const stack = steadyStack((atMs) => (atMs > 8000 ? 'refused' : 'good'), { steady });
    expect(await stack.steady.accessTo()).toBe(true);
    await clock.sleep(5000, never);
    expect(stack.steady.isHeld()).toBe(false);
    expect(await stack.steady.regain()).toBe(false);
    expect(lastGate()).toMatchObject({ gate: 'steady', state: 'timeout' });
    await stack.end();
  });

  test('does not require a service that was never up', async () => {
    const steady = { require: [], forMs: 3000, withinMs: 20_000 };
    const stack = steadyStack(() => 'refused', { steady });
    expect(await stack.steady.accessTo()).toBe(true);
    expect(stack.steady.isHeld()).toBe(true);
    await stack.end();
  });

  test('counts as held once a fault acts, and the burst goes on', async () => {
    const { steady, end } = steadyStack((atMs) => (atMs > 8000 ? 'refused' : 'good'));
    expect(await steady.accessTo()).toBe(true);
    steady.end();
    await clock.sleep(5000, never);
    expect(steady.isHeld()).toBe(true);
    expect(reported().at(-1)).toBe('4 burst on');
    await end();
  });
});
