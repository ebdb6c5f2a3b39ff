import { describe, expect, test } from 'vitest';
import type { Check, Plan, PlannedFault } from '../core/plan.ts';
import { analyse } from './summarize.ts';
import { LogBuilder, planWith, probeOf, type Answer } from './testing/log-builder.ts';

type Outages = readonly (readonly [fromMs: number, toMs: number])[];

const rtoAtMost5s: Check = { kind: 'rto', name: 'RTO', maxMs: 5000 };
const etcdDown: PlannedFault = {
  id: 'fault-1',
  kind: 'service.stop',
  on: { host: 'node-1' },
  atMs: 0,
  forMs: 30_000,
  params: {},
};

/** The same, healed after the recovery; and a kill. */
const { forMs: _, ...stopped } = etcdDown;
const kill: PlannedFault = { ...stopped, kind: 'process.kill' };

/** Changes to a drill whose fault takes effect at 10 s; the service is sampled every 200 ms. */
interface Variant {
  readonly outages: Outages;
  readonly faults?: readonly PlannedFault[];
  readonly checks?: readonly Check[];
  readonly plan?: Partial<Plan>;
  readonly recoveryGateMs?: number | null;
  readonly acts?: (builder: LogBuilder) => LogBuilder;
}

function drill({ outages, faults = [etcdDown], checks = [rtoAtMost5s], ...more }: Variant) {
  const { plan = {}, recoveryGateMs = 17_000, acts = (b) => b } = more;
  const answer = (ms: number): Answer =>
    outages.some(([from, to]) => ms >= from && ms < to)
      ? { status: 'fail', cause: 'refused', finishMs: ms + 2 }
      : { status: 'ok', finishMs: ms + 20 };
  const builder = new LogBuilder(
    planWith({
      probes: [probeOf('health', { intervalMs: 200 })],
      faults,
      checks,
      recovery: { probe: 'health', withinMs: 120_000, stableForMs: 5000 },
      ...plan,
    }),
  );
  builder
    .at(0, { type: 'phase.started', phase: 'steady' })
    .at(6000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .at(9990, { type: 'phase.started', phase: 'fault' })
    .probing('health', 50, 90_000, 200, answer);
  if (recoveryGateMs !== null)
    builder.at(recoveryGateMs, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] });
  return analyse(acts(builder).at(90_000, { type: 'run.ended' }).read());
}

/** etcd is stopped at 10 s and started again 30 s later; then the engine waits for redundancy. */
const timed = (b: LogBuilder, healPhaseMs = 40_300): LogBuilder =>
  b
    .fault(10_000, { kind: 'service.stop', healedMs: 40_150 })
    .at(healPhaseMs, { type: 'phase.started', phase: 'heal' })
    .at(healPhaseMs + 10, { type: 'phase.started', phase: 'redundancy' });

