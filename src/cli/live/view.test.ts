import { describe, expect, test } from 'vitest';
import { LogBuilder, planWith, probeOf } from '../../analysis/testing/log-builder.ts';
import type { DrillEvent, MachinePressure } from '../../core/event.ts';
import type { Plan, PlannedFault } from '../../core/plan.ts';
import { runMs } from '../../core/time.ts';
import { paint, widthOf } from './line.ts';
import { nothingYet, reduce } from './state.ts';
import { drillLines } from './view.ts';

const fault: PlannedFault = {
  id: 'cut',
  kind: 'power.cut',
  on: { role: 'db-primary' },
  atMs: 2000,
  forMs: 20_000,
  params: {},
};
const gate = {
  require: [{ probe: 'health' }, { probe: 'role', is: ['primary'], count: { min: 1, max: 1 } }],
  forMs: 5000,
  withinMs: 60_000,
};
const plan = planWith({
  probes: [probeOf('health'), probeOf('role@node-1'), probeOf('role@node-2')],
  roles: { 'db-primary': { probe: 'role', is: ['primary'] } },
  ownership: {
    vip: {
      reported: { probe: 'role', is: ['primary'] },
      'on the wire': { probe: 'role', is: ['primary', 'standby'] },
    },
  },
  limits: { faultMs: 1_800_000, outageMs: 30_000 },
  steady: gate,
  redundancy: gate,
  faults: [fault],
  recovery: { probe: 'health', withinMs: 90_000, stableForMs: 5000 },
});

const cpu = { somePct: 12, busyPct: 40, stealPct: 0, runQueue: 3, cores: 2 };
const pressure = (more: Partial<MachinePressure>) =>
  ({
    type: 'machine.pressure',
    machine: 'm1',
    prober: true,
    hosts: [],
    overMs: 1000,
    cpu,
    memory: { somePct: 0, fullPct: 0 },
    io: { somePct: 0, fullPct: 0 },
    targetCpuPct: null,
    ...more,
  }) as const;

