import { expect, it } from 'vitest';
import { LogBuilder, planWith, probeOf } from '../src/analysis/testing/log-builder.ts';
import { firedrillWindows, windowsOfSamples } from './reported.ts';

it('reads an outage from the first failed sample to the next good one', () => {
  const samples = [true, false, false, true, true, false, true].map((ok, index) => ({
    atMs: index * 10,
    ok,
  }));
  expect(windowsOfSamples(samples)).toEqual([
    { fromMs: 10, toMs: 30, ms: 20 },
    { fromMs: 50, toMs: 60, ms: 10 },
  ]);
});

it('ignores an outage without an end', () => {
  expect(windowsOfSamples([{ atMs: 0, ok: false }])).toEqual([]);
});

it('converts firedrill’s windows from the run clock to the shared clock', () => {
  const builder = new LogBuilder(planWith({ probes: [probeOf('health')] }));
  const answers = ['ok', 'ok', 'fail', 'fail', 'ok'] as const;
  for (const [slot, status] of answers.entries()) {
    const sendMs = 1000 * (slot + 1);
    const cause = status === 'fail' ? { cause: 'refused' as const } : {};
    builder.sample('health', slot, sendMs, { status, finishMs: sendMs + 2, ...cause });
  }
  expect(firedrillWindows(builder.read(), 'health', 100_000)).toEqual([
    {
      fromMs: 102_000,
      toMs: 105_002,
      ms: expect.closeTo(2000, -1) as number,
      bounds: {
        start: { loMs: 102_000, hiMs: 103_002 },
        end: { loMs: 104_000, hiMs: 105_002 },
        minMs: 998,
        maxMs: 3002,
      },
    },
  ]);
});
