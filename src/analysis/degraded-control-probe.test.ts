import { describe, expect, test } from 'vitest';
import { controlProbeId } from '../core/control-probe.ts';
import type { Check, Plan } from '../core/plan.ts';
import { analyse, summarize } from './summarize.ts';
import { type Answer, LogBuilder, planWith, probeOf, readLines } from './testing/log-builder.ts';

const health = probeOf('health', { intervalMs: 100, timeoutMs: 900 });
const controlProbe = probeOf(controlProbeId, { intervalMs: 100, timeoutMs: 900 });
const fault = { id: 'fault-1', kind: 'process.kill', on: { host: 'node-1' }, atMs: 0, params: {} } as const;

/** A range of the run clock, ms. */
type Stretch = readonly [fromMs: number, toMs: number];
const within = (ms: number, stretches: readonly Stretch[]): Stretch | undefined =>
  stretches.find(([from, to]) => ms >= from && ms < to);

interface Story {
  /** The target refuses. */
  readonly down?: readonly Stretch[];
  /** The prober's machine stalls until the end of the range. */
  readonly held?: readonly Stretch[];
  readonly checks?: readonly Check[];
  readonly plan?: Partial<Plan>;
  readonly controlProbe?: boolean;
  readonly faultMs?: number;
}

/** 30 s of a drill whose fault is at 10 s and takes effect immediately. */
function story({
  down = [],
  held = [],
  checks = [],
  plan = {},
  controlProbe: has = true,
  faultMs = 10_000,
}: Story): LogBuilder {
  const log = new LogBuilder(
    planWith({
      probes: [health],
      faults: [fault],
      checks,
      recovery: { probe: 'health', withinMs: 15_000, stableForMs: 5000 },
      ...plan,
    }),
  );
  const heldUp = (ms: number, otherwise: Answer): Answer => {
    const stretch = within(ms, held);
    if (stretch === undefined) return otherwise;
    const [, to] = stretch;
    return to - ms > 900
      ? { status: 'fail', cause: 'timeout', finishMs: ms + 900 }
      : { ...otherwise, finishMs: to + 5 };
  };
  log.at(9000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] });
  if (has) log.at(1, { type: 'canary.started', probe: controlProbe });
  log
    .probing('health', 10, 30_000, 100, (ms) =>
      heldUp(
        ms,
        within(ms, down) === undefined
          ? { status: 'ok', finishMs: ms + 5 }
          : { status: 'fail', cause: 'refused', finishMs: ms + 5 },
      ),
    )
    .fault(faultMs, { healedMs: 28_000 });
  if (has)
    log.probing(controlProbeId, 60, 30_000, 100, (ms) => heldUp(ms, { status: 'ok', finishMs: ms + 2 }));
  return log
    .at(26_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(30_100, { type: 'run.ended' });
}

const rto = (maxMs: number): Check => ({ kind: 'rto', name: 'RTO', maxMs });
const downtime = (maxMs: number): Check => ({ kind: 'downtime', name: 'downtime', maxMs });