describe('while a fault acts, no recovery is final', () => {
  test('an outage that begins later, and ends after the heal, is the RTO; the early blip is its first sign', () => {
    const { summary } = drill({
      outages: [
        [10_200, 11_450],
        [19_000, 52_000],
      ],
      acts: timed,
    });
    expect(summary.rto?.minMs).toBeLessThanOrEqual(41_950);
    expect(summary.rto?.maxMs).toBeGreaterThanOrEqual(42_000);
    expect(summary.rto?.ms).toBeGreaterThan(41_500);
    expect(summary.rto?.first?.ms).toBeLessThan(1500);
    expect(summary.checks).toMatchObject([{ name: 'RTO', status: 'fail' }]);
    expect(summary.verdict).toBe('fail');
    expect(summary.notes.join()).not.toMatch(/after the recovery had held/);
  });

  test('the same applies to the first outage', () => {
    const { summary } = drill({
      outages: [[32_000, 45_000]],
      recoveryGateMs: 25_000,
      acts: timed,
    });
    expect(summary.rto?.ms).toBeGreaterThan(34_500);
    expect(summary.checks).toMatchObject([{ status: 'fail' }]);
  });

  test('an outage of the heal itself is not part of it', () => {
    const { summary } = drill({
      outages: [
        [10_200, 13_000],
        [42_000, 43_000],
      ],
      acts: timed,
    });
    expect(summary.rto?.ms).toBeLessThan(3300);
    expect(summary.heal?.outage.windows).toBe(1);
    expect(summary.checks).toMatchObject([{ status: 'pass' }]);
  });

  test('an outage may have begun before or with the heal if no sample decides it: the bounds include both', () => {
    const { summary } = drill({
      outages: [
        [10_200, 13_000],
        [40_200, 44_000],
      ],
      acts: timed,
    });
    // The last good sample was sent at 40.050 s, the heal began at 40.150 s, the next sample failed at 40.250 s.
    expect(summary.rto?.minMs).toBeLessThan(3000);
    expect(summary.rto?.maxMs).toBeGreaterThan(33_900);
    expect(summary.checks).toMatchObject([{ status: 'inconclusive' }]);
  });

  test('a fault without a duration acts until it is healed', () => {
    const { summary } = drill({
      outages: [
        [10_200, 11_450],
        [19_000, 28_000],
      ],
      faults: [stopped],
      acts: (b) => b.at(39_000, { type: 'phase.started', phase: 'heal' }).fault(10_000, { healedMs: 39_010 }),
    });
    expect(summary.rto?.ms).toBeGreaterThan(17_500);
    expect(summary.checks).toMatchObject([{ status: 'fail' }]);
  });

  test('an outage that may have begun with the heal of a fault without a duration is the heal’s', () => {
    const { summary } = drill({
      outages: [
        [10_200, 11_450],
        [17_100, 19_000],
      ],
      faults: [stopped],
      acts: (b) => b.at(17_100, { type: 'phase.started', phase: 'heal' }).fault(10_000, { healedMs: 17_100 }),
    });
    // The last good sample was sent at 17.050 s, the heal began at 17.100 s, the next sample failed at 17.250 s.
    expect(summary.rto?.maxMs).toBeLessThan(1500);
    expect(summary.checks).toMatchObject([{ status: 'pass' }]);
  });

  test('an outage just before the recovery gate is met leaves both cases open', () => {
    const { summary } = drill({
      outages: [
        [10_200, 11_450],
        [16_600, 18_000],
      ],
      faults: [stopped],
      recoveryGateMs: 23_500,
      acts: (b) => b.at(23_510, { type: 'phase.started', phase: 'heal' }).fault(10_000, { healedMs: 23_520 }),
    });
    expect(summary.rto?.minMs).toBeLessThan(1500);
    expect(summary.rto?.maxMs).toBeGreaterThan(7950);
    expect(summary.checks).toMatchObject([{ status: 'inconclusive' }]);
  });

  test('a service that is up only after that heal did not recover', () => {
    const { summary } = drill({
      outages: [
        [10_200, 11_450],
        [19_000, 42_000],
      ],
      faults: [stopped],
      acts: (b) => b.at(39_000, { type: 'phase.started', phase: 'heal' }).fault(10_000, { healedMs: 39_010 }),
    });
    expect(summary.rto).toBeNull();
    expect(summary.checks).toMatchObject([
      { status: 'fail', observed: expect.stringMatching(/not within 28/) },
    ]);
  });

  test('a kill stops acting with its effect: a later outage counts in the downtime', () => {
    const { summary } = drill({
      outages: [
        [10_200, 11_450],
        [19_000, 28_000],
      ],
      faults: [kill],
      acts: (b) =>
        b
          .at(17_100, { type: 'phase.started', phase: 'heal' })
          .at(17_110, { type: 'phase.started', phase: 'redundancy' })
          .fault(10_000, { healedMs: 80_000 }),
    });
    expect(summary.rto?.ms).toBeLessThan(1500);
    expect(summary.notes.join()).toMatch(/1 more outage after the recovery had held/);
  });

  test('a recovery between two faults is not final: the outage of the second counts', () => {
    const { summary } = drill({
      outages: [
        [10_200, 11_450],
        [32_000, 35_000],
      ],
      faults: [kill, { ...kill, id: 'fault-2', atMs: 20_000 }],
      recoveryGateMs: 41_000,
      acts: (b) => b.fault(10_000).fault(30_000, { id: 'fault-2' }),
    });
    expect(summary.rto?.ms).toBeGreaterThan(24_500);
  });
});

