import { describe, expect, test } from 'vitest';
import type { ControlSample } from '../core/control.ts';
import type { MachinePressure } from '../core/event.ts';
import type { Check, Plan } from '../core/plan.ts';
import { runMs } from '../core/time.ts';
import { fromPlain } from '../core/testing/plain.ts';
import { ControlReader } from './control-record.ts';
import { analyse, summarize } from './summarize.ts';
import { type Answer, LogBuilder, planWith, probeOf, readLines } from './testing/log-builder.ts';

/** A range of the run clock, ms. */
type Stretch = readonly [fromMs: number, toMs: number];
const within = (ms: number, stretches: readonly Stretch[]): boolean =>
  stretches.some(([from, to]) => ms >= from && ms < to);

interface Story {
  /** Samples of the recovery probe time out. */
  readonly down?: readonly Stretch[];
  /** The control's work takes eight times its CPU time. */
  readonly starved?: readonly Stretch[];
  /** The control reports nothing. */
  readonly silent?: readonly Stretch[];
  readonly checks?: readonly Check[];
  readonly plan?: Partial<Plan>;
  /** Hosts of the target on the prober's machine. */
  readonly hosts?: readonly string[];
  /** Percent of both cores that other programs used, by time. */
  readonly others?: (ms: number) => number;
  /** Whether the target's control groups were read. */
  readonly blind?: boolean;
  /** When the CPU time of `hosts` was not read. */
  readonly unread?: Stretch;
  /** Their CPU time of that range is in the reading one second later. */
  readonly readLate?: boolean;
}

const fault = { id: 'fault-1', kind: 'process.kill', on: { host: 'node-1' }, atMs: 0, params: {} } as const;

