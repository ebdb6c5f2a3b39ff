import { describe, expect, test } from 'vitest';
import { runMs } from '../core/time.ts';
import { fromPlain } from '../core/testing/plain.ts';
import { readingsAt, truthOfCondition } from './intervals.ts';
import { type ChainRange, milestoneOf } from './milestones.ts';
import type { RunLog } from './run-log.ts';
import { LogBuilder, planWith, probeOf } from './testing/log-builder.ts';

/** With an interval of 1 s and a timeout of 900 ms, a sample stays fresh for 3.9 s. */
const staleMs = 3 * 1000 + 900;
const condition = { probe: 'pg', is: ['primary'], count: { min: 1, max: 1 } };

/** A is a replica; its last sample is sent at 20 s and answered at 20.89 s. B becomes the primary between 24.6 and 25.6 s. */
function log(): RunLog {
  const said = (ms: number, value: string, tookMs = 5) =>
    ({ status: 'ok', finishMs: ms + tookMs, value }) as const;
  return new LogBuilder(planWith({ probes: [probeOf('pg@a'), probeOf('pg@b')] }))
    .probing('pg@a', 0, 20_500, 1000, (ms) => said(ms, 'replica', ms === 20_000 ? 890 : 5))
    .probing('pg@b', 600, 40_000, 1000, (ms) => said(ms, ms < 25_000 ? 'replica' : 'primary'))
    .at(40_000, { type: 'run.ended' })
    .read();
}

describe('a sample is fresh from its sending on, however late its answer is', () => {
  test('for the readings at a moment', () => {
    const seenAt = (ms: number) => readingsAt(log(), condition, runMs(ms))[0]?.sample?.sendMs;
    expect(seenAt(20_000 + staleMs)).toBe(20_000);
    expect(seenAt(20_001 + staleMs)).toBeUndefined();
  });

  test('for the time in which a condition held', () => {
    const [first, second] = truthOfCondition(
      log(),
      { ...condition, host: 'a' },
      fromPlain({ fromMs: 10_000, toMs: 30_000 }),
    );
    expect(first).toEqual({ fromMs: 10_000, toMs: 20_000 + staleMs, truth: 'no' });
    expect(second?.truth).toBe('maybe');
  });

  test('for the end of a stage', () => {
    const atLeastOne = { ...condition, count: { min: 1 } };
    const chain = fromPlain<ChainRange>({
      from: { loMs: 10_000, hiMs: 10_000, ms: 10_000 },
      to: { loMs: 30_000, hiMs: 30_000, ms: 30_000 },
    });
    const end = { kind: 'condition', condition: atLeastOne, excludeFaultHost: false } as const;
    // From then on, A may be the primary.
    expect(milestoneOf(log(), end, chain, null).occurrences).toMatchObject([
      { loMs: 20_000 + staleMs, hiMs: 25_605 },
    ]);
  });
});
