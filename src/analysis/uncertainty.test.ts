import { describe, expect, test } from 'vitest';
import type { Check } from '../core/plan.ts';
import type { Summary } from '../core/summary.ts';
import { summarize } from './summarize.ts';
import { type Answer, LogBuilder, planWith, probeOf } from './testing/log-builder.ts';

/** Both gates time out: the probes have no good sample from 12 s on. */
function drill(seen: (ms: number) => Answer, checks: readonly Check[]): Summary {
  const condition = { probe: 'pg', is: ['primary'], count: { min: 1, max: 1 } };
  const plan = planWith({
    probes: [probeOf('health'), probeOf('pg@a')],
    checks,
    faults: [{ id: 'fault-1', kind: 'process.kill', on: { host: 'a' }, params: {}, atMs: 0 }],
    recovery: { probe: 'health', withinMs: 20_000, stableForMs: 3000 },
    redundancy: { require: [condition], forMs: 2000, withinMs: 20_000 },
  });
  const until = (ms: number, value?: string): Answer =>
    ms < 10_000
      ? { status: 'ok', finishMs: ms + 5, ...(value === undefined ? {} : { value }) }
      : ms < 12_000
        ? { status: 'fail', finishMs: ms + 5, cause: 'refused' }
        : seen(ms);
  const log = new LogBuilder(planWith(plan))
    .at(9000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .probing('health', 0, 60_000, 1000, (ms) => until(ms))
    .probing('pg@a', 300, 60_000, 1000, (ms) => until(ms, 'primary'))
    .fault(10_000, { host: 'a', healedMs: 31_000 })
    .at(10_200, { type: 'phase.started', phase: 'recovery' })
    .at(30_000, { type: 'gate', gate: 'recovery', state: 'timeout', unmet: ['health not seen'] })
    .at(30_001, { type: 'phase.started', phase: 'heal' })
    .at(31_001, { type: 'phase.started', phase: 'redundancy' })
    .at(55_000, { type: 'gate', gate: 'redundancy', state: 'timeout', unmet: ['pg@a not seen'] })
    .at(60_000, { type: 'run.ended' });
  return summarize(log.read());
}

const broken = (ms: number): Answer => ({
  status: 'unknown',
  finishMs: ms + 5,
  message: 'no such container',
});
const unsent = (ms: number): Answer => ({ status: 'dropped', finishMs: ms });
const refused = (ms: number): Answer => ({ status: 'fail', finishMs: ms + 5, cause: 'refused' });
const checks: readonly Check[] = [
  { kind: 'redundancy', name: 'redundancy', maxMs: 15_000 },
  { kind: 'no-recovery', name: 'stays away' },
];

describe('a gate that timed out', () => {
  test('is inconclusive if the prober lost the samples', () => {
    const { verdict, reasons } = drill(broken, []);
    expect(verdict).toBe('inconclusive');
    expect(reasons).toContain(
      'redundancy was not restored within 20 s: pg@a not seen, but this is inconclusive: 24 of 24 samples of pg@a are unknown, last error: no such container',
    );
    expect(drill(broken, checks).checks.map((c) => c.status)).toEqual(['inconclusive', 'inconclusive']);
  });

  test('is inconclusive if no sample was sent', () => {
    const { reasons } = drill(unsent, []);
    expect(reasons.join()).toContain('but this is inconclusive: 24 samples of pg@a were not sent');
    expect(drill(unsent, checks).checks.map((c) => c.status)).toEqual(['inconclusive', 'inconclusive']);
  });

  test('was missed if the samples show it', () => {
    const { verdict, reasons } = drill(refused, [{ kind: 'no-recovery', name: 'stays away' }]);
    expect(verdict).toBe('inconclusive');
    expect(reasons[0]).toMatch(/^redundancy was not restored .* gave no value in 24 of 24 samples/);
    expect(drill(refused, []).reasons).toContain('no stable recovery within 20 s: health not seen');
  });
});
