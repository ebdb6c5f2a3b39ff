import { describe, expect, test } from 'vitest';
import type { Model, PredictionStep } from '../core/plan.ts';
import { type Link, predictChain, predictRecovery, slowestPeriod } from './chain.ts';
import { chance } from './random.ts';

const models = {
  lb: { kind: 'check', intervalMs: 2000, fall: 3, rise: 2, runtimeMs: 0 },
  tries: { kind: 'retries', attempts: 3, intervalMs: 5000, timeoutMs: 4000 },
  tick: { kind: 'timer', intervalMs: 10_000 },
  boot: { kind: 'fixed', timeMs: 12_000 },
  seen: { kind: 'measured', source: 'somewhere', times: { quantilesMs: [100, 200, 600] } },
  triangle: { kind: 'measured', source: 'somewhere', times: { minMs: 1000, modeMs: 2000, maxMs: 5000 } },
  row: { kind: 'sequence', of: [{ model: 'tries', steps: ['refused'] }, { model: 'boot' }] },
  race: { kind: 'parallel', of: [{ model: 'boot' }, { model: 'tick' }, { model: 'row' }] },
} satisfies Record<string, Model>;

const link = (model: string, ...steps: PredictionStep[]): Link => ({
  name: model,
  predicted: { model, ...(steps.length === 0 ? {} : { steps }) },
});
const one = (of: Record<string, Model>, model: string, ...steps: PredictionStep[]) =>
  predictChain(of, [link(model, ...steps)], undefined).span(0, 0);
const bounds = (model: string, ...steps: PredictionStep[]) => {
  const predicted = one(models, model, ...steps);
  return [predicted?.minMs, predicted?.maxMs];
};

describe('the time that a component takes', () => {
  test('has bounds that follow from its settings', () => {
    expect(bounds('lb', 'fall')).toEqual([4000, 6000]);
    expect(bounds('lb', 'rise')).toEqual([2000, 4000]);
    expect(bounds('lb', 'fall', 'rise')).toEqual([6000, 10_000]);
    expect(bounds('tries', 'refused')).toEqual([10_000, 10_000]);
    expect(bounds('tries', 'silent')).toEqual([22_000, 22_000]);
    expect(bounds('tick')).toEqual([0, 10_000]);
    expect(bounds('boot')).toEqual([12_000, 12_000]);
    expect(bounds('seen')).toEqual([100, 600]);
    expect(bounds('triangle')).toEqual([1000, 5000]);
    expect(bounds('row')).toEqual([22_000, 22_000]);
    expect(bounds('race')).toEqual([22_000, 22_000]);
  });

  test('has its distribution: uniform over a phase, linear between quantiles, triangular', () => {
    const near = (of: ReturnType<typeof one>, p5: number, median: number, p95: number) => {
      expect(of?.p5Ms).toBeGreaterThan(p5 * 0.95);
      expect(of?.p5Ms).toBeLessThan(p5 * 1.05);
      expect(of?.medianMs).toBeGreaterThan(median * 0.95);
      expect(of?.medianMs).toBeLessThan(median * 1.05);
      expect(of?.p95Ms).toBeGreaterThan(p95 * 0.95);
      expect(of?.p95Ms).toBeLessThan(p95 * 1.05);
    };
    near(one(models, 'tick'), 500, 5000, 9500);
    near(one(models, 'seen'), 110, 200, 560);
    // 1 + sqrt(0.05 * 4 * 1); 5 - sqrt(0.5 * 4 * 3); 5 - sqrt(0.05 * 4 * 3)
    near(one(models, 'triangle'), 1447, 2551, 4225);
  });

  test('shows whether a part was measured', () => {
    expect(one(models, 'tick')).not.toHaveProperty('measured');
    expect(one(models, 'seen')).toMatchObject({ measured: true });
    const mixed = { ...models, row: { kind: 'sequence', of: [{ model: 'seen' }] } } as const;
    expect(one(mixed, 'row')).toMatchObject({ measured: true });
  });

  test('is undefined if the models do not predict it', () => {
    expect(one({}, 'tick')).toBeUndefined();
    const circle: Record<string, Model> = { row: { kind: 'sequence', of: [{ model: 'row' }] } };
    expect(predictChain(circle, [link('row')], undefined).why(0)).toBe('model row contains itself');
  });
});

