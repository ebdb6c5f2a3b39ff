import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { DrillError } from '../core/errors.ts';
import type { NewEvent } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import type { PlannedProbe } from '../core/plan.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';
import { ownLoopback } from '../hosts/testing/own-loopback.ts';
import { startProber, type Prober, type ProberOptions } from './prober.ts';
import { createSystemClock } from './system-clock.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(onRequest = (): void => {}): Promise<{ server: Server; url: string }> {
  const server = createServer((_request, response) => {
    onRequest();
    response.end('{"node":"node-1"}');
  });
  server.listen(0, ownLoopback);
  await once(server, 'listening');
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://${ownLoopback}:${port}/` };
}

function httpProbe(url: string, over: Partial<PlannedProbe> = {}): PlannedProbe {
  const params = {
    url,
    expect: { status: [200] },
    headers: {},
    method: 'GET',
    value: 'node',
    maxBodyBytes: 1000,
  };
  // A busy machine answers late. No sample of these tests may time out, and no slot may be dropped for samples in flight.
  return { id: 'web', name: 'web', kind: 'http', params, intervalMs: 50, timeoutMs: 55_000, ...over };
}

interface Running {
  readonly prober: Prober;
  readonly events: NewEvent[];
  readonly broken: Promise<DrillError>;
  /** Resolves when an event satisfies `test`. */
  readonly until: (test: (event: NewEvent) => boolean) => Promise<NewEvent>;
}

async function start(probes: PlannedProbe[], over: Partial<ProberOptions> = {}): Promise<Running> {
  const events: NewEvent[] = [];
  let waiters: { test: (event: NewEvent) => boolean; resolve: (event: NewEvent) => void }[] = [];
  const broken = Promise.withResolvers<DrillError>();
  const prober = await startProber({
    probes,
    host: () => {
      throw new Error('no host here');
    },
    clock: createSystemClock(),
    onEvents: (batch) => {
      for (const event of batch) {
        events.push(event);
        waiters = waiters.filter(({ test, resolve }) => !test(event) || (resolve(event), false));
      }
    },
    onBroken: broken.resolve,
    ...over,
  });
  cleanups.push(() => prober.stop());
  return {
    prober,
    events,
    broken: broken.promise,
    until: (test) =>
      new Promise((resolve) => {
        const seen = events.find(test);
        if (seen === undefined) waiters.push({ test, resolve });
        else resolve(seen);
      }),
  };
}

/** Samples in slot order, because late answers arrive out of order. */
const samplesOf = (events: readonly NewEvent[]) =>
  events.filter((event) => event.type === 'sample').sort((a, b) => a.slot - b.slot);
/** Whether all slots up to this one have a sample. */
const isWhole = (events: readonly NewEvent[], slot: number): boolean =>
  samplesOf(events).filter((sample) => sample.slot <= slot).length === slot + 1;
/** Time from the previous slot's due time to this one's, ms; NaN if a sample is missing. */
const gapBefore = (events: readonly NewEvent[], slot: number): number => {
  const due = (of: number): number => samplesOf(events).find((sample) => sample.slot === of)?.dueMs ?? NaN;
  return due(slot) - due(slot - 1);
};

