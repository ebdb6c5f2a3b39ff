import { describe, expect, test } from 'vitest';
import { runMs } from '../core/time.ts';
import { moment } from './moment.ts';
import { downtimeIn, writerOutages } from './operation-outages.ts';
import type { Outages } from './rto.ts';
import type { RunLog } from './run-log.ts';
import { LogBuilder, planWith, seeded, writerOf } from './testing/log-builder.ts';
import { type Outage, type OutageKind, simulatedTarget } from './testing/simulated-target.ts';
import { durationOf } from './windows.ts';

const timeoutMs = 1000;
const endMs = 60_000;
const start = moment(runMs(0), runMs(0));

/** A writer with one path and two clients, whose slots are 50 ms apart. */
const writer = writerOf({
  paths: [{ id: 'rows', params: {} }],
  clients: 2,
  intervalMs: 100,
  readIntervalMs: 100,
  timeoutMs,
});

/** Operations of the clients, one after the other on each connection, as the target answers them. */
function logOf(
  targets: readonly ((sendMs: number) => ReturnType<ReturnType<typeof simulatedTarget>>)[],
): RunLog {
  const log = new LogBuilder(planWith({ writers: [writer] }));
  for (const [index, answer] of targets.entries()) {
    const phaseMs = index * 50;
    let number = 0;
    for (let sendMs = phaseMs; sendMs < endMs;) {
      const { status, cause, finishMs } = answer(sendMs);
      const outcome = status === 'ok' ? 'acked' : cause === 'refused' ? 'refused' : 'indeterminate';
      number++;
      log.at(finishMs, {
        type: 'row.written',
        writer: 'rows',
        client: index + 1,
        number,
        sendMs,
        finishMs,
        outcome,
      });
      sendMs += 100 * Math.max(1, Math.ceil((finishMs - sendMs) / 100));
    }
  }
  return log.at(endMs, { type: 'run.ended' }).read();
}

function target(outages: readonly Outage[], seed: number) {
  return simulatedTarget(outages, { random: seeded(seed), maxLatencyMs: 12, timeoutMs });
}

