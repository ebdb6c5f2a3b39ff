import { describe, expect, test } from 'vitest';
import type { Check, Plan, PlannedProbe } from '../core/plan.ts';
import type { FailCause } from '../core/sample.ts';
import type { CheckResult, Ownership } from '../core/summary.ts';
import { summarize } from './summarize.ts';
import { type Answer, LogBuilder, planWith, probeOf } from './testing/log-builder.ts';

const name = 'c';

/** The value of a host's sample at a moment, or the cause of its failure. */
type Says = (ms: number) => string | { readonly cause: FailCause };

/** Two hosts that are sampled every second; the fault is at 5.2 s. */
function sampled(checks: readonly Check[], a: Says, b: Says, parts: Partial<PlannedProbe> = {}): LogBuilder {
  const answer =
    (says: Says) =>
    (ms: number): Answer => {
      const said = says(ms);
      if (typeof said === 'string') return { status: 'ok', finishMs: ms + 5, value: said };
      return { status: 'fail', finishMs: ms + (said.cause === 'timeout' ? 900 : 5), cause: said.cause };
    };
  const plan: Partial<Plan> = {
    probes: [probeOf('health'), probeOf('vip@a', parts), probeOf('vip@b', parts)],
    ownership: { vip: { claimed: { probe: 'vip', is: ['yes'] } } },
    checks,
  };
  return new LogBuilder(planWith(plan))
    .probing('health', 0, 25_000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 5 }))
    .probing('vip@a', 300, 25_000, 1000, answer(a))
    .probing('vip@b', 600, 25_000, 1000, answer(b))
    .at(5000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .fault(5200)
    .at(25_000, { type: 'run.ended' });
}

function judged(check: Check, a: Says, b: Says): CheckResult & { readonly reasons: readonly string[] } {
  const { checks, reasons } = summarize(sampled([check], a, b).read());
  const [result] = checks;
  if (result === undefined) throw new Error('no check was judged');
  return { ...result, reasons };
}

/** Unanswered from 10 s to 11.9 s: two samples time out. */
const silent = (value: string, during: readonly [number, number] = [10_000, 11_900]): Says => {
  return (ms) => (ms >= during[0] && ms < during[1] ? { cause: 'timeout' } : value);
};
const is =
  (value: string): Says =>
  () =>
    value;

describe('a time without answers that is shorter than a sample stays fresh', () => {
  const none: Check = {
    kind: 'ownership',
    name,
    of: 'vip',
    side: 'claimed',
    state: 'none',
    maxMs: 2000,
  };

  test('is not a time without an owner', () => {
    const { status, measured } = judged(none, silent('yes'), is('no'));
    expect(status).toBe('inconclusive');
    expect(measured?.minMs).toBe(0);
    // From the last good sample, sent at 9.3 s, to the next one's answer at 12.305 s, plus one gap.
    expect(measured?.maxMs).toBe(3005 + 1005);
  });

  test('makes the owner unknown, from the last good sample on', () => {
    const [vip]: readonly Ownership[] = summarize(sampled([], silent('yes'), is('no')).read()).ownership;
    const [side] = vip?.sides ?? [];
    expect(side?.spans.map((s) => [s.owners, s.maybe])).toEqual([
      [['a'], []],
      [[], ['a']],
      [['a'], []],
    ]);
    const { fromMs = 0, toMs = 0 } = side?.spans[1] ?? {};
    expect(toMs - fromMs).toBe(3005);
    expect(side?.none).toMatchObject([{ certain: false, minMs: 0, maxMs: 3005 }]);
    expect(side?.multiple).toEqual([]);
  });

  test('names a starved machine as the reason, if it was one', () => {
    const condition = { probe: 'vip', is: ['yes'], count: { min: 2, max: 2 } };
    const check: Check = { kind: 'never', name, condition, toleranceMs: 0 };
    const log = sampled([check], is('yes'), silent('no'));
    // The machine carries the hosts, so its starvation makes no sample unknown.
    const faults = [{ id: 'fault-1', kind: 'process.kill', on: { host: 'a' }, atMs: 0, params: {} }];
    Object.assign(log.plan, { faults });
    log.at(1, { type: 'control.started', everyMs: 500, workMs: 8 });
    for (let t = 400; t < 25_000; t += 500) {
      const wallMs = t > 9000 && t < 13_000 ? 64 : 8;
      log.at(t + wallMs, { type: 'control.sample', finishMs: t + wallMs, wallMs, cpuMs: 8 });
    }
    const nothing = { somePct: 0, fullPct: 0 };
    log.at(1000, {
      type: 'machine.pressure',
      machine: 'm1',
      prober: true,
      hosts: ['a', 'b'],
      overMs: 1000,
      cpu: { somePct: 90, busyPct: 100, stealPct: 0, runQueue: 9, cores: 2 },
      memory: nothing,
      io: nothing,
      targetCpuPct: 190,
    });
    const { checks, reasons } = summarize(log.read());
    expect(checks[0]?.status).toBe('inconclusive');
    expect(reasons.join()).toMatch(
      /vip@b gave no answer for up to \d.*; the prober's machine was starved of CPU for \d.* of that time; use a quieter machine/,
    );
  });

  test('makes `never` inconclusive: the host may have owned it, too', () => {
    const condition = { probe: 'vip', is: ['yes'], count: { min: 2, max: 2 } };
    const check: Check = { kind: 'never', name, condition, toleranceMs: 0 };
    const { status, reasons } = judged(check, is('yes'), silent('no'));
    expect(status).toBe('inconclusive');
    expect(reasons.join()).toContain(
      '"vip is yes on exactly 2" may have held for up to 3.00 s, from 5.83 s after the fault: vip@b gave no answer for up to 1.90 s; sample it from a place that reaches the host, or with a probe that runs on the host',
    );
    // The other host rules it out.
    expect(judged(check, is('no'), silent('no')).status).toBe('pass');
  });

  test('makes `never` without `is` inconclusive, too, although a failure means "no"', () => {
    const check: Check = {
      kind: 'never',
      name,
      condition: { probe: 'vip', count: { min: 2, max: 2 } },
      toleranceMs: 0,
    };
    const b: Says = (ms) => ({ cause: ms >= 10_000 && ms < 11_900 ? 'timeout' : 'refused' });
    // B is good once before the fault, which proves that its probe works.
    const works: Says = (ms) => (ms < 3000 ? 'no' : b(ms));
    const { status, observed } = judged(check, is('yes'), works);
    expect(status).toBe('inconclusive');
    expect(observed).toBe(
      'not observed, but may have held for up to 3.00 s, from 5.83 s after the fault: vip@b gave no answer for up to 1.90 s',
    );
    expect(judged(check, is('yes'), (ms) => (ms < 3000 ? 'no' : { cause: 'refused' })).status).toBe('pass');
  });

  test('of one sample at the end makes the end unknown', () => {
    const [vip] = summarize(sampled([], silent('yes', [24_000, 25_000]), is('no')).read()).ownership;
    expect(vip?.sides[0]?.spans.at(-1)).toMatchObject({ owners: [], maybe: ['a'] });
  });

  test('is unknown even between equal values, and has a value if `onFailure` declares one', () => {
    const refused: Says = (ms) => (ms > 10_000 && ms < 11_900 ? { cause: 'refused' } : 'yes');
    const check = { ...none, maxMs: 500 };
    expect(judged(check, refused, is('no')).status).toBe('inconclusive');
    const log = sampled([check], refused, is('no'), { onFailure: { refused: 'no' } });
    expect(summarize(log.read()).checks[0]).toMatchObject({ status: 'fail' });
  });
});

