import { describe, expect, test } from 'vitest';
import type { Condition } from '../core/condition.ts';
import type { Check } from '../core/plan.ts';
import type { CheckResult } from '../core/summary.ts';
import { summarize } from './summarize.ts';
import { readLines } from './testing/log-builder.ts';
import { type LossVariant, nodeLoss, truth } from './testing/node-loss.ts';

function judged(check: Check, variant: LossVariant = {}): CheckResult {
  const [result] = summarize(nodeLoss({ ...variant, checks: [check] }).read()).checks;
  if (result === undefined) throw new Error('no check was judged');
  return result;
}

const name = 'c';
const primaries = (min: number): Condition => ({ probe: 'pg-role', is: ['primary'], count: { min } });

describe('downtime', () => {
  const lostMs = truth.bootedMs - truth.faultMs;

  test.each<[{ minMs?: number; maxMs?: number }, string, string]>([
    [{ maxMs: 60_000 }, 'pass', 'at most 60 s'],
    [{ minMs: 30_000 }, 'pass', 'at least 30 s'],
    [{ minMs: 30_000, maxMs: 60_000 }, 'pass', '30 s to 60 s'],
    [{ minMs: 60_000 }, 'fail', 'at least 60 s'],
    [{ maxMs: 30_000 }, 'fail', 'at most 30 s'],
    [{ minMs: lostMs }, 'inconclusive', 'at least 43 s'],
  ])('of a probe instance with the limits %j is a %s', (limits, status, limit) => {
    const result = judged({ kind: 'downtime', name, probe: 'pg-role@node-1', ...limits });
    expect(result).toMatchObject({ status, limit });
    expect(result.measured?.minMs).toBeLessThanOrEqual(lostMs);
    expect(result.measured?.maxMs).toBeGreaterThanOrEqual(lostMs);
  });

  test('of a probe that stays up is 0, and a minimum says so', () => {
    expect(judged({ kind: 'downtime', name, probe: 'pg-role@node-2', maxMs: 0 }).status).toBe('pass');
    expect(judged({ kind: 'downtime', name, probe: 'pg-role@node-2', minMs: 3000 }).status).toBe('fail');
    // At an interval of 1 s, an outage of 1 s may have passed between two samples.
    expect(judged({ kind: 'downtime', name, probe: 'pg-role@node-2', minMs: 1000 }).status).toBe(
      'inconclusive',
    );
  });

  test('of a probe that is unknown or has no good sample is inconclusive', () => {
    expect(judged({ kind: 'downtime', name, probe: 'x', maxMs: 1 }).observed).toBe(
      'no such probe in the plan',
    );
    const lines = nodeLoss({ checks: [{ kind: 'downtime', name, probe: 'pg-role@node-2', maxMs: 0 }] })
      .lines()
      .map((l) =>
        l.includes('"pg-role@node-2","slot"') ? l.replace('"status":"ok"', '"status":"unknown"') : l,
      );
    expect(summarize(readLines(lines)).checks[0]).toMatchObject({
      status: 'inconclusive',
      observed: 'not measured: no good sample',
    });
  });

  test('that is not over when the log ends is a lower bound', () => {
    const cut = (check: Check) =>
      summarize(
        readLines(
          nodeLoss({ checks: [check] })
            .lines()
            .filter((l) => Number(/^\{"t":([\d.]+)/.exec(l)?.[1]) < 25_000),
        ),
      ).checks[0];
    expect(cut({ kind: 'downtime', name, minMs: 10_000 })).toMatchObject({ status: 'pass' });
    expect(cut({ kind: 'downtime', name, maxMs: 10_000 })).toMatchObject({ status: 'fail' });
    const open = cut({ kind: 'downtime', name, maxMs: 60_000 });
    expect(open).toMatchObject({ status: 'inconclusive', observed: expect.stringContaining('or more') });
    expect(open).not.toHaveProperty('measured');
  });
});

describe('no-recovery', () => {
  const check: Check = { kind: 'no-recovery', name: 'stays away' };

  test('passes if the service stays down until the heal; the missing RTO is then a reason, not a failure', () => {
    const summary = summarize(nodeLoss({ stuck: true, checks: [check] }).read());
    expect(summary).toMatchObject({ verdict: 'pass', rto: null, healed: true });
    expect(summary.reasons).toEqual([
      expect.stringMatching(/^stays away: none within \d\d\.\d\d s, as expected$/),
    ]);
    // Without the check the same drill fails.
    expect(summarize(nodeLoss({ stuck: true }).read()).verdict).toBe('fail');
  });

  test('fails if the service recovers, or if there is no outage', () => {
    const back = summarize(nodeLoss({ checks: [check] }).read());
    expect(back.verdict).toBe('fail');
    expect(back.reasons[0]).toMatch(/^stays away: health recovered by itself after 19\.\d\d s/);
    const lines = nodeLoss({ checks: [check] })
      .lines()
      .map((l) =>
        l.includes('"probe":"health"') ? l.replace(/"status":"fail","cause":"refused"/, '"status":"ok"') : l,
      );
    expect(summarize(readLines(lines)).checks[0]).toMatchObject({ status: 'fail', observed: 'no outage' });
  });

  test('is inconclusive if the run was cut short', () => {
    const lines = nodeLoss({ checks: [check], stuck: true })
      .lines()
      .filter((l) => Number(/^\{"t":([\d.]+)/.exec(l)?.[1]) < 25_000);
    expect(summarize(readLines(lines)).checks[0]?.status).toBe('inconclusive');
  });
});

describe('happens', () => {
  const standbyMs = truth.endMs - truth.standbyMs;
  const condition: Condition = { probe: 'pg-role', host: 'node-1', is: ['standby'] };

  test.each<[{ minMs: number; maxMs?: number }, string, string]>([
    [{ minMs: 0 }, 'pass', 'at least once'],
    [{ minMs: 0, maxMs: 5000 }, 'fail', 'at least once, at most 5 s'],
    [{ minMs: 5000 }, 'pass', 'at least 5 s'],
    [{ minMs: 5000, maxMs: 30_000 }, 'pass', '5 s to 30 s'],
    [{ minMs: 20_000 }, 'fail', 'at least 20 s'],
    [{ minMs: standbyMs }, 'inconclusive', 'at least 12 s'],
  ])('sums the time for which the condition held: %j is a %s', (limits, status, limit) => {
    const result = judged({ kind: 'happens', name, condition, ...limits });
    expect(result).toMatchObject({ status, limit });
    expect(result.measured?.minMs).toBeLessThanOrEqual(standbyMs);
    expect(result.measured?.maxMs).toBeGreaterThanOrEqual(standbyMs - 1000);
  });

  test('fails if the condition cannot have held for `min` between two samples', () => {
    const never: Check = { kind: 'happens', name, condition: primaries(2), minMs: 1500 };
    expect(judged(never, { silence: 'refused' })).toMatchObject({
      status: 'fail',
      observed: 'at none of 144 samples, at most 1.00 s apart',
    });
    expect(judged({ ...never, minMs: 0 }, { silence: 'refused' })).toMatchObject({ status: 'inconclusive' });
  });

  test('treats missing answers as unknown', () => {
    const dual: Check = { kind: 'happens', name, condition: primaries(2), minMs: 3000 };
    expect(judged(dual, { kind: 'network.partition' })).toMatchObject({
      status: 'inconclusive',
      observed: expect.stringMatching(/^uncertain, up to \d\d\.\d\d s$/),
    });
    // The power is off, so nothing runs on the host.
    expect(judged(dual).status).toBe('fail');
  });
});

describe('never, on a host that does not answer', () => {
  const dual: Check = { kind: 'never', name, condition: primaries(2), toleranceMs: 0 };

  test('is inconclusive while the host may be running', () => {
    const result = judged(dual, { kind: 'network.isolate' });
    expect(result.status).toBe('inconclusive');
    expect(result.observed).toMatch(
      /^may have held for up to (29|30)\.\d\d s, from \d\d\.\d\d s after the fault$/,
    );
    expect(judged(dual, { kind: 'network.isolate', silence: 'unreachable' }).status).toBe('inconclusive');
  });

  test('passes if its power was cut: missing answers and unknown samples then prove that nothing runs', () => {
    const passed = {
      status: 'pass',
      observed: expect.stringMatching(/^at none of 144 samples, at most 1\.[09]0 s apart$/),
    };
    expect(judged(dual)).toMatchObject(passed);
    // The first unknown sample finishes before the effect is confirmed, so it proves nothing.
    expect(judged(dual, { silence: 'unknown' })).toMatchObject({
      status: 'pass',
      observed: 'at none of 143 samples, at most 1.13 s apart',
    });
    // A heal that was not proven does not end it.
    expect(judged(dual, { unproven: true }).status).toBe('pass');
    // Unknown samples without a power fault prove nothing.
    expect(judged(dual, { kind: 'network.isolate', silence: 'unknown' }).status).toBe('inconclusive');
  });

  test('passes if the host refuses connections, and `onFailure` declares a state for that', () => {
    expect(judged(dual, { kind: 'network.isolate', silence: 'reset' }).status).toBe('inconclusive');
    expect(judged(dual, { kind: 'network.isolate', silence: 'refused' })).toMatchObject({
      status: 'pass',
      observed: 'at none of 144 samples, at most 1.00 s apart',
    });
  });

  test('passes if the other instances rule it out, and names the unobserved one', () => {
    // Node-2 is a standby all the time, so two primaries are impossible.
    const result = judged(dual, { kind: 'network.isolate', stuck: true });
    expect(result.status).toBe('pass');
    expect(result.observed).toMatch(
      /^at none of 144 samples, at most 1\.90 s apart, by the other instances alone while pg-role@node-1 gave no answer for up to 4\d\.\d\d s$/,
    );
  });

  test('passes if the tolerance is longer than the time without answers', () => {
    const result = judged({ ...dual, toleranceMs: 60_000 }, { kind: 'network.isolate' });
    expect(result.status).toBe('pass');
    expect(result.observed).toMatch(/^at most (29|30)\.\d\d s$/);
  });

  test('is inconclusive by timeouts if the state must exist: the host without an answer may have it', () => {
    const none: Check = {
      kind: 'never',
      name,
      condition: { probe: 'pg-role', is: ['primary'], count: { min: 0, max: 0 } },
      toleranceMs: 5000,
    };
    expect(judged(none, { kind: 'network.isolate' }).status).toBe('inconclusive');
    // Refused is declared to be "down".
    expect(judged(none, { kind: 'network.isolate', silence: 'refused' }).status).toBe('fail');
  });
});
