import { describe, expect, test } from 'vitest';
import type { Plan } from '../core/plan.ts';
import { analyseRecovery, type RecoveryAnalysis } from './rto.ts';
import { summarize } from './summarize.ts';
import { LogBuilder, planWith, probeOf, type Answer } from './testing/log-builder.ts';

/**
 * An outage from 10 to 26 s. Then the service is up for 14 s, longer than `stableForMs`, and down again for 6 s by a later
 * step of the recovery. Redundancy is restored at 62 s, if at all.
 */
function twice(until: Plan['recovery']['until'], redundant: boolean): RecoveryAnalysis | null {
  const recovery = {
    probe: 'health',
    withinMs: 60_000,
    stableForMs: 5000,
    ...(until === undefined ? {} : { until }),
  };
  const builder = new LogBuilder(planWith({ probes: [probeOf('health', { intervalMs: 200 })], recovery }));
  const isDown = (ms: number): boolean => (ms >= 10_100 && ms < 26_000) || (ms >= 40_000 && ms < 46_000);
  const answer = (ms: number): Answer =>
    isDown(ms) ? { status: 'fail', cause: 'refused', finishMs: ms + 2 } : { status: 'ok', finishMs: ms + 20 };
  builder.probing('health', 0, 80_000, 200, answer).fault(10_000);
  const gate = redundant
    ? ({ state: 'met', unmet: [] } as const)
    : ({ state: 'timeout', unmet: ['x'] } as const);
  builder.at(until === undefined ? 31_100 : 62_000, { type: 'gate', gate: 'recovery', ...gate });
  return analyseRecovery(builder.at(80_000, { type: 'run.ended' }).read());
}

describe('a recovery that a later step of it ends', () => {
  test('counts after stableFor by default; a later outage is downtime', () => {
    const analysis = twice(undefined, true);
    expect(analysis?.rto?.ms).toBeGreaterThan(15_700);
    expect(analysis?.rto?.ms).toBeLessThan(16_200);
    expect(analysis?.laterWindows).toBe(1);
  });

  test('does not count if it must last until redundancy', () => {
    const analysis = twice('redundancy', true);
    expect(analysis?.rto?.ms).toBeGreaterThan(35_700);
    expect(analysis?.rto?.ms).toBeLessThan(36_200);
    expect(analysis?.first?.ms).toBeLessThan(16_200);
    expect(analysis?.laterWindows).toBe(0);
  });

  test('does not exist before redundancy is restored', () => {
    expect(twice('redundancy', false)).toMatchObject({ rto: null, recovered: null });
  });
});

test('a fault without an acknowledgment took effect between its issue and the sample that shows it', () => {
  const log = (events: (builder: LogBuilder) => LogBuilder): RecoveryAnalysis['rto'] => {
    const recovery = { probe: 'health', withinMs: 60_000, stableForMs: 5000 };
    const plan = planWith({ probes: [probeOf('health', { intervalMs: 200 })], recovery });
    const builder = new LogBuilder(plan).probing('health', 0, 40_000, 200, (ms) =>
      ms >= 14_000 && ms < 20_000
        ? { status: 'fail', cause: 'refused', finishMs: ms + 2 }
        : { status: 'ok', finishMs: ms + 20 },
    );
    const whole = events(builder).at(26_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] });
    return analyseRecovery(whole.at(40_000, { type: 'run.ended' }).read())?.rto ?? null;
  };
  const issued = {
    type: 'fault.issued',
    fault: 'fault-1',
    kind: 'process.kill',
    host: 'node-1',
    params: {},
  } as const;
  const effect = { type: 'fault.effect', fault: 'fault-1', notBeforeMs: 10_000 } as const;
  const sharp = log((b) => b.fault(10_000));
  const blurred = log((b) =>
    b
      .at(10_000, issued)
      .at(12_000, { type: 'fault.outcome_unknown', fault: 'fault-1', message: 'cut off' })
      .at(13_150, { ...effect, notAfterMs: 13_150 }),
  );
  if (sharp === null || blurred === null) throw new Error('no recovery');
  expect(blurred.maxMs).toBe(sharp.maxMs);
  expect(blurred.minMs).toBe(sharp.minMs - 3000);
});

test('a recovery that may be after the wait does not count: the heal may have caused it', () => {
  const plan = planWith({ probes: [probeOf('health', { intervalMs: 2000 })] });
  const log = new LogBuilder(plan)
    .probing('health', 0, 40_000, 2000, (ms) =>
      ms >= 12_000 && ms < 22_900
        ? { status: 'fail', cause: 'http-5xx', finishMs: ms + 3 }
        : { status: 'ok', finishMs: ms + 20 },
    )
    .fault(11_000, { healedMs: 23_400 })
    .at(23_300, { type: 'gate', gate: 'recovery', state: 'timeout', unmet: ['health: fail http-5xx'] })
    .at(40_000, { type: 'run.ended' });
  // Down until some moment from 22 to 24 s; the wait was over at 23.3 s.
  expect(analyseRecovery(log.read())).toMatchObject({ recovered: null, rto: null, longerThanMs: 10_850 });
});

