import { expect, test } from 'vitest';
import type { MachinePressure } from '../core/event.ts';
import { later, runMs } from '../core/time.ts';
import { createMachineHealth } from './machine-health.ts';

const pressure = (cpu: Partial<MachinePressure['cpu']>): MachinePressure => ({
  machine: 'a',
  prober: true,
  hosts: [],
  overMs: 1000,
  cpu: { somePct: null, busyPct: null, stealPct: null, runQueue: null, cores: 2, ...cpu },
  memory: { somePct: null, fullPct: null },
  io: { somePct: null, fullPct: null },
  targetCpuPct: null,
});

/** A machine with these control samples, every 500 ms from 500 ms on. */
function fed(...dilations: number[]) {
  const machine = createMachineHealth();
  machine.startControl(runMs(0));
  for (const [i, dilation] of dilations.entries())
    machine.addSample({ finishMs: runMs((i + 1) * 500), cpuMs: 8, wallMs: 8 * dilation });
  return { machine, nowMs: runMs(dilations.length * 500) };
}

test('a machine without a control is fit', () => {
  expect(createMachineHealth().unmet(runMs(99_999), 10_000)).toEqual([]);
});

test('a machine is not fit before the first sample', () => {
  const { machine } = fed();
  expect(machine.unmet(runMs(100), 1000)).toEqual([
    "the control on the prober's machine has not reported yet",
  ]);
});

test('the median over the hold decides, and the message has the figures and a hint', () => {
  const { machine, nowMs } = fed(12, 12, 12, 1, 1, 1, 1, 1);
  expect(machine.unmet(nowMs, 4000)).toEqual([]);
  const loaded = fed(12, 12, 12, 12, 3, 12, 12, 12);
  loaded.machine.addPressure(pressure({ somePct: 93.6, runQueue: 40 }));
  loaded.machine.addPressure({ ...pressure({ somePct: 3 }), prober: false });
  expect(loaded.machine.unmet(loaded.nowMs, 4000)).toEqual([
    'this machine is overloaded: 8 ms of CPU work took 96 ms (dilation 12 x, limit 2.5 x), CPU pressure 94 %; use a quieter machine, fewer probes, or longer intervals',
  ]);
});

test('the last 2.5 s of a long hold count, too: a machine that has just begun to starve is not fit', () => {
  const steady = Array.from({ length: 60 }, () => 1);
  const { machine, nowMs } = fed(...steady, 12, 12, 12, 12, 12);
  expect(machine.unmet(nowMs, 30_000)).toEqual([
    expect.stringMatching(/^this machine is overloaded: 8 ms of CPU work took 96 ms \(dilation 12 x/),
  ]);
  for (let i = 1; i <= 3; i++) machine.addSample({ finishMs: later(nowMs, i * 500), cpuMs: 8, wallMs: 8 });
  expect(machine.unmet(later(nowMs, 1500), 30_000)).toEqual([]);
});

test('the message has the run queue if the kernel has no PSI, and neither if nothing was read', () => {
  const { machine, nowMs } = fed(4, 4, 4, 4, 4);
  expect(machine.unmet(nowMs, 1000)[0]).toContain('limit 2.5 x); use');
  machine.addPressure(pressure({ runQueue: 17 }));
  expect(machine.unmet(nowMs, 1000)[0]).toContain('limit 2.5 x), 17 tasks in the run queue; use');
});

test('a short hold is judged by 2.5 s of samples, and a single standstill counts', () => {
  const { machine, nowMs } = fed(1, 1, 1, 1, 40);
  expect(machine.unmet(nowMs, 100)).toEqual([
    expect.stringMatching(/^this machine is overloaded: 8 ms of CPU work took 320 ms \(dilation 40 x/),
  ]);
  machine.addSample({ finishMs: later(nowMs, 500), cpuMs: 8, wallMs: 8 });
  expect(machine.unmet(later(nowMs, 500), 100)).toEqual([]);
});