describe('startProber', () => {
  it('samples a real server from its own thread, on the run clock', async () => {
    const clock = createSystemClock();
    const arrivals: number[] = [];
    const { url } = await serve(() => void arrivals.push(clock.nowMs()));
    const { events, until } = await start([httpProbe(url)], { clock });
    await until(() => isWhole(events, 5));
    const samples = samplesOf(events).slice(0, 6);
    expect(samples.map((sample) => sample.slot)).toEqual([...samples.keys()]);
    for (const [i, sample] of samples.entries()) {
      expect(sample).toMatchObject({ probe: 'web', status: 'ok', value: 'node-1' });
      expect(sample.dueMs - samples[0]!.dueMs).toBeCloseTo(i * 50, 2);
      expect(sample.sendMs).toBeGreaterThanOrEqual(sample.dueMs);
      expect(sample.finishMs).toBeGreaterThan(sample.sendMs);
      expect(sample.finishMs).toBeLessThan(clock.nowMs());
    }
    // The threads share one clock: the server got each request between its send and its finish.
    for (const sample of samples) {
      expect(arrivals.some((at) => at > sample.sendMs && at < sample.finishMs)).toBe(true);
    }
  });

  it('samples faster during a burst and goes on counting slots', async () => {
    const { url } = await serve();
    const { prober, events, until } = await start([httpProbe(url, { intervalMs: 400, burstIntervalMs: 20 })]);
    await until((event) => event.type === 'sample' && event.slot === 0);
    prober.setBurst(true);
    // Late answers of a busy machine slow the burst down, but it is still faster than the interval.
    const fast = await until((event) => event.type === 'sample' && gapBefore(events, event.slot) < 200);
    prober.setBurst(false);
    const burst = fast.type === 'sample' ? fast.slot : NaN;
    const slow = await until(
      (event) => event.type === 'sample' && event.slot > burst && gapBefore(events, event.slot) > 399.99,
    );
    const last = slow.type === 'sample' ? slow.slot : NaN;
    // Slot numbers continue across both changes.
    await until(() => isWhole(events, last));
    for (let slot = 1; slot <= last; slot += 1) expect(gapBefore(events, slot)).toBeGreaterThan(0);
  });

  it('observes the start and the end of an outage without losing a slot', async () => {
    const { url, server } = await serve();
    const { port } = server.address() as AddressInfo;
    const { until, events } = await start([httpProbe(url, { intervalMs: 20 })]);
    await until((event) => event.type === 'sample' && event.status === 'ok');
    server.close();
    server.closeAllConnections();
    // An attempt in flight is reset; the next ones are refused.
    const bad = await until((event) => event.type === 'sample' && event.cause === 'refused');
    server.listen(port, ownLoopback);
    const slot = bad.type === 'sample' ? bad.slot : 0;
    const back = await until(
      (event) => event.type === 'sample' && event.slot > slot && event.status === 'ok',
    );
    const last = back.type === 'sample' ? back.slot : NaN;
    await until(() => isWhole(events, last));
    expect(events.filter((event) => event.type === 'sample.dropped')).toEqual([]);
  });

  it('runs host probes on the main thread and puts marks on the run clock', async () => {
    const clock = createSystemClock();
    const earliestMs = clock.nowMs();
    const wallMs = Date.now();
    let attempts = 0;
    const host: Host = {
      name: 'node-1',
      transport: 'fake',
      follow: neverFollowed,
      exec: async () => {
        const fields = {
          __CURSOR: `c${attempts++}`,
          __REALTIME_TIMESTAMP: `${wallMs * 1000}`,
          MESSAGE: 'promoting',
        };
        return { exitCode: 0, stdout: `${JSON.stringify(fields)}\n`, stderr: '' };
      },
    };
    const probe: PlannedProbe = {
      id: 'log@node-1',
      name: 'log',
      host: 'node-1',
      kind: 'journal',
      params: { marks: [{ name: 'promote', match: 'promot' }] },
      intervalMs: 30,
      timeoutMs: 55_000,
    };
    const { until } = await start([probe], { clock, host: () => host });
    const mark = await until((event) => event.type === 'mark');
    expect(mark).toMatchObject({ probe: 'log@node-1', host: 'node-1', name: 'promote', text: 'promoting' });
    // The wall clock has whole milliseconds.
    const atMs = mark.type === 'mark' ? mark.atMs : NaN;
    expect(atMs).toBeGreaterThan(earliestMs - 2);
    expect(atMs).toBeLessThan(clock.nowMs() + 2);
  });

  it('reports its health when it stops, and nothing after that', async () => {
    const { url } = await serve();
    const { prober, events, until } = await start([httpProbe(url)]);
    await until((event) => event.type === 'sample' && event.slot === 2);
    await prober.stop();
    await prober.stop();
    const reported = events.length;
    expect(events).toContainEqual({
      type: 'prober.health',
      lane: 'network',
      loopMaxMs: expect.any(Number) as number,
      loopP99Ms: expect.any(Number) as number,
    });
    prober.setBurst(true);
    await new Promise(setImmediate);
    expect(events).toHaveLength(reported);
  });

  it('refuses a probe that cannot be opened, naming it', async () => {
    const probe = httpProbe('https://127.0.0.1:1/', { id: 'web@lb' });
    const params = { ...(probe.params as object), caFile: '/nonexistent/ca.pem' };
    await expect(start([{ ...probe, params }])).rejects.toMatchObject({
      name: 'DrillError',
      code: 'invalid-input',
      message: expect.stringMatching(/^probe web@lb: .*\/nonexistent\/ca\.pem/) as string,
    });
  });

  it('reports a thread that fails, ends, or hangs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'firedrill-prober-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const thread = async (name: string, source: string): Promise<URL> => {
      const path = join(folder, `${name}.mjs`);
      const opened = `import { parentPort } from 'node:worker_threads';
        parentPort.postMessage({ type: 'opened' });
        parentPort.on('message', () => { ${source} });`;
      await writeFile(path, opened);
      return pathToFileURL(path);
    };
    const probes = [httpProbe('http://127.0.0.1:1/')];
    const cases = [
      // Only the last one is detected by its silence.
      [await thread('throws', 'throw new Error("boom")'), /failed: boom/, 55_000],
      [await thread('exits', 'process.exit(7)'), /ended with exit code 7/, 55_000],
      [await thread('hangs', 'for (;;);'), /sent nothing for 300 ms/, 300],
    ] as const;
    for (const [workerUrl, words, silenceMs] of cases) {
      const { broken, prober } = await start(probes, { workerUrl, silenceMs });
      const error = await broken;
      expect(error.code).toBe('harness');
      expect(error.message).toMatch(words);
      await prober.stop();
    }
    const stillborn = pathToFileURL(join(folder, 'stillborn.mjs'));
    await writeFile(stillborn, 'throw new Error("not today")');
    await expect(start(probes, { workerUrl: stillborn })).rejects.toThrow('failed: not today');
  });
});
