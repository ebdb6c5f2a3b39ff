import { describe, expect, test } from 'vitest';
import type { Check, Plan } from '../core/plan.ts';
import { summarize } from './summarize.ts';
import { type Answer, LogBuilder, planWith, probeOf } from './testing/log-builder.ts';

const fault = { id: 'fault-1', kind: 'process.kill', on: { host: 'node-1' }, atMs: 0, params: {} } as const;
const ok = (ms: number, latencyMs = 20): Answer => ({ status: 'ok', finishMs: ms + latencyMs });
const refused = (ms: number): Answer => ({ status: 'fail', cause: 'refused', finishMs: ms + 5 });
const timeout = (ms: number): Answer => ({ status: 'fail', cause: 'timeout', finishMs: ms + 900 });

const said = (answer: Answer, value: string): Answer =>
  answer.status === 'ok' ? { ...answer, value } : answer;
const standby = (ms: number): Answer => said(ok(ms), 'standby');

/** The gate is met at 9 s, the fault is at 12 s, and the service is up at 18 s. */
function drill(
  answers: Readonly<Record<string, (ms: number) => Answer>>,
  { checks = [], plan = {} }: { checks?: readonly Check[]; plan?: Partial<Plan> } = {},
) {
  const ids = ['health', 'role@node-1', 'role@node-2'];
  const log = new LogBuilder(
    planWith({
      probes: ids.map((id) => probeOf(id, { intervalMs: 200 })),
      steady: {
        require: [{ probe: 'role', is: ['primary'], count: { min: 1, max: 1 } }],
        forMs: 3000,
        withinMs: 60_000,
      },
      faults: [fault],
      checks,
      recovery: { probe: 'health', withinMs: 30_000, stableForMs: 3000 },
      ...plan,
    }),
  )
    .at(9000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .at(9100, { type: 'rate.changed', burst: true })
    .fault(12_000, { healedMs: 35_000 })
    .at(30_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(40_000, { type: 'run.ended' });
  const usual = (ms: number): Answer => (ms > 12_100 && ms < 18_000 ? refused(ms) : ok(ms));
  for (const id of ids)
    log.probing(id, 10, 39_000, 200, answers[id] ?? (id === 'health' ? usual : (ms) => ok(ms)));
  return summarize(log.read());
}

const strict: Check = { kind: 'rto', name: 'RTO', maxMs: 1000 };

describe('a drill', () => {
  test('that began from the steady state is judged', () => {
    expect(drill({}).verdict).toBe('pass');
    expect(drill({}, { checks: [strict] }).verdict).toBe('fail');
  });

  test('is inconclusive after a failed sample between the gate and the fault, whatever its checks', () => {
    const flaw = (ms: number): Answer =>
      ms > 10_100 && ms < 10_300 ? timeout(ms) : ms > 12_100 && ms < 18_000 ? refused(ms) : ok(ms);
    const { verdict, reasons, checks } = drill({ health: flaw }, { checks: [strict] });
    expect(verdict).toBe('inconclusive');
    expect(checks.map((c) => c.status)).toEqual(['inconclusive']);
    expect(reasons[0]).toBe(
      'between the steady gate and the fault, health failed once (timeout, first 1.79 s before the fault); so the fault may not be the cause of the outage; find the cause with `firedrill watch`, or use a quieter machine',
    );
    expect(drill({ health: flaw }).verdict).toBe('inconclusive');
  });

  test('is inconclusive after one of a probe that the gate reads', () => {
    const { verdict, reasons } = drill({
      'role@node-2': (ms) => (ms > 9500 && ms < 10_300 ? refused(ms) : ok(ms)),
    });
    expect(verdict).toBe('inconclusive');
    expect(reasons[0]).toContain('role@node-2 failed 4 times (refused, first 2.39 s before the fault)');
  });

  test('may have an instance that never was good, and failures before the gate', () => {
    expect(drill({ 'role@node-2': refused }).verdict).toBe('pass');
    const early = (ms: number): Answer => (ms < 3000 || (ms > 12_100 && ms < 18_000) ? refused(ms) : ok(ms));
    expect(drill({ health: early }).verdict).toBe('pass');
  });

  test('is inconclusive if every second sample timed out until the gate and until the fault', () => {
    // A gate that only reads the latest answer is met: good answers overtake the timeouts.
    const half = (ms: number): Answer =>
      ms > 12_100 && ms < 18_000 ? refused(ms) : Math.round(ms / 200) % 2 === 0 ? ok(ms) : timeout(ms);
    const require = [{ probe: 'health' }];
    const steady = { require, forMs: 3000, withinMs: 60_000 };
    for (const shiftMs of [0, 200]) {
      const drilled = drill({ health: (ms) => half(ms + shiftMs) }, { plan: { steady }, checks: [strict] });
      expect(drilled.verdict).toBe('inconclusive');
      expect(drilled.reasons[0]).toContain('between the steady gate and the fault, health failed');
    }
  });

  test('is inconclusive if a sample that was sent within the hold failed after the gate', () => {
    // Sent at 8.4 s. The gate of older versions did not wait for it.
    const late = (ms: number): Answer => (ms > 8300 && ms < 8500 ? timeout(ms) : ok(ms, 5));
    const { verdict, reasons } = drill({
      'role@node-1': (ms) => said(late(ms), 'primary'),
      'role@node-2': standby,
    });
    expect(verdict).toBe('inconclusive');
    expect(reasons[0]).toMatch(
      /^the steady state did not hold until the fault: role is primary on exactly 1 \(role@node-1: fail timeout; role@node-2: standby\), 2\.\d\d s before the fault; so the fault may not be the cause/,
    );
  });

  test('is inconclusive if a role moved between the gate and the fault', () => {
    const both = (ms: number): Answer => said(ok(ms), ms > 10_000 && ms < 10_500 ? 'primary' : 'standby');
    const steady = { 'role@node-1': (ms: number) => said(ok(ms), 'primary') };
    const { verdict, reasons } = drill({ ...steady, 'role@node-2': both });
    expect(verdict).toBe('inconclusive');
    expect(reasons[0]).toContain('role is primary on exactly 1 (role@node-1: primary; role@node-2: primary)');
    expect(drill({ ...steady, 'role@node-2': standby }).verdict).toBe('pass');
  });

  test('reads the probes of its gate’s roles, too', () => {
    const steady = {
      require: [{ probe: 'health', role: 'main' }],
      forMs: 3000,
      withinMs: 60_000,
    };
    const plan = { steady, roles: { main: { probe: 'role', is: ['primary'] } } };
    const failing = (ms: number): Answer =>
      said(ms > 10_000 && ms < 10_500 ? refused(ms) : ok(ms), 'primary');
    const { reasons } = drill({ 'role@node-1': failing }, { plan });
    expect(reasons[0]).toContain('role@node-1 failed');
  });

  test('may fail a sample in flight by its fault, if that sample was not overdue', () => {
    const broken = (fromMs: number) => (ms: number) =>
      ms > fromMs && ms < 18_000 ? { ...refused(ms), finishMs: Math.max(ms + 5, 12_100) } : ok(ms);
    expect(drill({ health: broken(11_900) }).verdict).toBe('pass');
    expect(drill({ health: broken(11_500) }).verdict).toBe('inconclusive');
  });

  test('is inconclusive if answers were late before the fault', () => {
    const slow = (ms: number): Answer => (ms > 12_100 && ms < 18_000 ? refused(ms) : ok(ms, 600));
    const { verdict, reasons } = drill({ health: slow }, { checks: [strict] });
    expect(verdict).toBe('inconclusive');
    expect(reasons[0]).toBe(
      'health answered in 600 ms (p90) before the fault, which is more than half of its timeout of 900 ms: a little more load causes timeouts without an outage; use a quieter machine or a longer timeout',
    );
    // A single slow answer proves nothing.
    const once = (ms: number): Answer =>
      ms > 12_100 && ms < 18_000 ? refused(ms) : ok(ms, ms > 9_900 && ms < 10_000 ? 600 : 8);
    expect(drill({ health: once }).verdict).toBe('pass');
    const quick = (ms: number): Answer => (ms > 12_100 && ms < 18_000 ? refused(ms) : ok(ms, 400));
    expect(drill({ health: quick }).verdict).toBe('pass');
  });
});
