import { describe, expect, test } from 'vitest';
import { planWith, probeOf } from '../analysis/testing/log-builder.ts';
import type { BurstEffect, RateFigures } from '../core/burst-effect.ts';
import { burstFindings, loadFindings, timeFindings } from './load-findings.ts';

const named = (name: string, burstIntervalMs: number) =>
  planWith({
    scenario: { ...planWith({}).scenario, name },
    probes: [probeOf('health', { burstIntervalMs })],
  });

describe('the load of probing', () => {
  test('is reported for each drill, with drills of the same load in one line', () => {
    const findings = loadFindings(planWith({}), [named('a', 100), named('b', 50), named('c', 100)]);
    expect(findings.map(({ name, status }) => [name, status])).toEqual([
      ['load of a and 1 more', 'ok'],
      ['load of b', 'ok'],
    ]);
    expect(findings[0]?.observed).toBe(
      '1 sample, 1 new connection, and 0 commands a second; in the burst 10 samples, 10 new connections, and 0 commands a second',
    );
  });

  test('is the load of all probes of a target if no drill is named', () => {
    const [finding, ...more] = loadFindings(named('any', 100), []);
    expect(finding?.name).toBe('load of all probes');
    expect(more).toEqual([]);
  });

  test('warns, with the edit that lowers it', () => {
    expect(loadFindings(planWith({}), [named('a', 20)])[0]).toMatchObject({
      status: 'warn',
      observed: expect.stringContaining('probing itself may be the load: 50 new connections') as unknown,
      hint: 'set a longer `burst` for `health` (20 ms: 50 a second)',
    });
  });
});

describe('a burst that was measured', () => {
  const figures = (
    p50Ms: number | null,
    p90Ms: number | null,
    more: Partial<RateFigures> = {},
  ): RateFigures => ({
    sent: 10,
    dropped: 0,
    failed: 0,
    unknown: 0,
    p50Ms,
    p90Ms,
    ...more,
  });
  const probe = { id: 'health', intervalMs: 1000, burstIntervalMs: 100, timeoutMs: 900 };
  const finding = (base: RateFigures, burst: RateFigures, effect: Partial<BurstEffect> = {}) =>
    burstFindings([{ probe, base, burst, ...effect }])[0];

  test('is reported with both latencies and their ratio', () => {
    expect(finding(figures(4, 10), figures(5.04, 12))).toEqual({
      name: 'burst health',
      status: 'ok',
      observed:
        'base p50 4.0 ms, p90 10 ms, 10 samples; burst, every 100 ms, p50 5.0 ms, p90 12 ms, 10 samples, 1.2 times the base p90',
    });
  });

  test.each([
    ['samples were not sent', figures(4, 10), figures(5, 12, { dropped: 1 })],
    ['samples fail only in the burst', figures(4, 10), figures(5, 12, { failed: 1 })],
    ['answers take more than half of the timeout (900 ms)', figures(400, 440), figures(430, 451)],
    ['answers are slower in the burst', figures(4, 10), figures(20, 31)],
  ])('is too much where %s', (why, base, burst) => {
    expect(finding(base, burst)).toMatchObject({
      status: 'warn',
      observed: expect.stringContaining(why) as unknown,
      hint: expect.stringContaining('Set a longer `burst`') as unknown,
    });
  });

  test.each([
    [
      'failures that also occur at the base rate',
      figures(4, 10, { failed: 1 }),
      figures(5, 12, { failed: 3 }),
    ],
    ['answers that are longer by milliseconds', figures(1, 2), figures(5, 9)],
    ['a probe without a good answer at either rate', figures(null, null), figures(null, null)],
  ])('is not blamed for %s', (_, base, burst) => {
    expect(finding(base, burst)?.status).toBe('ok');
  });
});

describe('the time of a drill', () => {
  test('is reported if models predict it, with drills of the same duration in one line', () => {
    const timed = planWith({
      models: { restart: { kind: 'fixed', timeMs: 10_000 } },
      stages: [{ name: 'restarts', until: { kind: 'recovered' }, predicted: { model: 'restart' } }],
    });
    expect(timeFindings([timed, named('no models', 100), timed])).toEqual([
      {
        name: 'time of built and 1 more',
        status: 'ok',
        // 5 s steady, 2 s with the burst on, 10 s RTO, 5 s stable, 5 s redundancy.
        observed:
          "about 27.00 s, in the slow case 27.00 s, predicted by the target's models, without preparations, heal, and return",
      },
    ]);
  });
});
