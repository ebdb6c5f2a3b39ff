import { describe, expect, test } from 'vitest';
import type { Check } from '../core/plan.ts';
import type { Summary } from '../core/summary.ts';
import { summarize } from './summarize.ts';
import { LogBuilder, planWith, probeOf, seeded, writerOf } from './testing/log-builder.ts';
import { type Outage, simulatedTarget } from './testing/simulated-target.ts';

const endMs = 60_000;
const faultMs = 20_000;

type OperationCheck = Extract<Check, { kind: 'write-outage' | 'read-outage' }>;

function checkOf(parts: Partial<OperationCheck>): OperationCheck {
  return { kind: 'write-outage', name: 'writes', of: 'rows', clients: 'all', time: 'total', ...parts };
}

/** A drill whose two clients write every 100 ms; each has outages of its own. */
function drill(
  outages: readonly [readonly Outage[], readonly Outage[]],
  checks: readonly OperationCheck[],
  {
    writesFromMs = 0,
    writesToMs = endMs,
    latencyMs = 10,
  }: { writesFromMs?: number; writesToMs?: number; latencyMs?: number } = {},
): Summary {
  const writer = writerOf({ paths: [{ id: 'rows', params: {} }], readIntervalMs: 100, timeoutMs: 1000 });
  const log = new LogBuilder(planWith({ probes: [probeOf('health')], writers: [writer], checks }))
    .probing('health', 0, endMs, 1000, (sendMs) => ({ status: 'ok', finishMs: sendMs + 5 }))
    .fault(faultMs, { healedMs: 50_000 });
  for (const [index, own] of outages.entries()) {
    // The second client may be far away.
    const maxLatencyMs = index === 0 ? 10 : latencyMs;
    const answer = simulatedTarget(own, { random: seeded(index + 1), maxLatencyMs, timeoutMs: 1000 });
    let number = 0;
    for (let sendMs = writesFromMs + index * 50; sendMs < writesToMs;) {
      const { status, cause, finishMs } = answer(sendMs);
      const outcome = status === 'ok' ? 'acked' : cause === 'refused' ? 'refused' : 'indeterminate';
      const times = { sendMs, finishMs };
      log.at(finishMs, {
        type: 'row.written',
        writer: 'rows',
        client: index + 1,
        number: ++number,
        ...times,
        outcome,
      });
      sendMs += 100 * Math.max(1, Math.ceil((finishMs - sendMs) / 100));
    }
  }
  return summarize(log.at(endMs, { type: 'run.ended' }).read());
}

const refused = (fromMs: number, toMs: number): Outage => ({ fromMs, toMs, kind: 'refused' });
const hang = (fromMs: number, toMs: number): Outage => ({ fromMs, toMs, kind: 'hang' });

describe('a check on the outage of writes', () => {
  /** Client 1 is out for 5 s, and its session hangs again later. Client 2 is out for 3 s of these. */
  const outages = [[refused(20_050, 25_050), hang(30_000, 38_000)], [refused(22_050, 25_050)]] as const;

  test('judges the time in which no client got through', () => {
    const { checks } = drill(outages, [
      checkOf({ maxMs: 3500 }),
      checkOf({ maxMs: 2500 }),
      checkOf({ maxMs: 0 }),
    ]);
    expect(checks.map(({ status }) => status)).toEqual(['pass', 'fail', 'fail']);
    const { minMs = NaN, maxMs = NaN } = checks[0]?.measured ?? {};
    expect([minMs <= 3000, maxMs >= 3000]).toEqual([true, true]);
  });

  test('judges the client that was out for longest, and its longest outage', () => {
    const any = { clients: 'any' } as const;
    const { checks } = drill(outages, [
      checkOf({ ...any, maxMs: 15_000 }),
      checkOf({ ...any, maxMs: 12_000 }),
      checkOf({ ...any, time: 'longest', maxMs: 9500 }),
      checkOf({ ...any, time: 'longest', maxMs: 6500 }),
    ]);
    expect(checks.map(({ status }) => status)).toEqual(['pass', 'fail', 'pass', 'fail']);
  });

  test('is inconclusive if the limit lies within the bounds, or if a client wrote nothing before the fault', () => {
    const [within] = drill(outages, [checkOf({ maxMs: 3000 })]).checks;
    expect(within).toMatchObject({ status: 'inconclusive', limit: 'at most 3 s' });
    const late = drill(outages, [checkOf({ maxMs: 60_000 })], { writesFromMs: faultMs + 2000 });
    expect(late.checks[0]).toMatchObject({ status: 'inconclusive', observed: 'no write before the fault' });
    expect(late.reasons.join('\n')).toContain('rows client 1 completed no write before the fault');
  });

  test('counts the outage that fits between two writes', () => {
    const { checks } = drill(
      [[], []],
      [checkOf({ maxMs: 200 }), checkOf({ maxMs: 100 }), checkOf({ maxMs: 0 })],
    );
    expect(checks.map(({ status }) => status)).toEqual(['pass', 'inconclusive', 'pass']);
  });

  test('does not take a failed write of a client for the time that fits between two writes of another', () => {
    const [zero] = drill([[refused(25_000, 25_060)], []], [checkOf({ clients: 'any', maxMs: 0 })], {
      latencyMs: 600,
    }).checks;
    expect(zero).toMatchObject({ status: 'inconclusive' });
  });

  test('judges all clients by those that wrote before the fault, and each client only if all did', () => {
    const standby = [[refused(0, 25_050)], [refused(20_050, endMs)]] as const;
    const { checks } = drill(standby, [
      checkOf({ maxMs: 6000 }),
      checkOf({ maxMs: 4000 }),
      checkOf({ clients: 'any', maxMs: 6000 }),
    ]);
    expect(checks.map(({ status }) => status)).toEqual(['pass', 'fail', 'inconclusive']);
  });

  test('is inconclusive without a line of a client after the fault', () => {
    const { checks, reasons } = drill([[], []], [checkOf({ maxMs: 5000 })], { writesToMs: faultMs - 100 });
    expect(checks).toMatchObject([{ status: 'inconclusive', observed: 'no write after the fault' }]);
    expect(reasons.join('\n')).toContain('the event log has no write of rows client 1 after the fault');
  });

  test('is next to the recovery of the clients in the summary', () => {
    const { writers, rto } = drill(outages, []);
    expect(rto?.ms).toBe(0);
    const { service, worstClient, recovered, windows } = writers[0]?.outages?.writes ?? {};
    expect(service?.outages).toBe(1);
    expect(worstClient).toMatchObject({ client: 'rows client 1', outages: 2 });
    expect(windows).toMatchObject([{ state: 'down' }]);
    const holds = (measure: { minMs: number; maxMs: number } | null | undefined, ms: number): boolean =>
      measure != null && measure.minMs <= ms && ms <= measure.maxMs;
    // The fault takes effect between 20.00 s and 20.15 s.
    expect(holds(recovered?.first, 5000)).toBe(true);
    expect(holds(recovered?.all, 5000)).toBe(true);
  });
});