describe('a chain', () => {
  const from = (model: string, moment: string): Link => ({
    name: `${model} from ${moment}`,
    predicted: { model, from: moment },
  });

  test('adds up times that begin at the previous end', () => {
    const chain = predictChain(models, [link('tick'), link('boot')], undefined);
    expect(chain.span(0, 1)).toMatchObject({ minMs: 12_000, maxMs: 22_000 });
    expect(chain.span(1, 1)).toMatchObject({ minMs: 12_000, medianMs: 12_000, maxMs: 12_000 });
  });

  test('takes the later end if a time began earlier, and the stage is the rest of it', () => {
    const chain = predictChain(models, [link('tick'), from('boot', 'start')], undefined);
    expect(chain.span(0, 1)).toMatchObject({ minMs: 12_000, medianMs: 12_000, maxMs: 12_000 });
    expect(chain.span(1, 1)).toMatchObject({ minMs: 2000, maxMs: 12_000 });
    // It already ended, so the stage takes no time.
    const over = predictChain(models, [link('boot'), from('tick', 'start')], undefined);
    expect(over.span(1, 1)).toMatchObject({ minMs: 0, p5Ms: 0, p95Ms: 0, maxMs: 0 });
    const named = predictChain(models, [link('boot'), link('tick'), from('tick', 'boot')], undefined);
    expect(named.span(1, 2)).toMatchObject({ minMs: 0, maxMs: 10_000 });
    // The later of two uniform times.
    expect(named.span(1, 2)?.medianMs).toBeGreaterThan(6700);
    expect(named.span(1, 2)?.medianMs).toBeLessThan(7400);
  });

  test('ends with the latest of multiple terms', () => {
    const both: Link = {
      name: 'both',
      predicted: [{ model: 'tick' }, { model: 'row', from: 'start' }],
    };
    expect(predictChain(models, [link('boot'), both], undefined).span(0, 1)).toMatchObject({
      minMs: 22_000,
      maxMs: 22_000,
    });
  });

  test('is predicted on both sides of a link without a prediction, not across it', () => {
    const unknown: Link = { name: 'unknown' };
    const chain = predictChain(
      models,
      [link('tick'), unknown, link('boot'), from('boot', 'start'), link('tick')],
      undefined,
    );
    expect(chain.span(0, 0)).toMatchObject({ maxMs: 10_000 });
    expect(chain.span(1, 1)).toBeUndefined();
    expect(chain.span(0, 2)).toBeUndefined();
    expect(chain.span(2, 2)).toMatchObject({ maxMs: 12_000 });
    expect(chain.span(3, 3)).toBeUndefined();
    expect(chain.span(4, 4)).toMatchObject({ maxMs: 10_000 });
  });

  test('gives the RTO if its last stage ends with the recovery, and the time to redundancy', () => {
    const stages = [{ ...link('boot'), until: { kind: 'recovered' } }] as const;
    const redundancy = { require: [], forMs: 0, withinMs: 0, predicted: { model: 'row', from: 'start' } };
    const whole = predictRecovery({ models, stages, redundancy }, undefined);
    expect(whole.rto).toMatchObject({ medianMs: 12_000 });
    expect(whole.redundancy).toMatchObject({ medianMs: 22_000 });
    const mark = { kind: 'mark', probe: 'p', mark: 'm', excludeFaultHost: false } as const;
    const open = predictRecovery(
      { models, stages: [{ ...link('boot'), until: mark }], redundancy },
      undefined,
    );
    expect(open.rto).toBeUndefined();
  });
});

test('the slowest period is the longest whose phase matters, including hung checks and keepalived', () => {
  const vrrp: Model = {
    kind: 'keepalived',
    version: 2,
    advertIntervalMs: 1000,
    priorities: { a: 100, b: 90 },
    preempt: [],
    script: { intervalMs: 5000, fall: 2, rise: 2, weight: -20, runtimeMs: 5000 },
  };
  const hung: Model = { ...models.lb, runtimeMs: 2000 };
  const all = { ...models, vrrp, hung };
  const of = (model: string) => slowestPeriod(all, [undefined, { model }]);
  expect(of('vrrp')).toBe(10_000);
  expect(of('lb')).toBe(2000);
  expect(of('hung')).toBe(4000);
  expect(of('race')).toBe(10_000);
  expect(of('row')).toBeUndefined();
});

