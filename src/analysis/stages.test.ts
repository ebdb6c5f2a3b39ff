import { describe, expect, test } from 'vitest';
import type { Model, Plan, PredictionStep, StageEnd, StageRule } from '../core/plan.ts';
import { analyse } from './summarize.ts';
import { dominantStage, stagesOf, notAttributed } from './stages.ts';
import { LogBuilder, planWith, probeOf, seeded } from './testing/log-builder.ts';
import { crashDrill, stageRules, truth } from './testing/postgres-crash.ts';

const until = (end: StageEnd, name = 'x'): StageRule => ({ name, until: end });
const is = (probe: string, value: string, count?: { min: number; max?: number }, excludeFaultHost = false) =>
  ({
    kind: 'condition',
    condition: { probe, is: [value], ...(count === undefined ? {} : { count }) },
    excludeFaultHost,
  }) as const;

function stages(rules: readonly StageRule[]) {
  const { log, recovery } = analyse(crashDrill({ stages: rules }).read());
  return { spans: stagesOf(log, recovery), recovery };
}

describe('stages of a recovery', () => {
  test('end between the last sample before their milestone and the first one that shows it', () => {
    const { spans } = stages(stageRules);
    const [notices, promotes, converges, last] = spans;
    // Samples are 1 s apart and take some ms; the effect is known to 50 ms.
    expect(Math.abs((notices?.toMs ?? 0) - truth.lbDownMs)).toBeLessThan(510);
    expect(notices?.minMs).toBeLessThan(truth.lbDownMs - truth.effectMs);
    expect(notices?.maxMs).toBeGreaterThan(truth.lbDownMs - truth.effectMs);
    expect((notices?.maxMs ?? 0) - (notices?.minMs ?? 0)).toBeLessThan(1100);
    expect(Math.abs((promotes?.toMs ?? 0) - truth.promotedMs)).toBeLessThan(510);
    expect(promotes?.minMs).toBeLessThan(truth.promotedMs - truth.lbDownMs);
    expect(promotes?.maxMs).toBeGreaterThan(truth.promotedMs - truth.lbDownMs);
    expect(converges?.toMs).toBe(truth.convergedMs);
    expect(last?.toMs).toBe(spans.at(-1)?.toMs);
  });

  test('do not use samples from before the fault', () => {
    // It held on the old primary's host until the fault; only later samples count.
    const { spans } = stages([until(is('pg-role', 'primary', { min: 1, max: 1 }), 'a primary')]);
    expect(Math.abs((spans[0]?.toMs ?? 0) - truth.promotedMs)).toBeLessThan(510);
  });

  test('use a failure as a value only if the probe declares it', () => {
    const none = [until(is('pg-role', 'primary', { min: 0, max: 0 }), 'no primary')];
    const refused = stages(none).spans;
    expect(refused[0]).toMatchObject({ name: 'no primary', minMs: 0 });
    expect(refused[0]?.maxMs).toBeLessThan(1100);
    // Without a declaration, the last value, of 9.1 s, stays fresh for 3.9 s.
    const log = crashDrill({ stages: none }).read();
    const series = new Map(
      [...log.series].map(([id, one]) => {
        const { onFailure: _, ...probe } = one.probe;
        return [id, { ...one, probe }];
      }),
    );
    const { recovery } = analyse(log);
    const silent = stagesOf({ ...log, series }, recovery);
    expect(silent[0]).toMatchObject({ name: 'no primary', minMs: 0 });
    expect(silent[0]?.maxMs).toBeGreaterThan(2900);
    expect(silent[0]?.maxMs).toBeLessThan(4100);
  });

  test('are in the order of their ends, not of the rules', () => {
    const { spans } = stages([
      until(is('pg-role', 'primary', { min: 1 }, true), 'promotes'),
      until(is('lb-backend', 'DOWN', { min: 1 }), 'LB notices'),
      until({ kind: 'recovered' }, 'rest'),
    ]);
    expect(spans.map((s) => [s.name, s.includes])).toEqual([
      ['LB notices', []],
      ['promotes', []],
      ['rest', []],
    ]);
    expect(Math.abs((spans[0]?.toMs ?? 0) - truth.lbDownMs)).toBeLessThan(510);
  });

  test('a condition that held before the fault, and did not cease, makes no stage', () => {
    const { spans } = stages([
      until(is('lb-backend', 'UP', { min: 1 }), 'a backend is up'),
      until({ kind: 'recovered' }, 'LB lets clients through'),
    ]);
    // No sample shows a step of the chain, so the time is not the balancer's.
    expect(spans).toMatchObject([{ name: notAttributed, includes: [] }]);
  });

  test('the same applies if a sample failed meanwhile: it has no value', () => {
    const probed = (failsAt: readonly number[]) => {
      const plan = planWith({
        probes: [probeOf('health', { intervalMs: 200 }), probeOf('patroni@node-1', { kind: 'http' })],
        stages: [
          until(is('patroni', 'primary', { min: 1, max: 1 }), 'Patroni promotes'),
          until({ kind: 'recovered' }, 'HAProxy lets clients through'),
        ],
      });
      const builder = new LogBuilder(plan)
        .probing('health', 0, 60_000, 200, (ms) =>
          ms >= 10_100 && ms < 12_000
            ? { status: 'fail', cause: 'refused', finishMs: ms + 2 }
            : { status: 'ok', finishMs: ms + 20 },
        )
        .probing('patroni@node-1', 300, 60_000, 1000, (ms) =>
          failsAt.includes(ms)
            ? { status: 'fail', cause: 'timeout', finishMs: ms + 900 }
            : { status: 'ok', value: 'primary', finishMs: ms + 5 },
        )
        .fault(10_000, { kind: 'container.restart' })
        .at(17_500, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
        .at(60_000, { type: 'run.ended' });
      const { log, recovery } = analyse(builder.read());
      return stagesOf(log, recovery).map((s) => s.name);
    };
    expect(probed([])).toEqual([notAttributed]);
    expect(probed([10_300])).toEqual([notAttributed]);
  });

  test('of an outage after an early recovery begin with that outage', () => {
    const answer = (downs: readonly (readonly [number, number])[], value: string) => (ms: number) => {
      const isDown = downs.some(([from, to]) => ms >= from && ms < to);
      return isDown
        ? { status: 'fail' as const, cause: 'http-5xx' as const, finishMs: ms + 5 }
        : { status: 'ok' as const, value, finishMs: ms + 5 };
    };
    const plan = planWith({
      probes: [
        probeOf('health', { intervalMs: 200 }),
        ...['node-1', 'node-2'].map((host) => probeOf(`leader@${host}`)),
      ],
      faults: [
        { id: 'fault-1', kind: 'service.stop', on: { host: 'etcd' }, atMs: 0, forMs: 30_000, params: {} },
      ],
      stages: [
        until(
          { kind: 'condition', condition: { probe: 'leader', count: { min: 1 } }, excludeFaultHost: false },
          'Patroni promotes',
        ),
        until({ kind: 'recovered' }, 'HAProxy lets clients through'),
      ],
    });
    const builder = new LogBuilder(plan)
      .probing(
        'health',
        0,
        70_000,
        200,
        answer(
          [
            [10_100, 11_400],
            [19_000, 52_000],
          ],
          '',
        ),
      )
      .probing('leader@node-1', 300, 70_000, 1000, answer([[18_500, 50_000]], ''))
      .probing('leader@node-2', 700, 70_000, 1000, answer([[0, 70_000]], ''))
      .fault(10_000, { kind: 'service.stop', host: 'etcd', healedMs: 40_000 })
      .at(58_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
      .at(70_000, { type: 'run.ended' });
    const { log, recovery } = analyse(builder.read());
    const [early, promotes, through, ...none] = stagesOf(log, recovery);
    expect([early?.name, promotes?.name, through?.name, none]).toEqual([
      notAttributed,
      'Patroni promotes',
      'HAProxy lets clients through',
      [],
    ]);
    expect(Math.abs((early?.toMs ?? 0) - 19_000)).toBeLessThan(210);
    expect(Math.abs((promotes?.toMs ?? 0) - 50_000)).toBeLessThan(510);
    expect(Math.abs((through?.toMs ?? 0) - 52_000)).toBeLessThan(210);
  });

  test('a role that moved faster than the probe interval makes a stage', () => {
    const says = (value: string, ms: number) => ({ status: 'ok' as const, value, finishMs: ms + 5 });
    const plan = planWith({
      probes: [probeOf('health', { intervalMs: 200 }), probeOf('vrrp@node-1'), probeOf('vrrp@node-2')],
      stages: [
        until(is('vrrp', 'master', { min: 1 }), 'the other node takes over'),
        until({ kind: 'recovered' }, 'rest'),
      ],
    });
    const builder = new LogBuilder(plan)
      .probing('health', 0, 60_000, 200, (ms) =>
        ms >= 10_100 && ms < 12_000
          ? { status: 'fail', cause: 'refused', finishMs: ms + 2 }
          : { status: 'ok', finishMs: ms + 20 },
      )
      .probing('vrrp@node-1', 300, 60_000, 1000, (ms) => says(ms < 10_500 ? 'master' : 'backup', ms))
      .probing('vrrp@node-2', 500, 60_000, 1000, (ms) => says(ms < 10_700 ? 'backup' : 'master', ms))
      .fault(10_000)
      .at(17_500, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
      .at(60_000, { type: 'run.ended' });
    const { log, recovery } = analyse(builder.read());
    const [moved] = stagesOf(log, recovery);
    expect(moved).toMatchObject({ name: 'the other node takes over' });
    // 0.7 s after the effect at 10.0 to 10.15 s; node-2 is backup in the sample of 10.5 s and master in the one of 11.505 s.
    expect(moved?.minMs).toBeLessThanOrEqual(550);
    expect(moved?.maxMs).toBeGreaterThanOrEqual(700);
  });

  test('do not attribute the time after the last milestone', () => {
    const { spans } = stages([
      until(is('lb-backend', 'DOWN', { min: 1 }), 'LB notices'),
      until(is('pg-role', 'standby', undefined, false), 'all standby'),
    ]);
    expect(spans.map((s) => [s.name, s.includes])).toEqual([
      ['LB notices', []],
      [notAttributed, ['all standby']],
    ]);
  });

  test('a milestone after the recovery ends no stage', () => {
    const back: StageEnd = {
      kind: 'condition',
      condition: { probe: 'pg-role', host: 'node-1', is: ['standby'] },
      excludeFaultHost: false,
    };
    const { spans } = stages([until(back, 'old primary back'), until({ kind: 'recovered' }, 'recovered')]);
    expect(spans).toMatchObject([{ name: notAttributed, includes: ['old primary back'] }]);
    const rules = [
      until(is('lb-backend', 'DOWN', { min: 1 }), 'LB notices'),
      until(back, 'old primary back'),
      until({ kind: 'recovered' }, 'recovered'),
    ];
    expect(stages(rules).spans).toMatchObject([
      { name: 'LB notices' },
      { name: notAttributed, includes: ['old primary back'] },
    ]);
  });

  test('excludeFaultHost leaves out the fault’s host', () => {
    const mark = (excludeFaultHost: boolean): StageEnd => ({
      kind: 'mark',
      probe: 'watchdog',
      mark: 'demoted',
      excludeFaultHost,
    });
    const built = (exclude: boolean) => {
      const builder = crashDrill({ stages: [until(mark(exclude), 'demoted')] });
      builder.at(20_000, {
        type: 'mark',
        probe: 'watchdog@node-1',
        name: 'demoted',
        atMs: 19_000,
        text: 'demoted',
      });
      const { log, recovery } = analyse(builder.read());
      return stagesOf(log, recovery);
    };
    expect(built(false)[0]).toMatchObject({ name: 'demoted', toMs: 19_000 });
    expect(built(true)[0]).toMatchObject({ name: notAttributed, includes: ['demoted'] });
  });

  test('a mark without an exact time ends its stage within its bounds', () => {
    const end: StageEnd = { kind: 'mark', probe: 'watchdog', mark: 'demoted', excludeFaultHost: false };
    const builder = crashDrill({ stages: [until(end, 'demoted')] });
    const bounds = { minMs: 18_200, maxMs: 19_600 };
    builder.at(20_000, {
      type: 'mark',
      probe: 'watchdog@node-1',
      name: 'demoted',
      atMs: 19_000,
      ...bounds,
      text: '',
    });
    const { log, recovery } = analyse(builder.read());
    const [stage] = stagesOf(log, recovery);
    expect(stage).toMatchObject({ name: 'demoted', toMs: 18_900 });
    expect((stage?.maxMs ?? 0) - (stage?.minMs ?? 0)).toBeGreaterThanOrEqual(1400);
  });

  test('a mark before the previous stage’s end is in the order of time', () => {
    const rules: StageRule[] = ['late', 'early'].map((mark) =>
      until({ kind: 'mark', probe: 'watchdog', mark, excludeFaultHost: false }, mark),
    );
    const builder = crashDrill({ stages: rules });
    for (const [name, atMs] of [
      ['early', 15_000],
      ['late', 19_000],
    ] as const) {
      builder.at(20_000, { type: 'mark', probe: 'watchdog@node-1', name, atMs, text: '' });
    }
    const { log, recovery } = analyse(builder.read());
    expect(stagesOf(log, recovery).slice(0, 2)).toMatchObject([
      { name: 'early', toMs: 15_000, includes: [] },
      { name: 'late', fromMs: 15_000, toMs: 19_000, includes: [], minMs: 4000, maxMs: 4000 },
    ]);
  });

  test('touch and sum to the RTO to the microsecond, for any rules', () => {
    const random = seeded(7);
    const values = ['primary', 'standby', 'UP', 'DOWN', 'nothing'];
    const names = ['pg-role', 'lb-backend', 'health', 'watchdog', 'no-such-probe'];
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    const anyEnd = (): StageEnd => {
      const kind = random();
      if (kind < 0.1) return { kind: 'recovered' };
      const excludeFaultHost = random() < 0.5;
      if (kind < 0.3)
        return { kind: 'mark', probe: 'watchdog', mark: pick(['converged', 'm', 'none']), excludeFaultHost };
      const min = Math.floor(random() * 3);
      const count = random() < 0.7 ? { min, ...(random() < 0.5 ? { max: min } : {}) } : undefined;
      return { ...is(pick(names), pick(values), count), excludeFaultHost };
    };
    let split = 0;
    for (let round = 0; round < 40; round++) {
      const rules = Array.from({ length: Math.floor(random() * 7) }, (_, i) => until(anyEnd(), `stage ${i}`));
      const builder = crashDrill({ stages: rules });
      for (let i = 0; i < 3; i++)
        builder.at(50_000, {
          type: 'mark',
          probe: 'watchdog@node-2',
          name: 'm',
          atMs: 9000 + Math.round(random() * 4e7) / 1000,
          text: '',
        });
      const { summary, log, recovery } = analyse(builder.read());
      const spans = stagesOf(log, recovery);
      expect(summary.stages.reduce((us, s) => us + Math.round(s.ms * 1000), 0)).toBe(
        Math.round((summary.rto?.ms ?? 0) * 1000),
      );
      expect(spans.at(-1)?.toMs).toBe(recovery?.recovered?.ms);
      for (const [i, span] of spans.entries()) {
        expect(span.toMs).toBeGreaterThanOrEqual(span.fromMs);
        expect(span.minMs).toBeLessThanOrEqual(span.toMs - span.fromMs + 0.001);
        expect(span.maxMs).toBeGreaterThanOrEqual(span.toMs - span.fromMs - 0.001);
        expect(span.fromMs).toBe(i === 0 ? recovery?.effect.ms : spans[i - 1]?.toMs);
      }
      if (spans.length > 1) split++;
    }
    expect(split).toBeGreaterThan(10);
  });

  describe('the prediction of stages', () => {
    const vrrp: Model = {
      kind: 'keepalived',
      version: 2,
      advertIntervalMs: 1000,
      priorities: { 'node-1': 100, 'node-2': 90 },
      preempt: ['node-1', 'node-2'],
      script: { intervalMs: 5000, fall: 2, rise: 2, weight: -20, runtimeMs: 200 },
    };
    const predicted = (rules: readonly StageRule[], models: Plan['models'] = { vrrp }) =>
      analyse(crashDrill({ stages: rules, plan: { models } }).read()).summary.stages.map((s) => s.predicted);
    const rule = (name: string, end: StageEnd, ...steps: PredictionStep[]): StageRule => ({
      name,
      until: end,
      ...(steps.length === 0 ? {} : { predicted: { model: 'vrrp', steps } }),
    });
    const notices = is('lb-backend', 'DOWN', { min: 1 });

    test('follows from the settings and the host that failed', () => {
      // Node-1 failed, so node-2 takes over with its own skew.
      expect(
        predicted([
          rule('script', notices, 'script-fall'),
          rule('takeover', { kind: 'recovered' }, 'master-down'),
        ]),
      ).toMatchObject([
        { minMs: 5000, maxMs: 10_200 },
        { minMs: 2648.438, maxMs: 3648.438 },
      ]);
    });

    test('includes stages without an observed end, if all of them are predicted', () => {
      const unobserved = is('lb-backend', 'nothing', { min: 1 });
      const rest: StageEnd = { kind: 'recovered' };
      const promotes = is('pg-role', 'primary', { min: 1 }, true);
      const last = rule('rest', rest, 'master-down');
      expect(
        predicted([rule('a', unobserved, 'script-fall'), rule('b', promotes, 'master-down'), last]),
      ).toMatchObject([
        { minMs: 7648.438, maxMs: 13_848.438 },
        { minMs: 2648.438, maxMs: 3648.438 },
      ]);
      expect(predicted([rule('a', unobserved), rule('b', promotes, 'master-down')])[0]).toBeUndefined();
      // The beginning of the last stage is unknown.
      expect(predicted([rule('a', unobserved, 'script-fall'), last])).toEqual([undefined]);
      expect(
        predicted([rule('a', notices, 'script-fall'), rule('b', unobserved, 'master-down')]),
      ).toMatchObject([{ minMs: 5000, maxMs: 10_200 }, undefined]);
    });

    test('counts from the chain’s beginning if `from` is `start`: the stage takes the rest', () => {
      const early: StageRule = {
        name: 'b',
        until: { kind: 'recovered' },
        predicted: [
          { model: 'vrrp', steps: ['master-down'] },
          { model: 'boot', from: 'start' },
        ],
      };
      const models = {
        vrrp,
        boot: { kind: 'measured', source: 's', times: { quantilesMs: [12_000] } },
      } as const;
      expect(predicted([rule('a', notices, 'script-fall'), early], models)).toMatchObject([
        { minMs: 5000, maxMs: 10_200 },
        { minMs: 1800, maxMs: 8848.438, measured: true },
      ]);
      const { summary } = analyse(
        crashDrill({ stages: [rule('a', notices, 'script-fall'), early], plan: { models } }).read(),
      );
      expect(summary.predicted?.rto).toMatchObject({ minMs: 12_000, maxMs: 13_848.438 });
    });

    test('is missing without a model, for another host, and for steps that are impossible', () => {
      const rules = [rule('takeover', { kind: 'recovered' }, 'script-fall', 'master-down')];
      expect(predicted(rules, {})).toEqual([undefined]);
      expect(predicted(rules, { vrrp: { ...vrrp, priorities: { a: 100, b: 90 } } })).toEqual([undefined]);
      expect(predicted(rules, { vrrp: { ...vrrp, preempt: ['node-1'] } })).toEqual([undefined]);
    });
  });

  test('the dominant stage is the longest, the first of equals', () => {
    expect(dominantStage([{ ms: 1 }, { ms: 3 }, { ms: 3 }])).toEqual({ ms: 3 });
    expect(dominantStage([])).toBeUndefined();
  });
});