describe('a prober that was degraded by its control probe, as in logs of 0.1,', () => {
  test('does not cause an outage by its own stall', () => {
    const { summary, windows } = analyse(
      story({ held: [[12_000, 14_000]], checks: [rto(1000), downtime(500)] }).read(),
    );
    expect(windows.get('health')!.map((w) => w.state)).toEqual(['uncertain']);
    expect(summary.downtime).toMatchObject({ windows: 0, minMs: 0 });
    expect(summary.rto).toMatchObject({ ms: 0, minMs: 0 });
    // Samples failed or hung for 2 s after the fault. The target may have been down for that time.
    expect(summary.rto!.maxMs).toBeGreaterThan(3900);
    expect(summary.downtime!.maxMs).toBeGreaterThan(1900);
    expect(summary.checks.map((c) => c.status)).toEqual(['inconclusive', 'inconclusive']);
    expect(summary.verdict).toBe('inconclusive');
    for (const reason of summary.reasons)
      expect(reason).toMatch(/its control probe of an HTTP server .*use a quieter machine/);
    expect(summary.prober.controlProbe).toMatchObject({
      attempts: 300,
      degraded: [{ startAt: '2026-03-01T10:00:11.960Z' }],
    });
  });

  test('is not detected without a control probe, as in older logs', () => {
    const log = story({ held: [[12_000, 14_000]], checks: [rto(1000)], controlProbe: false });
    const { verdict, prober, downtime } = summarize(log.read());
    expect(prober.controlProbe).toBeNull();
    expect(verdict).toBe('fail');
    expect(downtime).toMatchObject({ windows: 1 });
  });

  test('does not change an outage that ended before or began after', () => {
    const down: Stretch[] = [[10_050, 13_000]];
    const well = summarize(story({ down, checks: [rto(4000)] }).read());
    expect(well).toMatchObject({ verdict: 'pass' });
    const degraded = summarize(story({ down, held: [[20_000, 21_500]], checks: [rto(12_000)] }).read());
    expect(degraded.rto).toEqual(well.rto);
    expect(degraded.downtime!.minMs).toBe(well.downtime!.minMs);
    expect(degraded.downtime!.maxMs).toBeGreaterThan(well.downtime!.maxMs + 1000);
  });

  test('widens the bounds of an edge that it hides', () => {
    const down: Stretch[] = [[10_050, 15_000]];
    const { windows, summary } = analyse(
      story({ down, held: [[14_000, 16_000]], checks: [rto(4500), rto(7000)] }).read(),
    );
    const [window, ...more] = windows.get('health')!;
    expect(more).toEqual([]);
    expect(window!.state).toBe('down');
    expect(window!.endLoMs).toBeLessThan(14_000);
    expect(window!.endHiMs).toBeGreaterThan(15_000);
    expect(window!.startHiMs - window!.startLoMs).toBeLessThan(120);
    expect(summary.checks.map((c) => c.status)).toEqual(['inconclusive', 'pass']);
  });

  test('widens the RTO if a hidden outage may have delayed the recovery or been the first one', () => {
    const soonAfter = summarize(
      story({ down: [[10_050, 13_000]], held: [[14_000, 16_000]], checks: [rto(4000)] }).read(),
    );
    expect(soonAfter.rto!.minMs).toBeLessThan(3000);
    expect(soonAfter.rto!.maxMs).toBeGreaterThan(5900);
    expect(soonAfter.checks[0]).toMatchObject({ status: 'inconclusive' });
    const longBefore = summarize(story({ down: [[19_000, 20_000]], held: [[10_300, 12_000]] }).read());
    expect(longBefore.rto!.minMs).toBeLessThan(500);
    expect(longBefore.rto!.maxMs).toBeGreaterThan(9900);
  });

  test('does not split an outage that surrounds it', () => {
    const down: Stretch[] = [[10_050, 20_000]];
    const well = summarize(story({ down }).read());
    const degraded = summarize(story({ down, held: [[14_000, 16_000]] }).read());
    expect(degraded).toMatchObject({ verdict: 'pass', rto: well.rto, downtime: well.downtime });
    expect(degraded.notes).toEqual([expect.stringMatching(/degraded for 2\.\d\d s.*its control probe/)]);
  });

  test('does not make a good answer late', () => {
    const held: Stretch[] = [[12_000, 12_700]];
    const without = analyse(story({ held, controlProbe: false }).read());
    expect(without.windows.get('health')!.map((w) => w.state)).toEqual(['slow']);
    const { windows, summary } = analyse(story({ held }).read());
    expect(windows.get('health')).toEqual([]);
    expect(summary.verdict).toBe('pass');
  });

  test('before the fault makes the drill inconclusive: the steady state is uncertain', () => {
    const { verdict, reasons } = summarize(story({ held: [[7000, 7600]] }).read());
    expect(verdict).toBe('inconclusive');
    expect(reasons).toEqual([
      expect.stringMatching(/^the steady state before the fault is uncertain: .*its control probe/),
    ]);
  });

  test('until the end of the wait does not prove a missing recovery', () => {
    const late = (down: Stretch[], held: Stretch[]) => {
      const log = story({ down, held, checks: [{ kind: 'no-recovery', name: 'stays away' }] });
      const lines = log
        .lines()
        .map((line) =>
          line.replace('"gate":"recovery","state":"met"', '"gate":"recovery","state":"timeout"'),
        );
      return readLines(lines);
    };
    expect(summarize(late([[10_050, 30_000]], [])).checks[0]).toMatchObject({ status: 'pass' });
    const degraded = summarize(late([[10_050, 30_000]], [[12_000, 29_000]]));
    expect(degraded.checks[0]).toMatchObject({ status: 'inconclusive' });
    expect(degraded.reasons.join()).toMatch(/whether health stayed down is unknown: the prober was degraded/);
    // Too short for a stable recovery.
    expect(summarize(late([[10_050, 30_000]], [[12_000, 14_000]])).checks[0]).toMatchObject({
      status: 'pass',
    });
  });

  test('for two hours keeps the samples of that time', () => {
    const log = new LogBuilder(planWith({ probes: [probeOf('health')] })).at(1, {
      type: 'canary.started',
      probe: probeOf(controlProbeId),
    });
    const heldUp = (ms: number): Answer =>
      ms >= 600_000 && ms < 7_800_000
        ? { status: 'fail', cause: 'timeout', finishMs: ms + 900 }
        : { status: 'ok', finishMs: ms + 5 };
    for (const [probe, fromMs] of [
      ['health', 0],
      [controlProbeId, 500],
    ] as const)
      log.probing(probe, fromMs, 9_000_000, 1000, heldUp);
    const { verdict, probes, prober } = summarize(log.at(9_000_000, { type: 'run.ended' }).read());
    expect(verdict).toBe('inconclusive');
    expect(probes[0]!.windows.map((w) => [w.state, w.minMs])).toEqual([['uncertain', 0]]);
    expect(probes[0]).toMatchObject({ samples: 9000, failed: 7200, unknown: 0 });
    expect(prober.controlProbe).toMatchObject({
      attempts: 9000,
      failed: 7200,
      degraded: [{ ms: 7_201_005 }],
    });
  });
});

