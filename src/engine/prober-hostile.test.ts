import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NewEvent } from '../core/event.ts';
import type { Json, PlannedProbe } from '../core/plan.ts';
import { http } from '../probes/http.ts';
import {
  startHostileServers,
  type HostileServer,
  type HostileServers,
} from '../net/testing/hostile-servers.ts';
import { startProber } from './prober.ts';
import { createSystemClock } from './system-clock.ts';

type SampleEvent = Extract<NewEvent, { type: 'sample' }>;

/** Number of slots, and of usable samples, that the test waits for on each probe. */
const slotsExpected = 10;
const attemptsExpected = 3;
const intervalMs = 200;
const timeoutMs = 600;

/**
 * A sample with a stall of the prober shows nothing about the server. A timeout is evidence only for a
 * server that hangs: the others run in this process, and answer late on a busy machine.
 */
const isEvidence = (event: NewEvent, { outcome }: Pick<HostileServer, 'outcome'>): event is SampleEvent =>
  event.type === 'sample' &&
  event.status !== 'unknown' &&
  event.stallMs === undefined &&
  (event.cause !== 'timeout' || outcome === 'timeout');

describe('the prober, with all hostile servers at once', () => {
  let folder = '';
  let hostile: HostileServers | undefined;
  const events: NewEvent[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'firedrill-hostile-'));
    hostile = await startHostileServers(folder);
    const { servers } = hostile;
    const probes = servers.map(({ name, params }): PlannedProbe => ({
      id: name,
      name,
      kind: 'http',
      params: http.params.parse(params) as Json,
      intervalMs,
      timeoutMs,
    }));
    const enough = Promise.withResolvers<void>();
    const reported = new Map<string, number>();
    const known = new Map<string, number>();
    const prober = await startProber({
      probes,
      host: (name) => {
        throw new Error(`no host ${name}`);
      },
      clock: createSystemClock(),
      onEvents: (more) => {
        for (const event of more) {
          events.push(event);
          if (event.type !== 'sample' && event.type !== 'sample.dropped') continue;
          reported.set(event.probe, (reported.get(event.probe) ?? 0) + 1);
          const server = servers.find(({ name }) => name === event.probe);
          if (server !== undefined && isEvidence(event, server))
            known.set(event.probe, (known.get(event.probe) ?? 0) + 1);
        }
        // On a busy machine, most samples of a server that hangs may be unusable.
        const has = (id: string) =>
          (reported.get(id) ?? 0) >= slotsExpected && (known.get(id) ?? 0) >= attemptsExpected;
        if (probes.every(({ id }) => has(id))) enough.resolve();
      },
      onBroken: enough.reject,
    });
    await enough.promise;
    await prober.stop();
  }, 600_000);
  afterAll(async () => {
    await hostile?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const samplesOf = (probe: string): SampleEvent[] =>
    events.filter((event) => event.type === 'sample').filter((event) => event.probe === probe);

  test('every slot is reported exactly once, as a sample or as dropped', () => {
    for (const { name } of hostile?.servers ?? []) {
      const slots = events
        .flatMap((e) =>
          (e.type === 'sample' || e.type === 'sample.dropped') && e.probe === name ? [e.slot] : [],
        )
        .sort((a, b) => a - b);
      expect(slots.length, name).toBe(new Set(slots).size);
      // Attempts in flight at the end leave no sample: at most as many as can be in flight at once.
      const atOnce = Math.ceil(timeoutMs / intervalMs) + 1;
      const unreported = (slots.at(-1) ?? NaN) + 1 - slots.length;
      expect(unreported, name).toBeLessThanOrEqual(atOnce);
    }
  });

  test('each server has its expected outcome', () => {
    const seen = (hostile?.servers ?? []).map((server) => {
      const known = samplesOf(server.name).filter((sample) => isEvidence(sample, server));
      return [server.name, ...new Set(known.map(({ status, cause }) => cause ?? status))];
    });
    expect(seen).toEqual(hostile?.servers.map(({ name, outcome }) => [name, outcome]));
  });

  test('no sample times out early', () => {
    const late = events.filter((event) => event.type === 'sample').filter(({ cause }) => cause === 'timeout');
    expect(late.length).toBeGreaterThan(attemptsExpected);
    for (const { probe, sendMs, finishMs } of late)
      expect(finishMs - sendMs, probe).toBeGreaterThanOrEqual(timeoutMs - 1);
  });

  test('no connection is left open', async () => {
    const open = (): unknown[] =>
      (hostile?.servers ?? []).flatMap(({ name, open }) => (open() === 0 ? [] : [`${name}: ${open()}`]));
    await expect.poll(open, { timeout: 120_000 }).toEqual([]);
  });
});