/** 60 s of a drill whose fault is at 10 s. */
function story({ hosts = [], others = () => 0, ...more }: Story): LogBuilder {
  const { down = [], starved = [], silent = [], checks = [], plan = {}, blind = false } = more;
  const { unread = [Infinity, Infinity], readLate = false } = more;
  const answer = (ms: number): Answer =>
    within(ms, down)
      ? { status: 'fail', cause: 'timeout', finishMs: ms + 900 }
      : { status: 'ok', finishMs: ms + 5 };
  const log = new LogBuilder(
    planWith({
      probes: [probeOf('health', { intervalMs: 200 })],
      faults: [fault],
      checks,
      recovery: { probe: 'health', withinMs: 40_000, stableForMs: 3000 },
      ...plan,
    }),
  )
    .at(1, { type: 'control.started', everyMs: 500, workMs: 8 })
    .at(9000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .probing('health', 10, 60_000, 200, answer)
    .fault(10_000, { healedMs: 55_000 })
    .at(50_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(60_100, { type: 'run.ended' });
  for (let t = 400; t < 60_000; t += 500) {
    if (within(t, silent)) continue;
    const wallMs = within(t, starved) ? 64 : 8;
    log.at(t + wallMs, { type: 'control.sample', finishMs: t + wallMs, wallMs, cpuMs: 8 });
  }
  for (let t = 1000; t < 60_000; t += 1000) {
    const othersPct = others(t);
    const isUnread = within(t, [unread]);
    const isLate = readLate && t >= unread[1] && t < unread[1] + 1000;
    const seconds = (unread[1] - unread[0]) / 1000 + 1;
    const pressure: MachinePressure = {
      machine: 'm1',
      prober: true,
      hosts,
      overMs: 1000,
      cpu: { somePct: t > 10_000 ? 80 : 20, busyPct: 40 + othersPct, stealPct: 0, runQueue: 3, cores: 2 },
      memory: { somePct: 0, fullPct: 0 },
      io: { somePct: 0, fullPct: 0 },
      // Percent of one core: 60 and 20, out of 200 for two cores.
      targetCpuPct: blind || hosts.length === 0 ? null : isUnread || isLate ? 0 : 60,
      ...(isUnread ? { unreadHosts: hosts } : {}),
      ...(isLate ? { readLate: [{ host: 'node-1', usedMs: 600 * seconds }] } : {}),
      harnessCpuPct: 20,
    };
    log.at(t, { type: 'machine.pressure', ...pressure });
  }
  return log;
}

const rto = (maxMs: number): Check => ({ kind: 'rto', name: 'RTO', maxMs });

describe('a starved machine that carries no host of the target', () => {
  test('makes the failures of that time unknown', () => {
    const log = story({ down: [[12_000, 16_000]], starved: [[11_500, 17_500]], checks: [rto(1000)] });
    const { summary, windows } = analyse(log.read());
    expect(windows.get('health')!.map((w) => w.state)).toEqual(['uncertain']);
    expect(summary.checks.map((c) => c.status)).toEqual(['inconclusive']);
    expect(summary.reasons.join()).toMatch(
      /the prober was degraded for \d\.\d\d s: its machine was starved of CPU \(the control's work took up to 8\.0 x its CPU time, the limit is 2\.5 x\); use a quieter machine/,
    );
  });

  test('does not change samples of another time', () => {
    const down: Stretch[] = [[10_100, 14_000]];
    const well = summarize(story({ down, checks: [rto(5000)] }).read());
    expect(well.verdict).toBe('pass');
    const later = summarize(story({ down, starved: [[30_000, 33_000]], checks: [rto(5000)] }).read());
    expect(later).toMatchObject({ verdict: 'pass', rto: well.rto });
  });

  test('is assumed if the control reports nothing', () => {
    const log = story({ down: [[12_000, 16_000]], silent: [[11_000, 17_000]], checks: [rto(1000)] });
    const summary = summarize(log.read());
    expect(summary.verdict).toBe('inconclusive');
    expect(summary.prober.control?.starvedMs).toBeGreaterThan(5000);
  });

  test('before the fault makes the drill inconclusive', () => {
    const { verdict, reasons } = summarize(story({ starved: [[5000, 8500]] }).read());
    expect(verdict).toBe('inconclusive');
    expect(reasons).toEqual([
      expect.stringMatching(/^the steady state before the fault is uncertain: the prober was degraded/),
    ]);
  });
});

describe('a starved machine that carries the target', () => {
  const hosts = ['node-1', 'node-2'];
  const down: Stretch[] = [[10_100, 30_000]];

  test('counts in the RTO if the target itself causes it', () => {
    const log = story({ hosts, down, starved: [[10_500, 30_000]], checks: [rto(10_000)] });
    const { verdict, checks, notes, prober } = summarize(log.read());
    expect(verdict).toBe('fail');
    expect(checks.map((c) => c.status)).toEqual(['fail']);
    expect(notes.join()).toMatch(/the machine of the prober and of the target was starved of CPU for/);
    expect(prober.machines).toEqual([
      {
        machine: 'm1',
        prober: true,
        hosts,
        cpuSomePct: { before: { p50: 20, max: 20 }, after: { p50: 80, max: 80 } },
        runQueue: { before: { p50: 3, max: 3 }, after: { p50: 3, max: 3 } },
        othersCpuPct: 0,
      },
    ]);
    expect(prober.control).toMatchObject({ samples: 120, dilation: { p50: 1, max: 8 } });
  });

  test('treats the CPU time of an unread host as unknown, and notes it', () => {
    const checks = [rto(10_000)];
    const hosts = ['node-1'];
    const down: Stretch[] = [[10_100, 45_000]];
    const { checks: judged, prober } = summarize(
      story({ hosts, down, checks, unread: [11_000, 50_000] }).read(),
    );
    expect(judged.map((c) => c.status)).toEqual(['inconclusive']);
    expect(summarize(story({ hosts, down, checks, unread: [11_000, 50_000] }).read()).reasons.join()).toMatch(
      /other programs may have used up to 30 % of this machine's CPU from the fault until this was decided \(limit 25 %; all programs together used 40 %; the CPU time of node-1 was not read for 3\d\.\d\d s of it\): stop them/,
    );
    expect(prober.machines[0]?.othersCpuPct).toBeNull();
  });

  test('computes the CPU time of other programs once the unread host is read again', () => {
    const log = story({
      hosts: ['node-1'],
      down: [[10_100, 45_000]],
      checks: [rto(10_000)],
      unread: [11_000, 40_000],
      readLate: true,
    });
    const { checks, prober } = summarize(log.read());
    expect(checks.map((c) => c.status)).toEqual(['fail']);
    expect(prober.machines[0]?.othersCpuPct).toBe(0);
  });

  test('makes a failure inconclusive that other programs may have caused, with their CPU time', () => {
    const log = story({ hosts, down, checks: [rto(10_000)], others: () => 45 });
    const { verdict, checks, reasons } = summarize(log.read());
    expect(verdict).toBe('inconclusive');
    expect(checks.map((c) => c.status)).toEqual(['inconclusive']);
    expect(reasons[0]).toMatch(
      /^RTO: RTO was .*, above the limit of 10 s, but other programs used 45 % of this machine's CPU from the fault until this was decided \(limit 25 %; all programs together used 85 %\): stop them/,
    );
  });

  test('passes a check that holds in spite of them', () => {
    const log = story({ hosts, down, checks: [rto(30_000)], others: () => 45 });
    expect(summarize(log.read()).verdict).toBe('pass');
  });

  test('counts their CPU time only until the check is decided', () => {
    const late = story({ hosts, down, checks: [rto(10_000)], others: (ms) => (ms > 35_000 ? 60 : 5) });
    expect(summarize(late.read()).verdict).toBe('fail');
  });

  test('is judged as usual if the target’s share is unknown', () => {
    const log = story({ hosts, down, checks: [rto(10_000)], others: () => 45, blind: true });
    const { verdict, prober } = summarize(log.read());
    expect(verdict).toBe('fail');
    expect(prober.machines[0]?.othersCpuPct).toBeNull();
  });

  test('makes a missed gate inconclusive, too', () => {
    const log = story({ hosts, down: [[10_100, 60_000]], others: () => 45 });
    const lines = log
      .lines()
      .map((line) => line.replace('"gate":"recovery","state":"met"', '"gate":"recovery","state":"timeout"'));
    const { verdict, reasons } = summarize(readLines(lines));
    expect(verdict).toBe('inconclusive');
    expect(reasons[0]).toMatch(
      /^no stable recovery within 40 s: .*, but this is inconclusive: other programs used 45 %/,
    );
  });
});

test('a log without control and machines has no such record', () => {
  const log = new LogBuilder(planWith({ probes: [probeOf('health')] })).at(9000, { type: 'run.ended' });
  expect(summarize(log.read()).prober).toMatchObject({ control: null, machines: [], controlProbe: null });
});

describe('the record of a control', () => {
  const read = (samples: readonly (readonly [finishMs: number, dilation: number])[], endMs: number) => {
    const reader = new ControlReader(runMs(0));
    for (const [finishMs, dilation] of samples)
      reader.add(fromPlain<ControlSample>({ finishMs, cpuMs: 8, wallMs: 8 * dilation }));
    return reader.finish(runMs(endMs));
  };

  test('has a span from the last good sample to the next one', () => {
    const { starved, samples } = read(
      [
        [500, 1],
        [1000, 1],
        [1532, 4],
        [2032, 4],
        [2532, 4],
        [3008, 1],
        [3508, 1],
      ],
      3600,
    );
    expect(samples).toBe(7);
    expect(starved).toEqual([{ fromMs: 1000, toMs: 3000, samples: 3 }]);
  });

  test('ignores one interrupted sample, but not one that stood still', () => {
    const one = (dilation: number) =>
      read(
        [
          [500, 1],
          [1000, 1],
          [1900, dilation],
          [2400, 1],
          [2900, 1],
        ],
        3000,
      ).starved;
    expect(one(6)).toEqual([]);
    expect(one(100)).toEqual([{ fromMs: 1000, toMs: 2392, samples: 1 }]);
  });

  test('counts a time of more than 2 s without a sample, also at the end', () => {
    expect(
      read(
        [
          [500, 1],
          [3508, 1],
        ],
        9000,
      ).starved,
    ).toEqual([
      { fromMs: 500, toMs: 3500, samples: 0 },
      { fromMs: 3508, toMs: 9000, samples: 0 },
    ]);
    expect(read([], 1999).starved).toEqual([]);
    expect(read([], 2001).starved).toHaveLength(1);
  });
});
