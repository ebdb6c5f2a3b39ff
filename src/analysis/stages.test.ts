import { describe, expect, test } from 'vitest';
import type { Model, Plan, PredictionStep, StageEnd, StageRule } from '../core/plan.ts';
import { analyse } from './summarize.ts';
import { dominantStage, stagesOf, unattributed } from './stages.ts';
import { seeded } from './testing/log-builder.ts';
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
  test('end when their milestone is first seen', () => {
    const { spans } = stages(stageRules);
    const [notices, promotes, converges, last] = spans;
    // Looks are a second apart and take some ms.
    expect(notices?.toMs).toBeGreaterThanOrEqual(truth.lbDownMs);
    expect(notices?.toMs).toBeLessThan(truth.lbDownMs + 1010);
    expect(promotes?.toMs).toBeGreaterThanOrEqual(truth.promotedMs);
    expect(promotes?.toMs).toBeLessThan(truth.promotedMs + 1020);
    expect(converges?.toMs).toBe(truth.convergedMs);
    expect(last?.toMs).toBe(spans.at(-1)?.toMs);
  });

  test('do not take what was seen before the fault for the recovery', () => {
    // On the old primary's host it held until the fault: only samples sent since count.
    const { spans } = stages([until(is('pg-role', 'primary', { min: 1, max: 1 }), 'a primary')]);
    expect(spans[0]?.toMs).toBeGreaterThan(truth.promotedMs);
    // "On none" must not hold merely because nobody has been asked yet.
    const none = stages([until(is('pg-role', 'primary', { min: 0, max: 0 }), 'no primary')]).spans;
    expect(none[0]?.toMs).toBeGreaterThan(truth.effectMs);
    expect(none[0]?.toMs).toBeLessThan(truth.effectMs + 2100);
  });

  test('end at once when their milestone is there already', () => {
    const { spans } = stages([
      until(is('pg-role', 'primary', { min: 1 }, true), 'promotes'),
      until(is('lb-backend', 'DOWN', { min: 1 }), 'LB notices'),
      until({ kind: 'recovered' }, 'rest'),
    ]);
    expect(spans[1]).toMatchObject({ name: 'LB notices', fromMs: spans[0]?.toMs, toMs: spans[0]?.toMs });
  });

  test('leave the time after the last milestone unattributed', () => {
    const { spans } = stages([
      until(is('lb-backend', 'DOWN', { min: 1 }), 'LB notices'),
      until(is('pg-role', 'standby', undefined, false), 'all standby'),
    ]);
    expect(spans.map((s) => [s.name, s.includes])).toEqual([
      ['LB notices', []],
      [unattributed, ['all standby']],
    ]);
  });

  test('a milestone after the recovery ends nothing', () => {
    const back: StageEnd = {
      kind: 'condition',
      condition: { probe: 'pg-role', host: 'node-1', is: ['standby'] },
      excludeFaultHost: false,
    };
    const { spans } = stages([until(back, 'old primary back'), until({ kind: 'recovered' }, 'recovered')]);
    expect(spans).toEqual([expect.objectContaining({ name: 'recovered', includes: ['old primary back'] })]);
  });

  test('excludeFaultHost leaves out the host of the fault', () => {
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
    expect(built(true)[0]).toMatchObject({ name: unattributed, includes: ['demoted'] });
  });

  test('a mark that was stamped before the stage began ends it at once', () => {
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
      { name: 'late', toMs: 19_000 },
      { name: 'early', fromMs: 19_000, toMs: 19_000 },
    ]);
  });

  test('whatever the rules, they touch and sum to the RTO to the microsecond', () => {
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
        expect(span.fromMs).toBe(i === 0 ? recovery?.effect.ms : spans[i - 1]?.toMs);
      }
      if (spans.length > 1) split++;
    }
    expect(split).toBeGreaterThan(10);
  });

  describe('what they should have taken', () => {
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
      // Node-1 failed, so that node-2 takes over with its own skew.
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

    test('is with the stages whose end was not seen, where all of them are predicted', () => {
      const unseen = is('lb-backend', 'nothing', { min: 1 });
      const rest: StageEnd = { kind: 'recovered' };
      expect(predicted([rule('a', unseen, 'script-fall'), rule('b', rest, 'master-down')])).toMatchObject([
        { minMs: 7648.438, maxMs: 13_848.438 },
      ]);
      expect(predicted([rule('a', unseen), rule('b', rest, 'master-down')])).toEqual([undefined]);
      expect(predicted([rule('a', notices, 'script-fall'), rule('b', unseen, 'master-down')])).toMatchObject([
        { minMs: 5000, maxMs: 10_200 },
        undefined,
      ]);
    });

    test('counts from the beginning where it says so: what is left of it when the stage begins', () => {
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

    test('is not told where it does not follow: no model, another host, steps that do not come about', () => {
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