describe('for all settings', () => {
  /** Pseudorandom settings and chains, the same ones each time. */
  const cases = Array.from({ length: 60 }, (_, n) => {
    const draw = (part: number, from: number, to: number) =>
      Math.floor(from + chance(7, n, part) * (to - from + 1));
    const intervalMs = draw(0, 100, 9000);
    const made = {
      check: {
        kind: 'check',
        intervalMs,
        fall: draw(1, 1, 5),
        rise: draw(2, 1, 5),
        runtimeMs: draw(3, 0, intervalMs - 1),
      },
      tries: {
        kind: 'retries',
        attempts: draw(4, 1, 5),
        intervalMs: draw(5, 0, 9000),
        timeoutMs: draw(6, 0, 9000),
      },
      tick: { kind: 'timer', intervalMs: draw(7, 1, 20_000) },
      boot: { kind: 'fixed', timeMs: draw(8, 0, 20_000) },
      seen: { kind: 'measured', source: 's', times: { quantilesMs: [draw(9, 0, 9), draw(10, 9, 99)] } },
      race: { kind: 'parallel', of: [{ model: 'tick' }, { model: 'boot' }] },
    } satisfies Record<string, Model>;
    const steps = draw(11, 0, 1) === 0 ? (['fall'] as const) : (['fall', 'rise'] as const);
    const links: Link[] = [
      { name: 'a', predicted: { model: 'check', steps } },
      { name: 'b', predicted: { model: 'tries', steps: ['silent'], from: 'start' } },
      { name: 'c', predicted: [{ model: 'race' }, { model: 'tick', from: 'a' }] },
      { name: 'd', predicted: { model: 'seen' } },
    ];
    return { made, links };
  });
  const spans = [
    [0, 0],
    [1, 1],
    [2, 2],
    [1, 3],
    [0, 3],
  ] as const;

  test('bounds contain every trial, and quantiles are in order', () => {
    for (const { made, links } of cases) {
      for (let seed = 0; seed < 20; seed++) {
        // With one trial, each quantile is that trial.
        const trial = predictChain(made, links, undefined, { trials: 1, seed });
        for (const [first, last] of spans) {
          const p = trial.span(first, last);
          expect(p?.medianMs).toBeGreaterThanOrEqual(p?.minMs ?? Number.NaN);
          expect(p?.medianMs).toBeLessThanOrEqual(p?.maxMs ?? Number.NaN);
        }
      }
      const p = predictChain(made, links, undefined, { trials: 200 }).span(0, 3);
      const inOrder = [p?.minMs, p?.p5Ms, p?.medianMs, p?.p95Ms, p?.maxMs];
      expect(inOrder.toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual(inOrder);
    }
  });

  test('a larger period, count, or time never gives a smaller prediction', () => {
    for (const { made, links } of cases) {
      const { check, tries, tick, boot } = made;
      const slower: Record<string, Model>[] = [
        { ...made, check: { ...check, intervalMs: check.intervalMs + 500 } },
        { ...made, check: { ...check, fall: check.fall + 1, rise: check.rise + 1 } },
        { ...made, tries: { ...tries, attempts: tries.attempts + 1 } },
        { ...made, tries: { ...tries, intervalMs: tries.intervalMs * 2 } },
        { ...made, tick: { ...tick, intervalMs: tick.intervalMs * 1.5 } },
        { ...made, boot: { ...boot, timeMs: boot.timeMs + 1 } },
      ];
      const before = predictChain(made, links, undefined, { trials: 100 }).span(0, 3);
      for (const other of slower) {
        const after = predictChain(other, links, undefined, { trials: 100 }).span(0, 3);
        for (const figure of ['minMs', 'p5Ms', 'medianMs', 'p95Ms', 'maxMs'] as const)
          expect(after?.[figure]).toBeGreaterThanOrEqual(before?.[figure] ?? Number.NaN);
      }
    }
  });

  test('the seed reproduces a prediction, and another one gives another', () => {
    for (const { made, links } of cases.slice(0, 10)) {
      const span = (seed: number) => predictChain(made, links, undefined, { trials: 50, seed }).span(0, 3);
      expect(span(3)).toEqual(span(3));
      expect(span(3)?.medianMs).not.toBe(span(4)?.medianMs);
    }
  });
});