describe('missing answers of a host after a fault that takes its power', () => {
  const dual: Check = {
    kind: 'never',
    name,
    condition: { probe: 'pg', is: ['primary'], count: { min: 2 } },
    toleranceMs: 0,
  };
  /** B is promoted at 20 s. A does not answer from 11 s to 57 s. */
  const drill = (add: (log: LogBuilder) => LogBuilder): string | undefined => {
    const plan: Partial<Plan> = {
      probes: [probeOf('health'), probeOf('pg@a'), probeOf('pg@b')],
      checks: [dual],
    };
    const log = new LogBuilder(planWith(plan))
      .probing('health', 0, 60_000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 5 }))
      .probing('pg@a', 300, 60_000, 1000, (ms) =>
        ms < 11_000 || ms >= 57_000
          ? { status: 'ok', finishMs: ms + 5, value: ms < 11_000 ? 'primary' : 'standby' }
          : { status: 'fail', finishMs: ms + 900, cause: 'timeout' },
      )
      .probing('pg@b', 600, 60_000, 1000, (ms) => ({
        status: 'ok',
        finishMs: ms + 5,
        value: ms < 20_000 ? 'standby' : 'primary',
      }))
      .at(5000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
      .at(60_000, { type: 'run.ended' });
    return summarize(add(log).read()).checks[0]?.status;
  };
  const off = (kind: string, effectMs: number, healMs: number) => (log: LogBuilder) =>
    log
      .at(10_500, { type: 'fault.issued', fault: 'fault-1', kind, host: 'a', params: {} })
      .at(10_600, { type: 'fault.acked', fault: 'fault-1', receipt: {} })
      .at(effectMs, { type: 'fault.effect', fault: 'fault-1', notBeforeMs: 10_500, notAfterMs: effectMs })
      .at(healMs, { type: 'heal.started', fault: 'fault-1' })
      .at(healMs + 1000, { type: 'heal.proven', fault: 'fault-1' });

  test('prove that nothing runs from its effect on', () => {
    expect(drill(off('server.stop', 12_000, 55_000))).toBe('pass');
    expect(drill(off('power.cut', 12_000, 55_000))).toBe('pass');
  });

  test('prove nothing before its effect: a graceful stop takes its time', () => {
    expect(drill(off('server.stop', 40_000, 55_000))).toBe('inconclusive');
  });

  test('prove nothing for a server that reboots: it is off for a short time', () => {
    expect(drill(off('server.reboot', 12_000, 55_000))).toBe('inconclusive');
  });

  test('prove nothing once the power may be on, if another fault may block the answers', () => {
    const cut = off('power.cut', 12_000, 16_000);
    expect(drill(cut)).toBe('pass');
    const isolated = (log: LogBuilder) =>
      cut(log.fault(10_400, { id: 'fault-2', kind: 'network.isolate', host: 'a', healedMs: 56_000 }));
    expect(drill(isolated)).toBe('inconclusive');
    const elsewhere = (log: LogBuilder) =>
      cut(log.fault(10_400, { id: 'fault-2', kind: 'process.kill', host: 'b', healedMs: 56_000 }));
    expect(drill(elsewhere)).toBe('pass');
  });
});
