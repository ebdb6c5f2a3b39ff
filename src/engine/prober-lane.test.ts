import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { NewEvent } from '../core/event.ts';
import type { PlannedProbe } from '../core/plan.ts';
import { ProbeTimeout, type ProbeKind, type ProbeSession } from '../core/probe.ts';
import type { LogMark, Sample } from '../core/sample.ts';
import { fromPlain } from '../core/testing/plain.ts';
import { openLane, type Lane } from './prober-lane.ts';
import { steppedTime, type SteppedTime } from './testing/stepped-time.ts';
import { createSystemClock } from './system-clock.ts';

const lanes: Lane[] = [];
afterEach(async () => {
  for (const lane of lanes.splice(0)) await lane.stop();
});

function kindOf(session: Partial<ProbeSession>, open?: () => Promise<ProbeSession>): ProbeKind<unknown> {
  const whole: ProbeSession = { observe: async () => ({ status: 'ok' }), close: async () => {}, ...session };
  return {
    kind: 'fake',
    summary: '',
    params: z.unknown(),
    lane: 'network',
    needsHost: false,
    cost: () => ({ newConnections: 0, commands: 0, processes: 0 }),
    describe: () => '',
    open: open ?? (async () => whole),
  };
}

/** Runs one fake probe, on simulated time, until it has `count` samples. */
async function run(
  session: Partial<ProbeSession>,
  over: Partial<PlannedProbe> = {},
  count = 1,
  time = steppedTime(),
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const lane = await open(
    kindOf(session),
    over,
    (events) => {
      for (const event of events) {
        if (event.type !== 'sample') continue;
        const { type: _, ...sample } = event;
        samples.push(sample);
      }
    },
    time,
  );
  lane.start();
  while (samples.length < count) await time.advance(1);
  const stopping = lane.stop();
  await time.advance(1);
  await stopping;
  return samples;
}

async function open(
  kind: ProbeKind<unknown>,
  over: Partial<PlannedProbe>,
  emit: (events: readonly NewEvent[]) => void,
  time: Pick<SteppedTime, 'clock' | 'timers'> = { clock: createSystemClock(), timers: globalThis },
): Promise<Lane> {
  const lane = await openLane({
    lane: 'network',
    probes: [{ id: 'p', name: 'p', kind: 'fake', params: null, intervalMs: 60_000, timeoutMs: 100, ...over }],
    kindOf: () => kind,
    hostOf: () => undefined,
    clock: time.clock,
    timers: time.timers,
    readText: async () => '',
    resolveName: async () => [],
    env: () => undefined,
    emit,
  });
  lanes.push(lane);
  return lane;
}

const untilAborted = async (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }));