/** Up, down from 12 s to 20 s after a cut of node-1 at 10 s; node-2 is primary from 16 s on. */
function drill(own: Plan = plan): LogBuilder {
  const good = (latencyMs: number) => (sendMs: number) =>
    ({ status: 'ok', finishMs: sendMs + latencyMs }) as const;
  const said = (sendMs: number, value: string) => ({ status: 'ok', finishMs: sendMs + 10, value }) as const;
  const down = (sendMs: number) => ({ status: 'fail', finishMs: sendMs + 900, cause: 'timeout' }) as const;
  const log = new LogBuilder(own);
  for (let t = 500; t < 40_000; t += 500) {
    const wallMs = t > 30_000 && t < 33_000 ? 64 : 8.8;
    log.at(t, { type: 'control.sample', finishMs: t, cpuMs: 8, wallMs });
  }
  for (let t = 1000; t < 40_000; t += 1000)
    log.at(t, pressure({ hosts: [], cpu: { ...cpu, somePct: t > 30_000 ? 91.4 : 12 } }));
  return log
    .at(0, { type: 'phase.started', phase: 'steady' })
    .at(1, { type: 'control.started', everyMs: 500, workMs: 8 })
    .probing('health', 100, 40_000, 1000, (t) =>
      t > 11_000 && t < 20_000 ? down(t) : good(t < 5000 ? 20 : 700)(t),
    )
    .probing('role@node-1', 200, 40_000, 1000, (t) => (t > 10_000 ? down(t) : said(t, 'primary')))
    .probing('role@node-2', 300, 40_000, 1000, (t) => said(t, t < 16_000 ? 'standby' : 'primary'))
    .at(7000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .at(7001, { type: 'role.resolved', role: 'db-primary', host: 'node-1' })
    .at(8000, { type: 'phase.started', phase: 'fault' })
    .at(10_000, { type: 'fault.issued', fault: 'cut', kind: 'power.cut', host: 'node-1', params: {} })
    .at(10_200, { type: 'fault.acked', fault: 'cut', receipt: {} })
    .at(10_500, { type: 'fault.effect', fault: 'cut', notBeforeMs: 10_000, notAfterMs: 10_500 })
    .at(10_500, { type: 'phase.started', phase: 'recovery' })
    .at(26_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(30_500, { type: 'phase.started', phase: 'heal' })
    .at(30_600, { type: 'heal.started', fault: 'cut' })
    .at(33_000, { type: 'heal.proven', fault: 'cut' });
}

function shown(atMs: number, { columns = 80, rows = 30, unicode = true, of = drill() } = {}): string[] {
  const events = of.lines().map((line) => JSON.parse(line) as DrillEvent);
  const state = events.filter(({ t }) => t <= atMs).reduce(reduce, nothingYet);
  return drillLines(state, runMs(atMs), { columns, rows }).map((line) =>
    paint(line, columns, { color: false, unicode }),
  );
}

describe('drillLines', () => {
  test('counts the gate down and shows the unmet conditions', () => {
    const lines = shown(5000);
    expect(lines.slice(0, 4)).toEqual([
      '⠋ 5.0 s  built on lab',
      '  steps    ⠋ steady 5.0 s  · fault  · recovery  · heal  · redundancy',
      '  wait     steady state: 55.0 s left · holds 4.7 s of 5.0 s',
      '  fault    cut: power.cut on the db-primary · pending',
    ]);
    expect(shown(90).slice(2, 4)).toEqual([
      '  wait     steady state: 59.9 s left',
      '           not yet (1 of 2): health is ok everywhere (health: no fresh answer)',
    ]);
    expect(shown(150)[3]).toContain('not yet: role is primary on exactly 1');
  });

  test('counts down to the fault', () => {
    expect(shown(9000)).toContain('  fault    cut: power.cut on the db-primary · in 1.0 s');
  });

  test('shows the outage, the rest of each timeout, and the owners', () => {
    expect(shown(18_050)).toEqual([
      '⠋ 18.1 s  built on lab',
      '  steps    ✓ steady 8.0 s  ✓ fault 2.5 s  ⠋ recovery 7.5 s  · heal  · redundancy',
      '  outage   DOWN 7.0 s health: timeout · drill stops in 23.1 s',
      '  wait     recovery: 82.5 s left',
      '  fault    cut: power.cut on node-1 · in effect 7.5 s · heals in 12.4 s',
      '  prober   ok, dilation 1.1 x · CPU pressure 12 %',
      '  owner    vip node-2',
      '  roles    db-primary node-1 → node-2',
      `  health      ${' '.repeat(23)}▁▁▁▁▁██████xxxxxxx bad 7.0 s timeout`,
      `  role@node-1 ${' '.repeat(24)}▁▁▁▁▁▁▁▁▁▁xxxxxxx bad 7.8 s timeout`,
      `  role@node-2 ${' '.repeat(23)}▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ primary`,
      '  ▁▂▅█ latency up to the timeout, x failed, ? unknown',
    ]);
  });

  test('shows each side if they differ', () => {
    expect(shown(14_000)).toContain('  owner    vip reported none on the wire node-2');
  });

  test('shows the first sign of recovery and its duration', () => {
    const lines = shown(24_000, { columns: 100 });
    expect(lines[2]).toBe('  outage   up for 3.2 s · was down 9.7 s · first sign after 10.3 s');
    expect(lines[3]).toBe('  wait     recovery: 76.5 s left · holds 3.2 s of 5.0 s');
  });

  test('shows a degraded prober, and counts failures as unknown meanwhile', () => {
    const lines = shown(32_300, { columns: 120 });
    expect(lines).toContain(
      '  prober   DEGRADED: dilation 8.0 x, limit 2.5 x · CPU pressure 91 % · failures count as unknown',
    );
    expect(lines.find((line) => line.includes('role@node-1'))).toMatch(/x\?+ /);
  });

  test('counts failures if the prober runs on the machine of the target', () => {
    const own = drill();
    for (let t = 30_100; t < 33_000; t += 1000) own.at(t, pressure({ machine: 'm2', hosts: ['node-1'] }));
    const reported = shown(32_300, { columns: 120, of: own });
    expect(reported.find((line) => line.includes('prober'))).not.toContain('failures count as unknown');
    expect(reported.find((line) => line.includes('role@node-1'))).not.toContain('?');
  });

  test('shows a silent control, and the pressure of other machines', () => {
    const of = drill()
      .until(20_000)
      .at(19_500, pressure({ machine: 'm2', prober: false, hosts: ['node-1', 'node-2'] }));
    expect(shown(22_000, { columns: 160, of })).toContain(
      '  prober   DEGRADED: the control reports nothing · CPU pressure 12 % · CPU pressure of node-1, node-2 12 % · failures count as unknown',
    );
  });

  test('counts the lease down, and shows when the host undoes the fault by itself', () => {
    const of = drill()
      .at(9900, { type: 'lease.renewed', fault: 'cut', untilMs: 19_900 })
      .at(13_400, { type: 'lease.renewed', fault: 'cut', untilMs: 23_300 });
    const faultAt = (atMs: number) =>
      shown(atMs, { columns: 120, of }).find((line) => line.startsWith('  fault'));
    expect(faultAt(13_000)).toMatch(/ · lease 6\.9 s$/);
    expect(faultAt(13_400)).toMatch(/ · lease 9\.9 s$/);
    expect(faultAt(23_301)).toMatch(/ · lease expired: its host undoes it$/);
    expect(faultAt(31_000)).not.toContain('lease');
  });

  test('marks healed faults', () => {
    expect(shown(33_000)).toContain('  fault    cut: power.cut on node-1 · healed, proven');
  });

  test('marks an unmet gate, and drops the remaining phases of an aborted drill', () => {
    const cut = new LogBuilder(plan)
      .at(0, { type: 'phase.started', phase: 'steady' })
      .at(60_000, { type: 'gate', gate: 'steady', state: 'timeout', unmet: ['x'] })
      .at(60_001, { type: 'run.aborted', reason: 'stopped by SIGINT' });
    expect(shown(61_000, { of: cut }).slice(0, 2)).toEqual([
      '⠋ 1 min 01 s  built on lab  ABORTED: stopped by SIGINT'.replace('1 min 01 s', '61.0 s'),
      '  steps    ✗ steady 61.0 s',
    ]);
  });

  test.each([
    [20, 10],
    [40, 12],
    [40, 50],
    [80, 24],
    [200, 60],
    [1, 1],
  ])('fits %i columns and %i rows at every moment', (columns, rows) => {
    const many = planWith({
      ...plan,
      probes: [...plan.probes, ...Array.from({ length: 30 }, (_, i) => probeOf(`more@node-${i}`))],
    });
    const of = drill(many);
    for (let t = 0; t < 40_000; t += 1500) {
      const lines = shown(t, { columns, rows, of });
      expect(lines.length).toBeLessThanOrEqual(Math.max(rows - 1, 0));
      for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(columns);
    }
  });

  test('counts the probes without room, and shows failing probes first', () => {
    const many = planWith({
      ...plan,
      probes: [...Array.from({ length: 30 }, (_, i) => probeOf(`more@node-${i}`)), ...plan.probes],
    });
    const of = drill(many);
    for (let i = 0; i < 30; i++)
      of.sample(`more@node-${i}`, 0, 17_000, { status: i < 20 ? 'ok' : 'fail', finishMs: 17_010 });
    const lines = shown(18_050, { rows: 24, of });
    const names = lines.flatMap((line) => /^ {2}(\S+@\S+|health) /.exec(line)?.[1] ?? []);
    expect(names).toEqual([
      'more@node-20',
      'more@node-21',
      'more@node-22',
      'more@node-23',
      'more@node-24',
      'more@node-25',
      'health',
    ]);
    expect(lines.at(-1)).toBe('  … 26 more probes: 21 ok, 5 not');
  });

  test('is plain ASCII for a terminal without Unicode', () => {
    expect(shown(18_050, { unicode: false }).join('\n')).toMatch(/^[\n\u0020-\u007E]+$/);
  });

  test('escapes control characters', () => {
    const hostile = '\u001B[2Jx\u009B1A\u0007\u202E';
    const of = new LogBuilder(planWith({ probes: [probeOf('health')] }))
      .at(0, { type: 'phase.started', phase: 'steady' })
      .sample('health', 0, 100, { status: 'ok', finishMs: 110, value: hostile })
      .at(200, { type: 'run.aborted', reason: hostile });
    const text = shown(300, { columns: 120, of }).join('\n');
    expect(text).toContain(String.raw`\u001b[2Jx`);
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/);
  });
});
