import { describe, expect, test } from 'vitest';
import type { Check } from '../core/plan.ts';
import { analyse, summarize } from './summarize.ts';
import { type Answer, LogBuilder, planWith, probeOf, readLines } from './testing/log-builder.ts';
import { checkList, crashDrill, crashPlan, probes, truth, upToFault } from './testing/postgres-crash.ts';

const trueRto = truth.recoveredMs - truth.effectMs;
const trueDowntime = truth.firstUpMs - truth.effectMs + (truth.recoveredMs - truth.secondDownMs);

test('the summary has the label of the run', () => {
  const lines = crashDrill().lines();
  const [first = '', ...rest] = lines;
  const labelled = (label: unknown) => JSON.stringify({ ...(JSON.parse(first) as object), label });
  expect(summarize(readLines([labelled('v1.3'), ...rest])).label).toBe('v1.3');
  expect(() => readLines([labelled(7), ...rest])).toThrow('"label" should be a string, is 7');
  expect(summarize(readLines(lines))).not.toHaveProperty('label');
});

test('a role that moved while the steady state was lost and met again did not move by the fault', () => {
  const owner = (host: string) => (ms: number) => {
    const value = ms < 6000 === (host === 'node-1') ? 'owner' : 'none';
    return { status: 'ok', value, finishMs: ms + 5 } as const;
  };
  const check: Check = { kind: 'role-moved', name: 'VIP moves', role: 'vip-owner' };
  const summary = summarize(
    new LogBuilder(
      planWith({
        probes: [probeOf('health'), probeOf('vip@node-1'), probeOf('vip@node-2')],
        roles: { 'vip-owner': { probe: 'vip', is: ['owner'] } },
        faults: [{ id: 'fault-1', kind: 'process.kill', on: { host: 'node-1' }, atMs: 0, params: {} }],
        recovery: { probe: 'health', withinMs: 30_000, stableForMs: 3000 },
        checks: [check],
      }),
    )
      .at(5000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
      .at(5001, { type: 'role.resolved', role: 'vip-owner', host: 'node-1' })
      .at(10_000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
      .probing('health', 10, 40_000, 500, (ms) =>
        ms > 12_000 && ms < 15_000
          ? { status: 'fail', cause: 'refused', finishMs: ms + 5 }
          : { status: 'ok', finishMs: ms + 5 },
      )
      .probing('vip@node-1', 20, 40_000, 500, owner('node-1'))
      .probing('vip@node-2', 30, 40_000, 500, owner('node-2'))
      .fault(12_000, { healedMs: 30_000 })
      .at(25_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
      .at(40_000, { type: 'run.ended' })
      .read(),
  );
  expect(summary.roles).toEqual([{ role: 'vip-owner', before: 'node-2', after: 'node-2' }]);
  expect(summary.checks).toMatchObject([{ name: 'VIP moves', status: 'fail' }]);
});

describe('a Postgres crash with failover', () => {
  const { summary, recovery } = analyse(crashDrill().read());

  test('passes without reasons', () => {
    expect(summary.checks.map((c) => [c.name, c.status])).toEqual(checkList.map((c) => [c.name, 'pass']));
    expect(summary).toMatchObject({ verdict: 'pass', reasons: [], healed: true, notes: [] });
  });

  test('has the RTO of the recovery that held, over both windows, with bounds around the truth', () => {
    expect(summary.rto?.minMs).toBeLessThanOrEqual(trueRto);
    expect(summary.rto?.maxMs).toBeGreaterThanOrEqual(trueRto);
    expect(Math.abs((summary.rto?.ms ?? 0) - trueRto)).toBeLessThanOrEqual(100);
    expect(summary.rto?.first?.ms).toBeLessThan(truth.secondDownMs - truth.effectMs);
    expect(recovery?.effect).toMatchObject({ loMs: 10_000 });
    // A sample shows the outage before the acknowledgment, so the bounds of t0 are narrower.
    expect(recovery?.effect.hiMs).toBeLessThan(10_150);
  });

  test('sums two windows to the downtime', () => {
    expect(summary.downtime?.windows).toBe(2);
    expect(summary.downtime?.minMs).toBeLessThanOrEqual(trueDowntime);
    expect(summary.downtime?.maxMs).toBeGreaterThanOrEqual(trueDowntime);
    expect(summary.probes[0]?.windows.map((w) => w.state)).toEqual(['down', 'down']);
  });

  test('splits the RTO into stages that sum to it, to the microsecond', () => {
    expect(summary.stages.map((s) => [s.name, s.includes])).toEqual([
      ['LB notices', []],
      ['repmgr promotes', []],
      ['watchdog converges', ['pgpool re-routes']],
      ['first 200', []],
    ]);
    const sumUs = summary.stages.reduce((sum, s) => sum + Math.round(s.ms * 1000), 0);
    expect(sumUs).toBe(Math.round((summary.rto?.ms ?? 0) * 1000));
  });

  test('has the role’s move and the restored redundancy', () => {
    expect(summary.roles).toEqual([{ role: 'db-primary', before: 'node-1', after: 'node-2' }]);
    const trueMs = truth.standbyBackMs - truth.effectMs;
    expect(Math.abs((summary.redundancyRestoredMs ?? 0) - trueMs)).toBeLessThan(1000);
  });

  test('has the events of the fault and the phases', () => {
    expect(summary.faults).toEqual([
      {
        id: 'fault-1',
        kind: 'process.kill',
        on: 'node-1',
        issuedAt: '2026-03-01T10:00:10.000Z',
        ackedAt: '2026-03-01T10:00:10.150Z',
        effectAt: '2026-03-01T10:00:10.075Z',
        healedAt: '2026-03-01T10:01:19.700Z',
      },
    ]);
    expect(summary.phases.map((p) => p.name)).toEqual(['steady', 'fault', 'recovery', 'heal', 'redundancy']);
    expect(summary).toMatchObject({
      startedAt: '2026-03-01T10:00:00.000Z',
      endedAt: '2026-03-01T10:01:20.000Z',
    });
  });

  test('is the same when the log is read again', () => {
    const lines = crashDrill().lines();
    expect(JSON.stringify(summarize(readLines(lines)))).toBe(JSON.stringify(summary));
  });
});

describe('limits against bounds', () => {
  const judged = (check: Check) => summarize(crashDrill({ checks: [check] }).read());

  test('an RTO certainly above its limit fails with a reason', () => {
    const summary = judged({ kind: 'rto', name: 'RTO', maxMs: 30_000 });
    expect(summary.verdict).toBe('fail');
    expect(summary.reasons[0]).toMatch(/^RTO: RTO was 36\.\d\d s \(.* to .*\), above the limit of 30 s$/);
  });

  test('a limit inside the bounds is inconclusive and names the interval that decides it', () => {
    const { rto } = summarize(crashDrill().read());
    const maxMs = Math.round((rto?.ms ?? 0) + 25);
    const summary = judged({ kind: 'rto', name: 'RTO', maxMs });
    expect(summary.verdict).toBe('inconclusive');
    expect(summary.reasons[0]).toMatch(
      /lies within the bounds; (if the estimate is right, a probe interval of|a shorter probe interval narrows)/,
    );
  });

  test('a role that stayed, a state that held, a state missing at the end', () => {
    const primary = { probe: 'pg-role', is: ['primary'] };
    expect(judged({ kind: 'role-stays', name: 'stays', role: 'db-primary' }).reasons[0]).toContain(
      'role db-primary moved from node-1 to node-2',
    );
    expect(
      judged({
        kind: 'never',
        name: 'n',
        condition: { ...primary, count: { min: 0, max: 0 } },
        toleranceMs: 5000,
      }).reasons[0],
    ).toMatch(/^n: "pg-role is primary on 0 to 0|^n: "pg-role is primary on exactly 0" held for/);
    expect(judged({ kind: 'finally', name: 'f', condition: { ...primary, host: 'node-1' } }).reasons[0]).toBe(
      'f: at the end "pg-role@node-1 is primary" did not hold: pg-role@node-1 standby',
    );
  });

  test('a dual owner for less than an interval is inconclusive, not passed', () => {
    const log = new LogBuilder(
      crashPlan({
        checks: [
          {
            kind: 'never',
            name: 'n',
            condition: { probe: 'pg-role', is: ['primary'], count: { min: 2 } },
            toleranceMs: 0,
          },
        ],
      }),
    );
    upToFault(log).fault(truth.issuedMs, { healedMs: 29_000 });
    const flip = (first: string, then: string) => (s: number) =>
      ({ status: 'ok', value: s < 15_000 ? first : then, finishMs: s + 5 }) as const;
    const alive = (s: number) => ({ status: 'ok', finishMs: s + 5 }) as const;
    log
      .probing('health', 0, 30_000, 1000, alive)
      .probing('pg-role@node-1', 100, 30_000, 1000, flip('primary', 'standby'))
      .probing('pg-role@node-2', 600, 30_000, 1000, flip('standby', 'primary'))
      .at(30_000, { type: 'run.ended' });
    const summary = summarize(log.read());
    expect(summary.checks[0]?.status).toBe('inconclusive');
    expect(summary.reasons[0]).toContain('may have held for up to');
    expect(summary.rto).toMatchObject({ ms: 0, minMs: 0 });
    // An outage between samples 1 s apart may delay the recovery by `stableFor`.
    expect(summary.rto?.maxMs).toBeGreaterThan(5000);
    expect(summary.rto?.maxMs).toBeLessThan(6500);
  });
});

describe('drills that are not complete', () => {
  test('steady state not met: inconclusive, no fault, no check judged', () => {
    const log = new LogBuilder(crashPlan())
      .at(0, { type: 'phase.started', phase: 'steady' })
      .probing('health', 0, 120_000, 1000, (s) => ({ status: 'fail', cause: 'refused', finishMs: s + 5 }))
      .at(120_000, {
        type: 'gate',
        gate: 'steady',
        state: 'timeout',
        unmet: ['health is ok everywhere (health: fail refused)'],
      })
      .at(120_001, { type: 'run.ended' });
    const summary = summarize(log.read());
    expect(summary).toMatchObject({ verdict: 'inconclusive', healed: true, rto: null, downtime: null });
    expect(summary.checks.map((c) => c.status)).toEqual(checkList.map(() => 'inconclusive'));
    expect(summary.reasons).toEqual([
      'the steady state was not met within 2 min, so no fault was injected: health is ok everywhere (health: fail refused)',
    ]);
    expect(summary.probes[0]?.windows[0]?.endAt).toBeNull();
  });

  test('a fault without effect makes the drill inconclusive', () => {
    const builder = upToFault(new LogBuilder(crashPlan()));
    probes(builder, 30_000, true)
      .at(10_000, {
        type: 'fault.issued',
        fault: 'fault-1',
        kind: 'process.kill',
        host: 'node-1',
        params: {},
      })
      .at(10_100, { type: 'fault.acked', fault: 'fault-1', receipt: {} })
      .at(20_100, { type: 'fault.failed', fault: 'fault-1', message: 'acknowledged, but no effect was seen' })
      .at(20_200, { type: 'heal.started', fault: 'fault-1' })
      .at(20_300, { type: 'heal.proven', fault: 'fault-1' })
      .at(30_000, { type: 'run.ended' });
    const summary = summarize(builder.read());
    expect(summary).toMatchObject({ verdict: 'inconclusive', healed: true, rto: null });
    expect(summary.reasons).toEqual([
      'fault-1 (process.kill on node-1) failed after it was issued: acknowledged, but no effect was seen',
    ]);
  });

  test('a fault with an unknown outcome makes the drill inconclusive', () => {
    const builder = upToFault(new LogBuilder(crashPlan()));
    const issued = { type: 'fault.issued', fault: 'fault-1', kind: 'process.kill', host: 'node-1' } as const;
    const message = "the fault's outcome is unknown (cut off), and no effect was seen";
    probes(builder, 30_000, true)
      .at(10_000, { ...issued, params: {} })
      .at(10_100, { type: 'fault.outcome_unknown', fault: 'fault-1', message: 'cut off' })
      .at(20_100, { type: 'fault.failed', fault: 'fault-1', message })
      .at(20_200, { type: 'heal.started', fault: 'fault-1' })
      .at(20_300, { type: 'heal.proven', fault: 'fault-1' })
      .at(30_000, { type: 'run.ended' });
    const summary = summarize(builder.read());
    expect(summary).toMatchObject({ verdict: 'inconclusive', healed: true, rto: null });
    expect(summary.faults).toMatchObject([{ ackedAt: null, effectAt: null }]);
    expect(summary.reasons).toEqual([
      `fault-1 (process.kill on node-1) failed after it was issued: ${message}`,
    ]);
  });

  test('recovery timed out: fail if the limit is below the wait, with the role that stayed', () => {
    const checks: Check[] = [
      { kind: 'rto', name: 'RTO', maxMs: 50_000 },
      { kind: 'downtime', name: 'downtime', maxMs: 50_000 },
      { kind: 'role-moved', name: 'primary moves', role: 'db-primary' },
      { kind: 'redundancy', name: 'redundancy', maxMs: 240_000 },
    ];
    const summary = summarize(crashDrill({ neverRecovers: true, checks }).read());
    expect(summary).toMatchObject({ verdict: 'fail', rto: null, redundancyRestoredMs: null, stages: [] });
    expect(summary.checks.map((c) => c.status)).toEqual(['fail', 'fail', 'fail', 'inconclusive']);
    expect(summary.reasons[0]).toMatch(
      /^RTO: health had no stable recovery within 1 min 00\.\d s|^RTO: health had no stable recovery within 60\.\d\d s, the limit is 50 s$/,
    );
    expect(summary.reasons[2]).toBe(
      'primary moves: role db-primary is held by no host; before the fault it was on node-1',
    );
  });

  test('recovery timed out below the limit: inconclusive', () => {
    const checks: Check[] = [{ kind: 'rto', name: 'RTO', maxMs: 600_000 }];
    const summary = summarize(crashDrill({ neverRecovers: true, checks }).read());
    expect(summary.verdict).toBe('inconclusive');
    expect(summary.reasons[0]).toContain('which is less than the limit of 10 min');
  });

  test('recovery timed out without an RTO check: the gate itself fails the drill', () => {
    const summary = summarize(crashDrill({ neverRecovers: true, checks: [] }).read());
    expect(summary.verdict).toBe('fail');
    expect(summary.reasons).toEqual(['no stable recovery within 60 s: health: fail http-5xx']);
  });

  test('redundancy timed out: judged by the wait, with the unmet conditions', () => {
    const judged = (maxMs: number | undefined) => {
      const checks: Check[] = maxMs === undefined ? [] : [{ kind: 'redundancy', name: 'redundancy', maxMs }];
      const lines = crashDrill({ checks })
        .lines()
        .map((l) =>
          l.includes('"type":"gate","gate":"redundancy"')
            ? l.replace('"met","unmet":[]', '"timeout","unmet":["router is ok on exactly 1"]')
            : l,
        );
      return summarize(readLines(lines));
    };
    // There are 66 s from the effect to the gate.
    expect(judged(240_000)).toMatchObject({ verdict: 'inconclusive', redundancyRestoredMs: null });
    expect(judged(60_000)).toMatchObject({
      verdict: 'fail',
      reasons: [
        expect.stringMatching(
          /^redundancy: redundancy was not restored within 66\.\d\d s, the limit is 60 s: router is ok on exactly 1$/,
        ),
      ],
    });
    expect(judged(undefined)).toMatchObject({
      verdict: 'fail',
      reasons: ['redundancy was not restored within 5 min: router is ok on exactly 1'],
    });
  });

  test('a failed heal takes precedence over a pass', () => {
    const lines = crashDrill()
      .lines()
      .map((l) =>
        l.includes('heal.proven')
          ? JSON.stringify({ t: 79_700, type: 'heal.failed', fault: 'fault-1', message: 'host gone' })
          : l,
      );
    const summary = summarize(readLines(lines));
    expect(summary).toMatchObject({ verdict: 'inconclusive', healed: false });
    expect(summary.reasons).toEqual(['fault-1 (process.kill on node-1) is not proven healed: host gone']);
    expect(summary.faults[0]?.healedAt).toBeNull();
  });

  test('stopped by a signal in the middle of the outage, healed: inconclusive', () => {
    const builder = upToFault(new LogBuilder(crashPlan()));
    probes(builder, 20_000, true)
      .fault(truth.issuedMs, { healedMs: 20_100 })
      .at(20_000, { type: 'run.aborted', reason: 'stopped by SIGINT' })
      .at(20_300, { type: 'run.ended' });
    const summary = summarize(builder.read());
    expect(summary).toMatchObject({ verdict: 'inconclusive', healed: true, rto: null });
    expect(summary.reasons[0]).toBe('the run was cut short: stopped by SIGINT');
    expect(summary.checks.every((c) => c.status === 'inconclusive')).toBe(true);
  });

  test.each([
    ['stopped by a person: the samples count', {}, 'fail'],
    [
      'aborted by firedrill itself (for example, its disk is full): no verdict',
      { broken: true },
      'inconclusive',
    ],
  ] as const)('an RTO above its limit, then %s', (_what, more, verdict) => {
    const builder = crashDrill({ checks: [{ kind: 'rto', name: 'RTO', maxMs: 1000 }] });
    const summary = summarize(builder.at(79_800, { type: 'run.aborted', reason: 'why', ...more }).read());
    expect(summary.checks.map(({ status }) => status)).toEqual(['fail']);
    expect(summary.verdict).toBe(verdict);
    expect(summary.reasons).toContain('the run was cut short: why');
  });

  test('killed in the middle: incomplete line, no end, fault not proven healed', () => {
    const all = crashDrill().lines();
    const cut = all.slice(
      0,
      all.findIndex((l) => /^\{"t":30\d{3}[.,]/.test(l)),
    );
    const summary = summarize(readLines([...cut, '{"t":30001.5,"type":"samp']));
    expect(summary).toMatchObject({ verdict: 'inconclusive', healed: false });
    expect(summary.reasons.slice(0, 2)).toEqual([
      'fault-1 (process.kill on node-1) is not proven healed',
      'the log ends in the middle of the run: firedrill was killed, or its disk was full',
    ]);
    expect(summary.notes).toEqual(['the last line of the event log is incomplete and was ignored']);
  });

  test('a prober that lost samples around the outage makes the drill inconclusive', () => {
    const lines = crashDrill()
      .lines()
      .map((l) => {
        const event = JSON.parse(l) as { type: string; probe?: string; slot?: number };
        return event.type === 'sample' && event.probe === 'health' && (event.slot ?? 0) % 20 === 0
          ? l.replace(/"status":"(ok|fail)"/, '"status":"unknown"')
          : l;
      });
    const summary = summarize(readLines(lines));
    expect(summary.verdict).toBe('inconclusive');
    expect(summary.reasons[0]).toMatch(/^the prober lost \d+ of \d+ samples of health around the outage/);
    // The bounds still contain the truth: lost samples only widen them.
    expect(summary.rto?.minMs).toBeLessThanOrEqual(trueRto);
    expect(summary.rto?.maxMs).toBeGreaterThanOrEqual(trueRto);
  });

  test('a stalled prober thread is a reason', () => {
    const summary = summarize(
      crashDrill()
        .at(20_000, { type: 'prober.health', lane: 'network', loopMaxMs: 700, loopP99Ms: 3 })
        .read(),
    );
    expect(summary.reasons).toEqual([
      "the prober's thread stalled for 700 ms, more than half the timeout of health",
    ]);
  });

  test.each([
    ['http', 'network', true],
    ['http', 'host', false],
    ['exec', 'host', true],
    ['exec', 'network', false],
  ])('a stall that contains the whole outage: recovery probe %s, thread %s', (kind, lane, isReported) => {
    // The stall is reported later, for an interval that contains the whole outage.
    const plan = planWith({
      probes: [probeOf('health', { kind })],
      faults: [{ id: 'fault-1', kind: 'process.kill', on: { host: 'node-1' }, atMs: 0, params: {} }],
      checks: [{ kind: 'rto', name: 'RTO', maxMs: 60_000 }],
    });
    const stalled = (ms: number) => ms > 9000 && ms < 40_000;
    const builder = new LogBuilder(plan);
    for (let ms = 0; ms < 60_000; ms += 1000)
      if (!stalled(ms)) builder.sample('health', ms / 1000, ms, { status: 'ok', finishMs: ms + 5 });
    const summary = summarize(
      builder
        .fault(20_000, { healedMs: 50_000 })
        .at(5000, { type: 'prober.health', lane, loopMaxMs: 2, loopP99Ms: 1 })
        .at(45_000, { type: 'prober.health', lane, loopMaxMs: 31_000, loopP99Ms: 31_000 })
        .at(50_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
        .at(60_000, { type: 'run.ended' })
        .read(),
    );
    expect(summary.reasons.some((r) => r.includes("the prober's thread stalled for 31.00 s"))).toBe(
      isReported,
    );
    // An outage of that length fits into the stall.
    expect(summary.rto?.maxMs).toBeGreaterThan(19_000);
  });
});

describe('a drill without an outage', () => {
  test('has an RTO of 0, whose upper bound is the longest gap between two samples', () => {
    const builder = upToFault(
      new LogBuilder(crashPlan({ checks: [{ kind: 'rto', name: 'RTO', maxMs: 500 }] })),
    );
    builder
      .probing(
        'health',
        7,
        40_000,
        (s) => (s >= 8000 && s < 30_000 ? 50 : 1000),
        (s) => ({
          status: 'ok',
          finishMs: s + 6,
        }),
      )
      .fault(truth.issuedMs, { healedMs: 31_000 })
      .at(30_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
      .at(40_000, { type: 'run.ended' });
    const summary = summarize(builder.read());
    expect(summary.rto).toMatchObject({ ms: 0, minMs: 0, maxMs: 56 });
    expect(summary).toMatchObject({ verdict: 'pass', downtime: { ms: 0, windows: 0 }, stages: [] });
  });

  test('has a note on an outage after the recovery, which counts as downtime', () => {
    const builder = upToFault(new LogBuilder(crashPlan({ checks: [] })));
    builder
      .probing('health', 7, 60_000, 1000, (s) => ({
        ...(s > 50_000 && s < 53_000
          ? ({ status: 'fail', cause: 'refused' } as const)
          : ({ status: 'ok' } as const)),
        finishMs: s + 6,
      }))
      .fault(truth.issuedMs, { healedMs: 49_000 })
      .at(30_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
      .at(60_000, { type: 'run.ended' });
    const summary = summarize(builder.read());
    expect(summary).toMatchObject({ verdict: 'pass', rto: { ms: 0 }, downtime: { windows: 1 } });
    expect(summary.notes[0]).toContain('1 more outage after the recovery had held');
  });
});

describe('watching without a drill', () => {
  const plan = crashPlan({ plan: { faults: [], roles: {} }, checks: [], stages: [] });
  const watch = (bad: (s: number) => boolean, untilMs = 30_000) => {
    const builder = new LogBuilder({ ...plan, probes: plan.probes.slice(0, 1) })
      .at(0, { type: 'phase.started', phase: 'watching' })
      .probing('health', 0, untilMs, 1000, (s) => ({
        ...(bad(s) ? ({ status: 'fail', cause: 'refused' } as const) : ({ status: 'ok' } as const)),
        finishMs: s + 4,
      }))
      .at(30_000, { type: 'run.ended' });
    return summarize(builder.read());
  };

  test('passes if nothing was down, and fails with the probe that was down', () => {
    expect(watch(() => false)).toMatchObject({
      verdict: 'pass',
      rto: null,
      downtime: null,
      checks: [],
      reasons: [],
    });
    expect(watch((s) => s >= 5000 && s < 9000)).toMatchObject({
      verdict: 'fail',
      reasons: ['health was down once'],
      probes: [{ id: 'health', windows: [{ state: 'down' }] }],
    });
  });

  test('is inconclusive if a probe had no known sample', () => {
    expect(watch(() => false, 0).verdict).toBe('inconclusive');
  });
});

describe('a watch with an unobserved part', () => {
  const watch = (answer: (ms: number) => Answer) =>
    summarize(
      new LogBuilder(planWith({ probes: [probeOf('health')] }))
        .at(0, { type: 'phase.started', phase: 'watching' })
        .probing('health', 0, 60_000, 1000, (ms) =>
          ms < 20_000 || ms >= 50_000 ? { status: 'ok', finishMs: ms + 5 } : answer(ms),
        )
        .at(60_000, { type: 'run.ended' })
        .read(),
    );

  test('is inconclusive', () => {
    expect(watch((ms) => ({ status: 'unknown', finishMs: ms + 5 }))).toMatchObject({
      verdict: 'inconclusive',
      reasons: ['health had no known result for 31.00 s'],
    });
    expect(watch((ms) => ({ status: 'dropped', finishMs: ms })).verdict).toBe('inconclusive');
  });

  test('is inconclusive if the machine slept', () => {
    const log = new LogBuilder(planWith({ probes: [probeOf('health')] }))
      .at(0, { type: 'phase.started', phase: 'watching' })
      .probing('health', 0, 60_000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 5 }))
      .at(30_000, { type: 'clock.stepped', atMs: 30_000, byMs: 600_000, cause: 'suspend' })
      .at(60_000, { type: 'run.ended' });
    expect(summarize(log.read())).toMatchObject({
      verdict: 'inconclusive',
      reasons: [expect.stringMatching(/^the prober's machine slept for 10 min/)],
    });
  });
});

test('a DNS failure gives a note of its own', () => {
  const plan = planWith({ probes: [probeOf('health'), probeOf('names', { kind: 'dns' })] });
  const failed = (cause: 'dns' | 'refused', message: string) => (ms: number) =>
    ms >= 5000
      ? ({ status: 'fail', cause, message, finishMs: ms + 150 } as const)
      : ({ status: 'ok', finishMs: ms + 5 } as const);
  const drill = (cause: 'dns' | 'refused') =>
    new LogBuilder(plan)
      .at(0, { type: 'phase.started', phase: 'watching' })
      .probing('health', 100, 10_000, 1000, failed(cause, 'DNS: no answer within 900 ms for app.example'))
      .probing('names', 200, 10_000, 1000, failed('dns', 'SERVFAIL'))
      .at(10_000, { type: 'run.ended' });
  expect(summarize(drill('dns').read()).notes).toEqual([
    'health could not resolve the name of its target in 5 of 10 samples (last error: DNS: no answer within 900 ms for app.example): this is a DNS failure, and the state of the service is unknown; to leave DNS out, give the probe an IP address',
  ]);
  expect(summarize(drill('refused').read()).notes).toEqual([]);
});