test('a recovery is estimated at the release of the answers that the outage delayed', () => {
  const plan = planWith({ probes: [probeOf('health', { intervalMs: 200, timeoutMs: 300 })] });
  // Down from 10.0 to 10.61 s.
  const answer = (ms: number): Answer =>
    ms >= 10_000 && ms < 10_400
      ? { status: 'fail', cause: 'timeout', finishMs: ms + 300 }
      : { status: 'ok', finishMs: ms >= 10_400 && ms < 10_610 ? 10_620 : ms + 5 };
  const log = new LogBuilder(plan).probing('health', 0, 40_000, 200, answer).fault(10_000);
  log
    .at(16_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(40_000, { type: 'run.ended' });
  expect(analyseRecovery(log.read())).toMatchObject({
    recovered: { loMs: 10_200, hiMs: 10_620, ms: 10_620 },
    rto: { ms: 545, minMs: 50 },
    first: { ms: 545 },
    downtime: { ms: 545 },
  });
});

describe('a recovery on the host of the fault', () => {
  test('is measured by the probe instance on that host', () => {
    const recovery = { probe: 'edge', onFaultHost: true as const, withinMs: 60_000, stableForMs: 5000 };
    const faults = [{ id: 'fault-1', kind: 'process.kill', on: { role: 'active' }, atMs: 0, params: {} }];
    const plan = planWith({ probes: [probeOf('edge@node-1'), probeOf('edge@node-2')], faults, recovery });
    const log = (host: string) =>
      new LogBuilder(plan)
        .probing('edge@node-1', 0, 40_000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 5 }))
        .probing('edge@node-2', 0, 40_000, 1000, (ms) =>
          ms >= 10_000 && ms < 20_000
            ? { status: 'fail', cause: 'refused', finishMs: ms + 5 }
            : { status: 'ok', finishMs: ms + 5 },
        )
        .fault(9500, { host })
        .at(30_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
        .at(40_000, { type: 'run.ended' })
        .read();
    expect(analyseRecovery(log('node-2'))?.rto?.ms).toBeGreaterThan(8000);
    expect(analyseRecovery(log('node-1'))?.rto?.ms).toBe(0);
  });
});

describe('a sample near the begin of the heal', () => {
  const recovery = { probe: 'health', withinMs: 15_000, stableForMs: 3000 };
  const checks = [
    { kind: 'rto', name: 'rto', maxMs: 6800 },
    { kind: 'rto', name: 'short rto', maxMs: 160 },
  ] as const;
  const probes = [probeOf('health', { intervalMs: 1000, timeoutMs: 500 })];
  const good = (ms: number): Answer => ({ status: 'ok', finishMs: ms + 2 });
  const healedAt = (builder: LogBuilder, ms: number) =>
    summarize(
      builder
        .at(ms, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
        .at(ms, { type: 'phase.started', phase: 'heal' })
        .fault(3050, { kind: 'container.stop', healedMs: ms })
        .at(14_000, { type: 'run.ended' })
        .read(),
    );

  test('is no certain recovery: its outage may have lasted until the heal began', () => {
    // Down until 3.7 s, and again from [6.141, 7.479] s to [7.479, 8.141] s; healed at 7.843 s.
    const builder = new LogBuilder(planWith({ probes, recovery, checks }))
      .probing('health', 141, 3000, 1000, good)
      .sample('health', 3, 3141, { status: 'fail', cause: 'refused', finishMs: 3142 })
      .probing('health', 4141, 7000, 1000, good)
      .sample('health', 7, 7479, { status: 'fail', cause: 'timeout', finishMs: 7979 })
      .probing('health', 8141, 13_500, 1000, good);
    const { rto, checks: judged } = healedAt(builder, 7843);
    expect(rto).toBeNull();
    // The fault acts until it is healed, so the second outage is part of the recovery.
    expect(judged.map(({ status }) => status)).toEqual(['inconclusive', 'fail']);
  });

  test('is no certain outage: it may have begun with the heal', () => {
    // Sent at 13.142 s, before the heal at 13.145 s, and answered with a failure after it.
    const builder = new LogBuilder(planWith({ probes, recovery, checks }))
      .probing('health', 142, 13_000, 1000, good)
      .sample('health', 13, 13_142, { status: 'fail', cause: 'http-5xx', finishMs: 13_150 })
      .probing('health', 13_942, 14_000, 1000, good);
    const { rto, checks: judged } = healedAt(builder, 13_145);
    expect(rto).toBeNull();
    expect(judged.map(({ status }) => status)).toEqual(['inconclusive', 'inconclusive']);
  });
});