describe('a wall clock that moves', () => {
  const down: Stretch[] = [[10_050, 13_000]];

  test('changes no duration, and gives a note', () => {
    const well = summarize(story({ down }).read());
    const log = story({ down });
    log.at(12_000, { type: 'clock.stepped', atMs: 12_000, byMs: -3_600_000, cause: 'step' });
    log.at(20_000, { type: 'clock.anchor', wallMs: Date.UTC(2026, 2, 1, 9) + 20_000 });
    const stepped = summarize(log.read());
    expect(stepped).toEqual({
      ...well,
      notes: [
        'the wall clock moved against the run clock by 60 min 00.0 s (backwards); durations are not affected',
      ],
      prober: {
        ...well.prober,
        clockSteps: [{ at: '2026-03-01T10:00:12.000Z', byMs: -3_600_000, cause: 'step' }],
      },
    });
  });

  test('because the machine slept makes the drill inconclusive: the run clock stood still', () => {
    const log = story({ down });
    log.at(12_000, { type: 'clock.stepped', atMs: 12_000, byMs: 40_000, cause: 'suspend' });
    const { verdict, reasons } = summarize(log.read());
    expect(verdict).toBe('inconclusive');
    expect(reasons).toEqual([expect.stringMatching(/^the prober's machine slept for 40\.00 s/)]);
  });

  test('because the machine slept after the recovery makes the drill inconclusive, too', () => {
    const log = story({ down });
    log.at(29_000, { type: 'clock.stepped', atMs: 29_000, byMs: 600_000, cause: 'suspend' });
    expect(summarize(log.read()).verdict).toBe('inconclusive');
  });

  test('makes a check inconclusive that depends on the shifted marks of logs', () => {
    const hook = probeOf('hook@node-1', { kind: 'journal' });
    const check: Check = {
      kind: 'delivered',
      name: 'told',
      changes: { probe: 'hook', marks: ['change'] },
      deliveries: { probe: 'hook', marks: ['told'] },
      withinMs: 2000,
    };
    const log = (steps: boolean) => {
      const built = story({ down, checks: [check], plan: { probes: [health, hook] } });
      built.probing('hook@node-1', 50, 30_000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 20 }));
      if (steps) built.at(14_500, { type: 'clock.stepped', atMs: 14_500, byMs: 5000, cause: 'step' });
      const mark = (t: number, name: string, atMs: number) =>
        built.at(t, { type: 'mark', probe: 'hook@node-1', name, value: 'MASTER', atMs, text: name });
      mark(13_000, 'change', 12_500);
      mark(15_000, 'told', 12_600);
      return summarize(built.read());
    };
    expect(log(false).checks[0]).toMatchObject({ status: 'pass' });
    const stepped = log(true);
    expect(stepped.checks[0]).toMatchObject({ status: 'inconclusive' });
    expect(stepped.reasons.join()).toMatch(
      /wall clock of the prober's machine was moved by 5\.00 s while logs were read/,
    );
  });
});