describe('openLane', () => {
  it('aborts an attempt at its timeout with ProbeTimeout', async () => {
    const [sample] = await run({
      observe: async (signal) => {
        const reason = await untilAborted(signal);
        const cause = reason instanceof ProbeTimeout ? 'timeout' : 'error';
        return { status: 'fail', cause, message: String(reason) };
      },
    });
    expect(sample).toMatchObject({
      status: 'fail',
      cause: 'timeout',
      message: 'ProbeTimeout: no answer within 100 ms',
    });
    expect(sample!.finishMs - sample!.sendMs).toBe(100);
  });

  it('makes a sample unknown if its timeout fired late because of this thread', async () => {
    const time = steppedTime();
    const hangs: Partial<ProbeSession> = {
      observe: async (signal) => {
        time.timers.setTimeout(() => time.stall(300), 20);
        await untilAborted(signal);
        return { status: 'fail', cause: 'timeout', message: '' };
      },
    };
    const [sample] = await run(hangs, {}, 1, time);
    expect(sample).toMatchObject({
      status: 'unknown',
      message: expect.stringMatching(/stalled for 2\d\d ms/) as string,
    });
    expect(sample!.stallMs).toBeGreaterThan(200);
  });

  it('prefers a reply that came in time to a timeout that a stall delayed', async () => {
    const time = steppedTime();
    const replies: Partial<ProbeSession> = {
      observe: async (signal) => {
        time.timers.setTimeout(() => time.stall(300), 20);
        // Like a socket's reply: due within the stall, before the timeout.
        const reply = new Promise((resolve) => time.timers.setTimeout(() => resolve('reply'), 50));
        const first = await Promise.race([reply, untilAborted(signal)]);
        return first === 'reply' ? { status: 'ok' } : { status: 'fail', cause: 'timeout', message: '' };
      },
    };
    const [sample] = await run(replies, {}, 1, time);
    expect(sample).toMatchObject({ status: 'ok' });
    expect(sample!.stallMs).toBeGreaterThan(200);
  });

  it('reports no stall if there was none', async () => {
    const samples = await run({}, { intervalMs: 10 }, 5);
    expect(samples.map(({ stallMs }) => stallMs)).toEqual(samples.map(() => undefined));
  });

  it('makes a sample unknown if the probe ignores its signal, or throws', async () => {
    const [ignoring] = await run({ observe: async () => new Promise(() => {}) });
    expect(ignoring).toMatchObject({ status: 'unknown', message: 'the probe ignored its timeout' });
    const [throwing] = await run({
      observe: async () => {
        throw new TypeError('oops');
      },
    });
    expect(throwing).toMatchObject({ status: 'unknown', message: 'the probe threw an error: oops' });
  });

  it('keeps all fields of a sample', async () => {
    const [sample] = await run({
      observe: async () => ({
        status: 'fail',
        cause: 'http-5xx',
        message: 'status 503',
        value: 'node-1',
        phases: { connectMs: 1.23456789 },
      }),
    });
    expect(sample).toEqual({
      probe: 'p',
      slot: 0,
      dueMs: expect.any(Number) as number,
      sendMs: expect.any(Number) as number,
      finishMs: expect.any(Number) as number,
      status: 'fail',
      cause: 'http-5xx',
      value: 'node-1',
      message: 'status 503',
      phases: { connectMs: 1.235 },
    });
  });

  it('runs a probe’s commands on its `from` host, and records host and value of marks', async () => {
    const marked = Promise.withResolvers<readonly NewEvent[]>();
    const reached: string[] = [];
    const marks = fromPlain<LogMark[]>([
      { name: 'state', wallMs: 0, text: 'beta is MASTER', host: 'beta', value: 'MASTER' },
      { name: 'plain', wallMs: 0, text: 'nothing special' },
      { name: 'vague', wallMs: 500, bounds: { minMs: 0, maxMs: 1500 }, text: 'about then' },
    ]);
    const kind = kindOf({ observe: async () => ({ status: 'ok', marks }) });
    const planned = { name: 'p', kind: 'fake', params: null, intervalMs: 60_000, timeoutMs: 100 };
    const lane = await openLane({
      lane: 'host',
      probes: [{ ...planned, id: 'p@alpha', host: 'alpha', from: 'vantage' }],
      kindOf: () => kind,
      hostOf: (name) => void reached.push(name),
      clock: createSystemClock(),
      timers: globalThis,
      readText: async () => '',
      resolveName: async () => [],
      env: () => undefined,
      emit: (events) => marked.resolve(events.filter((event) => event.type === 'mark')),
    });
    lanes.push(lane);
    lane.start();
    const events = await marked.promise;
    const {
      atMs = 0,
      minMs = 0,
      maxMs = 0,
    } = events.flatMap((e) => (e.type === 'mark' ? e : [])).at(-1) ?? {};
    expect([atMs - minMs, maxMs - atMs].map(Math.round)).toEqual([500, 1000]);
    expect(events.slice(0, 2)).toEqual([
      expect.objectContaining({ probe: 'p@alpha', host: 'beta', name: 'state', value: 'MASTER' }),
      {
        type: 'mark',
        probe: 'p@alpha',
        host: 'alpha',
        name: 'plain',
        atMs: expect.any(Number) as number,
        text: 'nothing special',
      },
    ]);
    expect(reached).toEqual(['vantage']);
  });

  it('sends all instances of a probe at the same moments if its kind has `together`', async () => {
    const both = Promise.withResolvers<void>();
    const seen = new Map<string, number>();
    const planned = { name: 'p', kind: 'fake', params: null, intervalMs: 60_000, timeoutMs: 100 };
    const lane = await openLane({
      lane: 'host',
      probes: [
        { ...planned, id: 'p@alpha' },
        { ...planned, id: 'p@beta' },
      ],
      kindOf: () => ({ ...kindOf({}), together: true }),
      hostOf: () => undefined,
      clock: createSystemClock(),
      timers: globalThis,
      readText: async () => '',
      resolveName: async () => [],
      env: () => undefined,
      emit: (events) => {
        for (const event of events) if (event.type === 'sample') seen.set(event.probe, event.slot);
        if (seen.size === 2) both.resolve();
      },
    });
    lanes.push(lane);
    lane.start();
    // Spread over the interval, the second one would come 30 s later.
    await both.promise;
    expect([...seen]).toEqual([
      ['p@alpha', 0],
      ['p@beta', 0],
    ]);
  });

  it('batches events that come close together', async () => {
    let samples = 0;
    let batches = 0;
    const time = steppedTime();
    const count = (events: readonly NewEvent[]): void => {
      batches++;
      samples += events.filter((event) => event.type === 'sample').length;
    };
    const lane = await open(kindOf({}), { intervalMs: 1 }, count, time);
    lane.start();
    await time.advance(200);
    expect(samples).toBeGreaterThan(190);
    expect(batches).toBeLessThan(samples / 2);
  });

  it('drops slots above the in-flight cap, where a sample counts until its probe has finished', async () => {
    const dropped: number[] = [];
    let asked = 0;
    const observe = async (): Promise<never> => {
      asked++;
      return new Promise(() => {});
    };
    const time = steppedTime();
    const lane = await open(
      kindOf({ observe }),
      { intervalMs: 100, timeoutMs: 200 },
      (events) => {
        for (const event of events) if (event.type === 'sample.dropped') dropped.push(event.slot);
      },
      time,
    );
    lane.start();
    // The first attempts are abandoned by then.
    await time.advance(1050);
    expect(dropped).toEqual([4, 5, 6, 7, 8, 9, 10]);
    expect(asked).toBe(4);
  });

  it('stops while attempts hang, closes sessions, and reports no sample', async () => {
    const events: NewEvent[] = [];
    const attempted = Promise.withResolvers<void>();
    let closed = 0;
    const session: Partial<ProbeSession> = {
      observe: async () => {
        attempted.resolve();
        return new Promise(() => {});
      },
      close: async () => void closed++,
    };
    const lane = await open(kindOf(session), { timeoutMs: 60_000 }, (batch) => void events.push(...batch));
    lane.start();
    await attempted.promise;
    await Promise.all([lane.stop(), lane.stop()]);
    expect(closed).toBe(1);
    expect(events.map((event) => event.type)).toEqual(['prober.health']);
  });

  it('names the probe that cannot be opened, keeps the error’s code, and closes the others', async () => {
    let opened = 0;
    let closed = 0;
    const kind = kindOf({}, async () => {
      if (opened++ > 0) throw new DrillError('invalid-input', 'no such file', { hint: 'make it' });
      return { observe: async () => ({ status: 'ok' }), close: async () => void closed++ };
    });
    const probe = { name: 'p', kind: 'fake', params: null, intervalMs: 1000, timeoutMs: 100 };
    const opening = openLane({
      lane: 'network',
      probes: [
        { ...probe, id: 'one' },
        { ...probe, id: 'two' },
      ],
      kindOf: () => kind,
      hostOf: () => undefined,
      clock: createSystemClock(),
      timers: globalThis,
      readText: async () => '',
      resolveName: async () => [],
      env: () => undefined,
      emit: () => {},
    });
    await expect(opening).rejects.toMatchObject({
      code: 'invalid-input',
      message: 'probe two: no such file',
      hint: 'make it',
    });
    expect(closed).toBe(1);
  });
});
