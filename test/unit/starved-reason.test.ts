import { describe, expect, test } from 'vitest';
import { judgeSpeed, labLimits } from '../../src/lab/machine-speed.ts';
import { busyMachineIn, starvedReason } from '../starvation.ts';

describe('a reason for which starvation is the cause', () => {
  test.each([
    'the steady state was not met within 1 min, so no fault was injected: this machine is overloaded: 8 ms of CPU work took 96 ms (dilation 12 x, limit 2.5 x)',
    'the prober was degraded for 3.2 s: its machine was starved of CPU',
    "the prober's thread stalled for 600 ms, more than half the timeout of web",
    'the prober lost 9 of 80 samples of web around the outage (0 unknown, 9 not sent), more than 2 %',
    'the prober sent a sample of web 1.2 s late, more than 500 ms',
    'RTO: RTO was 12.0 s, but other programs used 48 % of this machine’s CPU from the fault until this was decided',
    'RTO: RTO was 12.0 s, but other programs may have used up to 29 % of this machine’s CPU from the fault until this was decided',
    'between the steady gate and the fault, web failed once (timeout, first 200 ms before the fault)',
    'the steady state was lost again before the fault, so no fault was injected: web is bad',
    'web answered in 800 ms (p90) before the fault, which is more than half of its timeout of 1 s: a little more load causes timeouts without an outage',
  ])('%s', (reason) => {
    expect(starvedReason({ verdict: 'inconclusive', reasons: ['first', reason] })).toBe(reason);
  });

  test.each([
    'crash (container.stop on node-1) had no observed effect',
    'the steady state was not met within 1 min, so no fault was injected: web is bad',
    'RTO: RTO was 8.9 to 9.1 s: the limit of 9 s lies within the bounds',
    'the run was cut short: the stop file is there',
  ])('does not include: %s', (reason) => {
    expect(starvedReason({ verdict: 'inconclusive', reasons: [reason] })).toBeUndefined();
  });

  test('is ignored if the verdict is decided', () => {
    const reasons = ['the prober was degraded for 3.2 s'];
    expect(starvedReason({ verdict: 'fail', reasons })).toBeUndefined();
  });
});

describe('a refusal of `lab up`', () => {
  const { busyShare, dilation, effectiveCpus, slowProcessStartMs } = labLimits;
  const speed = {
    cpus: 2,
    pressureShare: 0,
    effectiveCpus: 2,
    processStartMs: 1,
    coreWorkMs: 20,
    busyShare: 0.1,
    dilation: 1,
  };

  test('because of other programs is recognized by its own words', () => {
    const { observed } = judgeSpeed({ ...speed, busyShare, dilation }, false);
    expect(busyMachineIn(`this machine cannot run the lab: speed: ${observed}\n  hint: …`)).toBe(observed);
  });

  test('because of a slow machine is not one', () => {
    const slow = { effectiveCpus: effectiveCpus / 2, processStartMs: slowProcessStartMs * 2 };
    const { status, observed } = judgeSpeed({ ...speed, ...slow }, false);
    expect(status).toBe('fail');
    expect(busyMachineIn(observed)).toBeUndefined();
  });
});
