import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { readLogFile } from '../cli/run-folder.ts';
import { summarize } from '../analysis/summarize.ts';
import { canaryId } from '../core/canary.ts';
import type { DrillEvent } from '../core/event.ts';
import type { Plan, PlannedProbe } from '../core/plan.ts';
import { canaryProbe, startCanary, type StartCanary } from './canary.ts';
import { openEventLog } from './event-log.ts';
import { createSystemClock } from './system-clock.ts';
import { planOf } from './testing/fake-machine.ts';
import { runWatch } from './watch.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const web = (over: Partial<PlannedProbe> = {}): PlannedProbe => ({
  ...planOf('http://127.0.0.1:1/').probes[0]!,
  ...over,
});

describe('the canary', () => {
  test('answers as long as it is wanted, and ends then', async () => {
    const canary = await startCanary([web()]);
    const { url } = canary.probe.params as { readonly url: string };
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url)).status).toBe(200);
    await canary.stop();
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  test('is looked at as often as the fastest probe, and twice within the shortest time-out', () => {
    const probes = [
      web({ intervalMs: 1000, timeoutMs: 900, burstIntervalMs: 100 }),
      web({ intervalMs: 5000, timeoutMs: 3000 }),
    ];
    expect(canaryProbe(4000, probes)).toMatchObject({
      id: canaryId,
      intervalMs: 450,
      burstIntervalMs: 100,
      timeoutMs: 900,
    });
    // More looks would cost and tell nothing; a shorter time-out would be missed on any machine.
    expect(canaryProbe(4000, [web({ intervalMs: 2, timeoutMs: 20 })])).toMatchObject({
      intervalMs: 50,
      timeoutMs: 150,
    });
    expect(canaryProbe(4000, [])).toMatchObject({ intervalMs: 450, timeoutMs: 900 });
  });
});

/** A thread that serves the canary and the target alike, and stands still for so long when told to. */
async function sharedThread(
  stallMs: number,
): Promise<{ port: number; stall(): void; sound(): Promise<void> }> {
  const worker = new Worker(
    `const { createServer } = require('node:http');
     const { parentPort } = require('node:worker_threads');
     const server = createServer((_, reply) => reply.end());
     server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
     parentPort.on('message', () => {
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${stallMs});
       parentPort.postMessage('over');
     });`,
    { eval: true },
  );
  cleanups.push(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  return {
    port,
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    stall: () => worker.postMessage('stall'),
    sound: async () => void (await once(worker, 'message')),
  };
}

/** Watches a server of a thread that is held up for 2.5 s, with a canary or without. */
async function watchHeldUp(startCanaryOn: ((port: number) => StartCanary) | undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'canary-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const thread = await sharedThread(2500);
  const clock = createSystemClock();
  const path = join(folder, 'events.ndjson');
  const log = openEventLog(path, clock);
  const looked = (count: number): Promise<void> =>
    new Promise((resolve) => {
      let left = count;
      const end = log.subscribe((event: DrillEvent) => {
        if (event.type !== 'sample' || event.probe !== 'web' || event.status !== 'ok' || --left > 0) return;
        end();
        resolve();
      });
    });
  const stop = new AbortController();
  const served = planOf(`http://127.0.0.1:${thread.port}/`);
  const plan: Plan = { ...served, probes: served.probes.map((p) => ({ ...p, timeoutMs: 900 })), faults: [] };
  const startCanary = startCanaryOn?.(thread.port);
  const watching = runWatch(
    plan,
    {
      runId: 'r',
      clock,
      log,
      versions: { firedrill: '0', node: '0' },
      createHost: () => {
        throw new Error('no host here');
      },
      ...(startCanary === undefined ? {} : { startCanary }),
    },
    stop.signal,
  );
  await looked(5);
  const sound = thread.sound();
  thread.stall();
  await sound;
  await looked(5);
  stop.abort();
  await watching;
  log.close();
  return summarize(readLogFile(path));
}

describe('a prober whose machine is overloaded', () => {
  test('tells no outage of its own making for sure', async () => {
    // The canary is served by the thread that serves the target: what holds up one holds up the other.
    const summary = await watchHeldUp((port) => async (probes) => ({
      probe: canaryProbe(port, probes),
      stop: async () => {},
    }));
    expect(summary.verdict).toBe('inconclusive');
    expect(summary.reasons).toEqual([
      expect.stringMatching(
        /^whether web was down for up to .* is not known: the prober was sick for .* its canary/,
      ),
    ]);
    expect(summary.probes.map((p) => p.id)).toEqual(['web']);
    const [window, ...more] = summary.probes[0]!.windows.filter((w) => w.state !== 'slow');
    expect(more).toEqual([]);
    expect(window).toMatchObject({ state: 'unsure', minMs: 0 });
    expect(window!.maxMs).toBeGreaterThan(1000);
    expect(summary.prober.canary?.sickMs).toBeGreaterThan(1000);
  });

  test('tells one where its canary is well meanwhile', async () => {
    const summary = await watchHeldUp(() => startCanary);
    expect(summary.verdict).toBe('fail');
    expect(summary.probes[0]!.windows.filter((w) => w.state === 'down')).toHaveLength(1);
    expect(summary.prober.canary).toMatchObject({ failed: 0, sickMs: 0 });
    expect(summary.prober.canary?.looks).toBeGreaterThan(0);
  });

  test('tells one where nothing vouches for it', async () => {
    const summary = await watchHeldUp(undefined);
    expect(summary).toMatchObject({ verdict: 'fail', prober: { canary: null } });
  });
});
