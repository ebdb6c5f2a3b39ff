import { expect, test } from 'vitest';
import type { DrillEvent } from '../../../src/core/event.ts';
import { fromPlain } from '../../../src/core/testing/plain.ts';
import { recordOf } from './drill-record.ts';

const sample = (finishMs: number, dilation: number) =>
  fromPlain<DrillEvent>({
    t: finishMs,
    type: 'control.sample',
    finishMs,
    wallMs: 8 * dilation,
    cpuMs: 8,
  });
const fault = { t: 1500, type: 'fault.issued' } as DrillEvent;
const machine = {
  machine: 'abc',
  hosts: ['node-1'],
  prober: true,
  cpuSomePct: { before: { p50: 12, max: 40 }, after: { p50: 60, max: 99 } },
  runQueue: { before: null, after: null },
  othersCpuPct: 31.4,
};
const prober = {
  lanes: [],
  controlProbe: null,
  control: null,
  machines: [{ ...machine, prober: false, othersCpuPct: 1 }, machine],
  clockSteps: [],
};

test("has dilations before and after the fault, and the pressure of the prober's machine", () => {
  const before = [1, 1, 3, 1].map((dilation, index) => sample((index + 1) * 300, dilation));
  const after = [12, 4].map((dilation, index) => sample(2000 + index * 500, dilation));
  const reasons = ['this machine is overloaded'];
  const rto = { ms: 4000, minMs: 3900, maxMs: 4100, first: null };
  const summary = { verdict: 'inconclusive', reasons, rto, prober } as const;
  expect(recordOf([...before, fault, ...after], summary)).toEqual({
    verdict: 'inconclusive',
    starved: 'this machine is overloaded',
    reasons,
    rto,
    dilation: { before: { p50: 1, p99: 3 }, after: { p50: 4, p99: 12 } },
    cpuSomePct: { before: 12, after: 60 },
    othersCpuPct: 31.4,
  });
});

test('without a fault all samples count as before; without a summary there is no verdict', () => {
  expect(recordOf([sample(500, 2)], undefined)).toEqual({
    verdict: null,
    starved: null,
    reasons: [],
    rto: null,
    dilation: { before: { p50: 2, p99: 2 }, after: null },
    cpuSomePct: { before: null, after: null },
    othersCpuPct: null,
  });
});