describe('a role that moved while the fault acted', () => {
  const primary = { probe: 'pg-role', is: ['primary'] };
  const moved: Check = { kind: 'role-moved', name: 'moves', role: 'db-primary' };

  test('has moved, although the heal moves it back before the wait is over', () => {
    const says = (primaries: (ms: number) => boolean) => (ms: number) => ({
      status: 'ok' as const,
      finishMs: ms + 10,
      value: primaries(ms) ? 'primary' : 'standby',
    });
    const away = (ms: number) => ms >= 12_000 && ms < 41_000;
    const { summary } = drill({
      outages: [[10_200, 13_000]],
      checks: [moved],
      recoveryGateMs: 46_000,
      plan: {
        probes: [
          probeOf('health', { intervalMs: 200 }),
          probeOf('pg-role@node-1', { kind: 'sql' }),
          probeOf('pg-role@node-2', { kind: 'sql' }),
        ],
        roles: { 'db-primary': primary },
      },
      acts: (b) =>
        timed(b, 46_010)
          .probing(
            'pg-role@node-1',
            100,
            90_000,
            1000,
            says((ms) => !away(ms)),
          )
          .probing('pg-role@node-2', 400, 90_000, 1000, says(away)),
    });
    expect(summary.checks).toMatchObject([{ status: 'pass', observed: 'node-1 to node-2' }]);
  });
});

describe('with multiple faults that are healed after the recovery', () => {
  const killed = (id: string, atMs: number): PlannedFault => ({
    id,
    kind: 'container.stop',
    on: { host: 'node-1' },
    atMs,
    params: {},
  });
  /** Faults at 10 s and 20 s; the recovery gate is met at 30 s, the heals begin at 30.01 s and 31 s. */
  const both = (outages: Outages, checks: readonly Check[] = [{ ...rtoAtMost5s, maxMs: 15_000 }]) =>
    drill({
      outages,
      checks,
      faults: [killed('fault-1', 0), killed('fault-2', 10_000)],
      recoveryGateMs: 30_000,
      acts: (b) =>
        b
          .fault(10_000, { healedMs: 31_000 })
          .fault(20_000, { id: 'fault-2', healedMs: 30_010 })
          .at(30_005, { type: 'phase.started', phase: 'heal' })
          .at(31_100, { type: 'phase.started', phase: 'redundancy' }),
    }).summary;

  test("an outage of the first heal is the return's", () => {
    const { verdict, rto, heal } = both([
      [10_200, 12_000],
      [30_100, 30_900],
    ]);
    expect(verdict).toBe('pass');
    expect(rto?.ms).toBeLessThan(2000);
    expect(heal?.outage.minMs).toBeGreaterThan(0);
  });

  test('a recovery near the last fault’s effect may be final, or not', () => {
    // Sampled at 19.85 s (down), 20.05 s (up); fault-2 took effect from 20.0 to 20.15 s, and an outage began after that.
    const { rto } = both([
      [10_200, 20_000],
      [27_000, 28_000],
    ]);
    expect(rto?.minMs).toBeLessThan(10_000);
    expect(rto?.maxMs).toBeGreaterThan(17_900);
  });
});

describe('no-recovery', () => {
  const check: Check = { kind: 'no-recovery', name: 'stays away' };
  const fault: PlannedFault = { ...etcdDown, forMs: 14_000 };
  const given = (outages: Outages, until: Pick<Plan['recovery'], 'until'> = {}) =>
    drill({
      outages,
      checks: [check],
      faults: [fault],
      recoveryGateMs: null,
      plan: { recovery: { probe: 'health', withinMs: 15_000, stableForMs: 5000, ...until } },
      acts: (b) =>
        b
          .fault(10_000, { kind: 'service.stop', healedMs: 24_000 })
          .at(25_200, { type: 'gate', gate: 'recovery', state: 'timeout', unmet: ['health: fail refused'] })
          .at(25_210, { type: 'phase.started', phase: 'heal' }),
    }).summary.checks[0];

  test('does not pass if only the outage of the heal kept the gate from being met', () => {
    // Up from 12 s on; the heal at 24 s has an outage that may have begun before it.
    expect(
      given([
        [10_100, 12_000],
        [23_900, 26_000],
      ]),
    ).toMatchObject({ status: 'inconclusive' });
  });

  test('passes if the service was down for the whole wait', () => {
    expect(given([[10_100, 26_000]])).toMatchObject({ status: 'pass' });
  });

  test('fails if the service was up without the redundancy that its recovery needs', () => {
    expect(given([[10_100, 12_000]], { until: 'redundancy' })).toMatchObject({
      status: 'fail',
      observed: expect.stringMatching(/^up again after 2\.0\d s, for 13\.\d\d s, without redundancy$/),
    });
    expect(given([[10_100, 26_000]], { until: 'redundancy' })).toMatchObject({ status: 'pass' });
  });
});