describe('outages of operations', () => {
  const kinds: readonly OutageKind[] = ['refused', 'hang', 'drop', 'stall'];

  test('have bounds that contain the truth, for each client and for the service', () => {
    let windows = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const random = seeded(seed);
      const outages = Array.from({ length: 8 }, (_, i): Outage => {
        const fromMs = 3000 + i * 7000 + random() * 2000;
        return {
          fromMs,
          toMs: fromMs + 150 + random() * 3000,
          kind: kinds[(seed + i) % kinds.length] ?? 'hang',
        };
      });
      const log = logOf([target(outages, seed + 1000), target(outages, seed + 2000)]);
      const { service, clients } = writerOutages(log, writer, 'write', start);
      for (const { windows: seen, unobservedMs } of [service, ...clients.values()]) {
        for (const outage of outages) {
          const about = JSON.stringify({ seed, outage, seen });
          const holding = seen.filter((w) => w.startLoMs <= outage.fromMs && outage.toMs <= w.endHiMs);
          const [window] = holding;
          // A short stall may delay no operation enough to show.
          if (window === undefined && outage.toMs - outage.fromMs <= unobservedMs) continue;
          expect(holding, about).toHaveLength(1);
          // Slow answers show an outage in the upper bound only.
          if (window?.state !== 'down') continue;
          expect(window.startHiMs, about).toBeGreaterThanOrEqual(outage.fromMs);
          expect(window.endLoMs, about).toBeLessThanOrEqual(outage.toMs);
          windows++;
        }
      }
    }
    expect(windows).toBeGreaterThan(1000);
  });

  test('of the service are those in which no client got through', () => {
    const refused = (fromMs: number, toMs: number): Outage => ({ fromMs, toMs, kind: 'refused' });
    const log = logOf([target([refused(5000, 9000)], 1), target([refused(8000, 12_000)], 2)]);
    const { service, paths, clients } = writerOutages(log, writer, 'write', start);
    const holds = ({ windows }: Outages, ms: number): boolean =>
      windows.length === 1 &&
      windows.map(durationOf).every(({ minMs, maxMs }) => minMs > ms - 250 && minMs <= ms && ms <= maxMs);
    expect([...clients.values()].map((one) => holds(one, 4000))).toEqual([true, true]);
    expect(holds(service, 1000)).toBe(true);
    expect(paths.get('rows')).toEqual(service);
  });

  test('are not shown by timeouts while firedrill itself was stalled', () => {
    const log = new LogBuilder(planWith({ writers: [{ ...writer, clients: 1 }] }));
    let number = 0;
    const write = (sendMs: number, finishMs: number, more: { stallMs?: number } = {}): void => {
      const outcome = finishMs - sendMs < timeoutMs ? 'acked' : 'indeterminate';
      const times = { sendMs, finishMs, ...more };
      log.at(finishMs, {
        type: 'row.written',
        writer: 'rows',
        client: 1,
        number: ++number,
        ...times,
        outcome,
      });
    };
    for (let sendMs = 0; sendMs < 10_000; sendMs += 100) write(sendMs, sendMs + 5);
    write(10_000, 11_000, { stallMs: 990 });
    for (let sendMs = 11_000; sendMs < 20_000; sendMs += 100) write(sendMs, sendMs + 5);
    write(20_000, 20_400, { stallMs: 395 });
    for (let sendMs = 20_400; sendMs < 30_000; sendMs += 100) write(sendMs, sendMs + 5);
    const { service } = writerOutages(
      log.at(endMs, { type: 'run.ended' }).read(),
      { ...writer, clients: 1 },
      'write',
      start,
    );
    expect(service.windows).toEqual([]);
    // The upper bound includes the time without an answer.
    expect(service.unobservedMs).toBeGreaterThan(1100);
  });

  test('that no operation shows are in the time that fits between two operations', () => {
    const { service } = writerOutages(logOf([target([], 1), target([], 2)]), writer, 'write', start);
    expect(service.windows).toEqual([]);
    expect(service.unobservedMs).toBeGreaterThan(90);
    expect(service.unobservedMs).toBeLessThan(125);
  });

  test('that one client of ten missed each time are in the upper bound', () => {
    const ten = { ...writer, clients: 10, intervalMs: 1000 };
    const log = new LogBuilder(planWith({ writers: [ten] }));
    const isOut = (ms: number): boolean => ms > 20_000 && ms < 44_000 && ms % 4000 >= 50 && ms % 4000 < 950;
    for (let client = 1; client <= 10; client++)
      for (let number = 1; number <= 60; number++) {
        const sendMs = (number - 1) * 1000 + (client - 1) * 100;
        const times = { sendMs, finishMs: sendMs + 5 };
        const outcome = isOut(sendMs) ? 'refused' : 'acked';
        log.at(times.finishMs, { type: 'row.written', writer: 'rows', client, number, ...times, outcome });
      }
    const { service, clients } = writerOutages(
      log.at(endMs, { type: 'run.ended' }).read(),
      ten,
      'write',
      start,
    );
    // The first client writes at each full second, between two outages.
    expect(clients.get('rows client 1')?.windows).toEqual([]);
    expect(service.windows).toEqual([]);
    // Six outages of 900 ms, and one that none of the clients noticed.
    const { minMs, maxMs, longest } = downtimeIn(service);
    expect(minMs).toBe(0);
    expect(maxMs).toBeGreaterThan(6 * 900);
    expect(maxMs).toBeLessThan(7 * 1010);
    expect(longest.maxMs).toBeLessThan(1010);
  });

  test('are no longer for one client whose writes are slow while those of the other are not', () => {
    const slow = Array.from({ length: 20 }, (_, i): Outage => ({
      fromMs: 3000 + i * 2000,
      toMs: 3300 + i * 2000,
      kind: 'stall',
    }));
    const { service } = writerOutages(logOf([target(slow, 1), target([], 2)]), writer, 'write', start);
    expect(downtimeIn(service).maxMs).toBeLessThan(450);
  });

  test('may reach from the last line of a client to the end of the writing', () => {
    const log = new LogBuilder(planWith({ writers: [writer] }));
    for (const client of [1, 2])
      for (let number = 1; number <= (client === 1 ? 200 : 600); number++) {
        const sendMs = (number - 1) * 100 + client * 10;
        const times = { sendMs, finishMs: sendMs + 5 };
        const outcome = sendMs > 20_000 && sendMs < 25_000 ? 'refused' : 'acked';
        log.at(times.finishMs, { type: 'row.written', writer: 'rows', client, number, ...times, outcome });
      }
    const { service } = writerOutages(log.at(endMs, { type: 'run.ended' }).read(), writer, 'write', start);
    expect(downtimeIn(service)).toMatchObject({ minMs: 0, outages: 0 });
    expect(downtimeIn(service).maxMs).toBeGreaterThan(5000);
  });
});
