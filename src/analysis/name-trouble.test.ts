import { expect, test } from 'vitest';
import { summarize } from './summarize.ts';
import { LogBuilder, planWith, probeOf } from './testing/log-builder.ts';

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
