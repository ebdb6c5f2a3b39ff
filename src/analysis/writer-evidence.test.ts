import { describe, expect, test } from 'vitest';
import { roundMs } from '../core/clock.ts';
import type { Json } from '../core/plan.ts';
import { fromPlain } from '../core/testing/plain.ts';
import { analyseRecovery } from './rto.ts';
import { LogBuilder, planWith, probeOf, seeded, writerOf } from './testing/log-builder.ts';
import { AckedWrites } from './writer-evidence.ts';
import { badWindows, durationOf } from './windows.ts';

const dsn = 'postgresql://app@198.18.0.10:5432/app';

/** A probe with an interval of 1 s whose samples at 5 and 6 s fail, and a writer that is acknowledged five times per second. */
function built(probe: Json, path: Json, parts: { kind?: string; cause?: 'timeout' | 'http-5xx' } = {}) {
  const { kind = 'sql', cause = 'timeout' } = parts;
  const writer = writerOf({ kind, paths: [{ id: 'rows', params: path }], clients: 1, intervalMs: 200 });
  const plan = planWith({ probes: [probeOf('health', { kind, params: probe })], writers: [writer] });
  const log = new LogBuilder(plan).probing('health', 0, 20_000, 1000, (ms) =>
    ms === 5000 || ms === 6000
      ? { status: 'fail', cause, finishMs: ms + (cause === 'timeout' ? 900 : 5) }
      : { status: 'ok', finishMs: ms + 5 },
  );
  for (let number = 1; number < 95; number++) {
    const sendMs = number * 200 + 50;
    log.at(sendMs + 10, {
      type: 'row.written',
      writer: 'rows',
      client: 1,
      number,
      sendMs,
      finishMs: sendMs + 10,
      outcome: 'acked',
    });
  }
  return log;
}

function windowsOf(log: LogBuilder) {
  const read = log.read();
  return badWindows(read, read.series.get('health')!).map(durationOf);
}

describe('acknowledged writes', () => {
  test('prove that the service was up around single timeouts', () => {
    const windows = windowsOf(built({ dsn }, { dsn }));
    expect(windows).toHaveLength(2);
    for (const { minMs, maxMs } of windows) {
      expect(minMs).toBe(0);
      expect(maxMs).toBeLessThanOrEqual(2 * 200 + 10);
    }
  });

  test('of the same address in another spelling prove it, too', () => {
    const spelled = (url: string, connectTo: string) =>
      windowsOf(built({ url }, { write: { url: 'http://app.example/' }, connectTo }, { kind: 'http' }));
    expect(spelled('http://[2001:db8::1]/', '[2001:DB8:0:0::1]:80')).toHaveLength(2);
    expect(spelled('http://App.example./', 'app.EXAMPLE:80')).toHaveLength(2);
    expect(spelled('http://[2001:db8::1]/', '[2001:db8::2]:80')).toHaveLength(1);
  });

  test('of another address, or against another failure, prove nothing', () => {
    const elsewhere = built({ dsn }, { dsn: 'postgresql://app@198.18.0.11:5432/app' });
    expect(windowsOf(elsewhere)).toMatchObject([{ maxMs: 3005 }]);
    const http = (cause: 'timeout' | 'http-5xx') =>
      built(
        { url: 'https://app.example.com/health', connectTo: '198.18.0.10:443' },
        { write: { url: 'https://app.example.com/rows' }, connectTo: '198.18.0.10:443' },
        { kind: 'http', cause },
      );
    expect(windowsOf(http('timeout'))).toHaveLength(2);
    expect(windowsOf(http('http-5xx'))).toMatchObject([{ maxMs: 3005 }]);
  });

  test('of multiple writers are in send order, without those of other addresses and outcomes', () => {
    const writerOf = (id: string, dsns: readonly string[]) => ({
      id,
      kind: 'sql',
      paths: dsns.map((one, index) => ({ id: `${id}@${index}`, params: { dsn: one } })),
      clients: 2,
      intervalMs: 100,
      timeoutMs: 900,
      readIntervalMs: 1000,
    });
    const other = 'postgresql://app@198.18.0.11:5432/app';
    const writers = [writerOf('first', [other, dsn]), writerOf('second', [dsn])];
    const log = new LogBuilder(
      planWith({ probes: [probeOf('health', { kind: 'sql', params: { dsn } })], writers }),
    );
    const expected: { sendMs: number; finishMs: number }[] = [];
    const random = seeded(7);
    const add = (writer: string, client: number, isSame: boolean): void => {
      for (let number = 1; number <= 200; number++) {
        const sendMs = roundMs(number * 100 + client + 50 * random());
        const finishMs = roundMs(sendMs + 40 * random());
        const outcome = random() < 0.2 ? 'refused' : 'acked';
        log.at(finishMs, { type: 'row.written', writer, client, number, sendMs, finishMs, outcome });
        if (isSame && outcome === 'acked') expected.push({ sendMs, finishMs });
      }
    };
    for (const client of [1, 2, 3, 4]) add('first', client, client > 2);
    for (const client of [1, 2]) add('second', client, true);
    const read = log.read();
    const writes = new AckedWrites(read, read.series.get('health')!);
    const inOrder = expected.toSorted((a, b) => a.sendMs - b.sendMs);
    expect(Array.from({ length: writes.length }, (_, place) => writes.at(place))).toEqual(inOrder);
    expect(writes.at(-1)).toBeUndefined();
    expect(writes.at(writes.length)).toBeUndefined();
    const isInside = (w: { sendMs: number; finishMs: number }): boolean =>
      w.sendMs >= 500 && w.finishMs <= 900;
    expect(writes.within(fromPlain([{ fromMs: 500, toMs: 900 }]))).toEqual(inOrder.filter(isInside));
  });

  test('leave no room for an outage between two samples', () => {
    const log = built({ dsn }, { dsn }).fault(8000);
    expect(analyseRecovery(log.read())?.rto).toMatchObject({ ms: 0, minMs: 0, maxMs: 210 });
  });
});
