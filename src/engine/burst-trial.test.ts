import { describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { NewEvent } from '../core/event.ts';
import type { PlannedProbe } from '../core/plan.ts';
import { runMs } from '../core/time.ts';
import { fromPlain } from '../core/testing/plain.ts';
import { measureBurst } from './burst-trial.ts';
import type { Prober, ProberOptions } from './prober.ts';
import { simulatedClock } from './testing/simulated-clock.ts';

const probe: PlannedProbe = {
  id: 'web',
  name: 'web',
  kind: 'http',
  params: {},
  intervalMs: 500,
  timeoutMs: 900,
  burstIntervalMs: 100,
};

/** A sample whose answer takes `tookMs`. */
function sample(slot: number, dueMs: number, tookMs: number, status: 'ok' | 'fail' = 'ok'): NewEvent {
  const times = { dueMs, sendMs: dueMs, finishMs: dueMs + tookMs };
  return fromPlain<NewEvent>(
    status === 'ok'
      ? { type: 'sample', probe: 'web', slot, ...times, status }
      : { type: 'sample', probe: 'web', slot, ...times, status, cause: 'timeout' },
  );
}

/** A scripted prober: records the calls, and emits the given events at each step. */
function scripted(events: {
  readonly base?: readonly NewEvent[];
  readonly burst?: readonly NewEvent[];
  readonly after?: readonly NewEvent[];
}) {
  const reported: string[] = [];
  const startProber = async ({ onEvents }: ProberOptions): Promise<Prober> => {
    onEvents(events.base ?? []);
    return {
      setBurst: (on) => {
        reported.push(on ? 'burst' : 'base');
        onEvents((on ? events.burst : events.after) ?? []);
      },
      stop: async () => void reported.push('stop'),
    };
  };
  return { reported, startProber };
}

const { signal } = new AbortController();
const createHost = () => {
  throw new Error('no host');
};

describe('a trial of the burst', () => {
  test('compares samples by the rate at which they were due, also if their answers are late', async () => {
    const { reported, startProber } = scripted({
      base: [0, 500, 1000, 1500].map((dueMs, slot) => sample(slot, dueMs, 10 + slot)),
      burst: [
        ...Array.from({ length: 9 }, (_, i) => sample(4 + i, 2000 + i * 100, 50 + i)),
        { type: 'sample.dropped', probe: 'web', slot: 13, dueMs: runMs(2900) },
      ],
      // The first is sent in the burst and answered after it; the second is due after the burst.
      after: [sample(14, 3900, 900, 'fail'), sample(15, 4100, 5)],
    });
    const clock = simulatedClock();
    const effects = await measureBurst(
      { hosts: [], probes: [probe] },
      2000,
      { clock, createHost, startProber },
      signal,
    );
    expect(reported).toEqual(['burst', 'base', 'stop']);
    expect(effects).toEqual([
      {
        probe,
        base: { sent: 4, dropped: 0, failed: 0, unknown: 0, p50Ms: 11, p90Ms: 13 },
        burst: { sent: 10, dropped: 1, failed: 1, unknown: 0, p50Ms: 54, p90Ms: 58 },
      },
    ]);
    // The trial waits for the slowest answers.
    expect(clock.nowMs()).toBeGreaterThanOrEqual(4000 + probe.timeoutMs);
  });

  test('has no latency without a good answer', async () => {
    const { startProber } = scripted({});
    const [effect] = await measureBurst(
      { hosts: [], probes: [probe] },
      2000,
      { clock: simulatedClock(), createHost, startProber },
      signal,
    );
    expect(effect?.burst).toEqual({ sent: 0, dropped: 0, failed: 0, unknown: 0, p50Ms: null, p90Ms: null });
  });

  test('ends if the prober breaks, and stops it', async () => {
    const reported: string[] = [];
    const startProber = async ({ onBroken }: ProberOptions): Promise<Prober> => {
      onBroken(new DrillError('harness', 'the prober hangs'));
      return { setBurst: () => {}, stop: async () => void reported.push('stop') };
    };
    await expect(
      measureBurst(
        { hosts: [], probes: [probe] },
        2000,
        { clock: simulatedClock(), createHost, startProber },
        signal,
      ),
    ).rejects.toThrow('the prober hangs');
    expect(reported).toEqual(['stop']);
  });
});
