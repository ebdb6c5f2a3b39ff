import { describe, expect, test } from 'vitest';
import { fromPlain } from '../core/testing/plain.ts';
import type { Moment } from './moment.ts';
import { analyseRedundancy } from './redundancy.ts';
import { LogBuilder, planWith, probeOf } from './testing/log-builder.ts';

test('an unobserved loss may have lasted until every probe had a new sample', () => {
  const gate = { require: [{ probe: 'health' }, { probe: 'ui' }], forMs: 3000, withinMs: 60_000 };
  const log = new LogBuilder(
    planWith({ probes: [probeOf('health'), probeOf('ui')], redundancy: gate, steady: gate }),
  )
    .probing('health', 100, 20_000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 5 }))
    .probing('ui', 700, 20_000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 10 }))
    .fault(10_000)
    .at(15_000, { type: 'gate', gate: 'redundancy', state: 'met', unmet: [] })
    .at(20_000, { type: 'run.ended' })
    .read();
  // The effect is between 10.0 s and 10.15 s; the next sample of `health` is at 11.1 s, of `ui` at 10.7 s.
  const from = fromPlain<Moment>({ ms: 10_075, loMs: 10_000, hiMs: 10_150 });
  expect(analyseRedundancy(log, from)).toEqual({
    state: 'restored',
    after: { ms: 0, minMs: 0, maxMs: 1105 },
  });
});

describe('every uncertain time counts in the upper bound', () => {
  const gate = { require: [{ probe: 'role', is: ['ok'] }], forMs: 3000, withinMs: 60_000 };
  const from = fromPlain<Moment>({ ms: 10_075, loMs: 10_000, hiMs: 10_150 });
  /** Sampled at 0.1 s, 1.1 s, …; `saw` gives the value of the sample sent at a moment. */
  const sampled = (saw: (ms: number) => string, gateMs: number) =>
    new LogBuilder(planWith({ probes: [probeOf('role')], redundancy: gate, steady: gate }))
      .probing('role', 100, 30_000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 5, value: saw(ms) }))
      .fault(10_000)
      .at(gateMs, { type: 'gate', gate: 'redundancy', state: 'met', unmet: [] })
      .at(30_000, { type: 'run.ended' })
      .read();

  test('also one after it had held for a while: redundancy may have been lost again', () => {
    // Lost from 11 s to 14 s, then again around the single sample at 18.1 s.
    const log = sampled((ms) => ((ms > 11_000 && ms < 14_000) || ms === 18_100 ? 'no' : 'ok'), 22_110);
    expect(analyseRedundancy(log, from)).toEqual({
      state: 'restored',
      // First "yes" at [13.1 s, 14.105 s]; restored for good at the finish of the good sample of 19.1 s at the latest.
      after: { ms: 3527.5, minMs: 2950, maxMs: 9105 },
    });
  });

  test('also one of a single sample', () => {
    const log = sampled((ms) => (ms === 15_100 ? 'no' : 'ok'), 20_110);
    expect(analyseRedundancy(log, from)).toEqual({
      state: 'restored',
      after: { ms: 0, minMs: 0, maxMs: 6105 },
    });
  });

  test('also one within the hold of the gate', () => {
    const log = sampled((ms) => ((ms > 11_000 && ms < 14_000) || ms === 16_100 ? 'no' : 'ok'), 17_200);
    expect(analyseRedundancy(log, from)).toMatchObject({
      state: 'restored',
      after: { minMs: 2950, maxMs: 7105 },
    });
  });

  test('not one that began after the gate ended', () => {
    const log = sampled((ms) => ((ms > 11_000 && ms < 14_000) || ms === 18_100 ? 'no' : 'ok'), 17_600);
    expect(analyseRedundancy(log, from)).toMatchObject({
      state: 'restored',
      after: { minMs: 2950, maxMs: 4105 },
    });
  });
});
