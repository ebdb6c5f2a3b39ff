import { expect, test } from 'vitest';
import { analyseRedundancy } from './redundancy.ts';
import { LogBuilder, planWith, probeOf } from './testing/log-builder.ts';

test('a break that no probe saw may have lasted until every probe had looked once more', () => {
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
  // The effect lies between 10.0 s and 10.15 s; `health` looks again at 11.1 s, `ui` at 10.7 s.
  const from = { ms: 10_075, loMs: 10_000, hiMs: 10_150 };
  expect(analyseRedundancy(log, from)).toEqual({
    state: 'restored',
    after: { ms: 0, minMs: 0, maxMs: 1105 },
  });
});
