import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLog } from '../analysis/read-log.ts';
import { summarize } from '../analysis/summarize.ts';
import type { DrillEvent } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import { fromPlain } from '../core/testing/plain.ts';
import { watchSafety } from './safety.ts';
import { createStateObserver } from './state-observer.ts';
import { drillOn, FakeMachine, fakePlan } from './testing/fake-machine.ts';
import { simulatedClock } from './testing/simulated-clock.ts';

let folder: string;
let machine: FakeMachine;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firedrill-safety-'));
  machine = new FakeMachine();
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A drill whose service does not recover by itself. */
const lasting = (more: Partial<Plan>): Plan => ({
  ...fakePlan(),
  recovery: { probe: 'web', withinMs: 55_000, stableForMs: 200 },
  ...more,
});
const reasons = (events: readonly DrillEvent[]) =>
  events.flatMap((event) => (event.type === 'run.aborted' ? [event] : []));

describe('a drill is stopped and healed', () => {
  test('when a fault lasts longer than its limit', async () => {
    const { events, open } = await drillOn(machine, folder, lasting({ limits: { faultMs: 1500 } }));
    expect(reasons(events)).toMatchObject([
      { reason: 'fault-1 lasted longer than its limit of 1.5 s (`limits.fault`)' },
    ]);
    expect(machine.commands).toContain('docker start');
    expect(open).toBe(0);
  });

  test('when the outage lasts longer than its limit', async () => {
    const limits = { faultMs: 60_000, outageMs: 600 };
    const { events, open } = await drillOn(machine, folder, lasting({ limits }));
    expect(reasons(events)).toMatchObject([
      { reason: 'web failed for longer than the limit of 600 ms (`limits.outage`)' },
    ]);
    expect(open).toBe(0);
  });

  test('when the outage lasts longer than its limit, which decides a check with a lower limit', async () => {
    const plan = lasting({
      limits: { faultMs: 60_000, outageMs: 3000 },
      checks: [
        { kind: 'rto', name: 'RTO', maxMs: 300 },
        { kind: 'rto', name: 'generous RTO', maxMs: 60_000 },
      ],
    });
    await drillOn(machine, folder, plan);
    const {
      verdict,
      reasons: why,
      checks,
    } = summarize(readLog([readFileSync(join(folder, 'events.ndjson'))]));
    expect(verdict).toBe('fail');
    expect(checks.map(({ status }) => status)).toEqual(['fail', 'inconclusive']);
    expect(why).toContain(
      'the run was cut short: web failed for longer than the limit of 3 s (`limits.outage`)',
    );
  });

  test.each([
    { has: 'a preparation', hostByFault: 'prepare-1', aborted: 0 },
    { has: 'a fault', hostByFault: 'fault-1', aborted: 1 },
  ])('because of an outage only after a fault: here after $has', async ({ hostByFault, aborted }) => {
    const reported: unknown[] = [];
    const clock = simulatedClock();
    const plan = lasting({ limits: { faultMs: 60_000, outageMs: 600 } });
    const over = new AbortController();
    const attempt = fromPlain<Sample>({
      probe: 'web',
      slot: 0,
      dueMs: 0,
      sendMs: 0,
      finishMs: 5000,
      status: 'fail',
    });
    await watchSafety(
      {
        plan,
        observer: { ...createStateObserver(plan, clock), latest: () => attempt },
        activeFaults: [],
        hostByFault: new Map([[hostByFault, 'alpha']]),
        // One check, then the drill is over.
        clock: { ...clock, sleep: () => Promise.resolve(over.abort()) },
        stopFile: undefined,
        abort: (reason) => reported.push(reason),
      },
      over.signal,
    );
    expect(reported).toHaveLength(aborted);
  });

  test('when the stop file exists', async () => {
    const stopFile = join(folder, 'stop');
    const { events, open } = await drillOn(machine, folder, lasting({}), {
      stopFile,
      onEvent: (event) => {
        if (event.type === 'fault.effect') writeFileSync(stopFile, '');
      },
    });
    expect(reasons(events)).toMatchObject([{ reason: `a stop file exists: ${stopFile}` }]);
    expect(open).toBe(0);
  });
});

describe('a fault on the last healthy node', () => {
  const healthy = { probe: 'web' };
  const onAlpha = (plan: Plan): Plan => ({
    ...plan,
    probes: plan.probes.map((probe) => ({ ...probe, id: 'web', host: 'alpha' })),
    healthy,
  });

  test('is refused: nothing is injected', async () => {
    const { events, types } = await drillOn(machine, folder, onAlpha(lasting({})));
    expect(reasons(events)).toMatchObject([
      {
        refused: true,
        reason:
          'a fault on alpha would leave no healthy node: web is ok on alpha only. Start the other node, or set `leavesNoHealthyNode: true` in the scenario if this is intended.',
      },
    ]);
    expect(summarize(readLog([readFileSync(join(folder, 'events.ndjson'))]))).toMatchObject({
      refused: true,
      verdict: 'inconclusive',
    });
    expect(types).not.toContain('fault.issued');
    expect(machine.commands).toEqual([]);
  });

  test('is injected if the scenario allows it', async () => {
    const plan = onAlpha(lasting({ limits: { faultMs: 600 }, leavesNoHealthyNode: true }));
    const { types } = await drillOn(machine, folder, plan);
    expect(types).toContain('fault.effect');
  });
});
