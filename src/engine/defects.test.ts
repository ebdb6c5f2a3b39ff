import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLog } from '../analysis/read-log.ts';
import { summarize } from '../analysis/summarize.ts';
import type { NewEvent } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';
import { runDrill } from './drill.ts';
import { openEventLog } from './event-log.ts';
import { openLedger } from './ledger.ts';
import type { DrillDeps } from './run.ts';
import { FakeMachine, fakePlan } from './testing/fake-machine.ts';
import { repeat, simulatedClock, timersOn, type SimulatedClock } from './testing/simulated-clock.ts';

let folder: string;
let machine: FakeMachine;
let clock: SimulatedClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'defects-'));
  machine = new FakeMachine();
  clock = simulatedClock();
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a drill with a defect: `defect` is called before each event is logged, and may throw. */
async function drillWith(
  plan: Plan,
  defect: (event: NewEvent) => void,
  more: Partial<Pick<DrillDeps, 'startControl' | 'startPressure' | 'createHost'>> = {},
) {
  const path = join(folder, 'events.ndjson');
  const log = openEventLog(path, clock);
  const ledger = openLedger(join(folder, 'ledger'));
  const types: string[] = [];
  const unhealed = await runDrill(
    plan,
    {
      runId: 'r',
      clock,
      timers: timersOn(clock),
      log: {
        ...log,
        append(event) {
          defect(event);
          types.push(event.type);
          return log.append(event);
        },
      },
      ledger,
      createHost: () => machine,
      createServer: () => undefined,
      versions: { firedrill: '0', node: '0' },
      ...more,
    },
    new AbortController().signal,
  );
  log.close();
  // Nothing of the drill waits any longer.
  expect(clock.sleeping()).toBe(0);
  return {
    unhealed,
    open: ledger.list(),
    types,
    text: readFileSync(path, 'utf8'),
    summary: () => summarize(readLog([readFileSync(path)])),
  };
}

/** Throws once, at the first event for which `at` is true. */
function throwOnce(at: (event: NewEvent) => boolean): (event: NewEvent) => void {
  let thrown = false;
  return (event) => {
    if (thrown || !at(event)) return;
    thrown = true;
    throw new TypeError('boom');
  };
}

const isPhase =
  (phase: string) =>
  (event: NewEvent): boolean =>
    event.type === 'phase.started' && event.phase === phase;

/** A fault with a lease longer than any test, with a preparation and a repair. */
function longPlan(): Plan {
  const plan = fakePlan();
  const step = (id: string, params: Plan['faults'][number]['params']): Plan['faults'][number] => ({
    id,
    kind: 'command',
    on: { host: 'alpha' },
    atMs: 0,
    params,
  });
  return {
    ...plan,
    prepare: [step('prepare-1', { run: ['open', 'door'], undo: ['close', 'door'], timeout: 1000 })],
    faults: plan.faults.map((fault) => ({ ...fault, leaseMs: 30_000 })),
    repair: [step('repair-1', { run: ['sweep', 'floor'], timeout: 1000 })],
  };
}

describe('a defect ends the run: everything is healed, and nothing keeps running', () => {
  test.each<[stage: string, at: (event: NewEvent) => boolean, isFaultMade: boolean]>([
    ['the preparations', isPhase('prepare'), false],
    ['the gate', (event) => event.type === 'gate' && event.gate === 'steady', false],
    ['the phase of the fault', isPhase('fault'), false],
    ['the lease', (event) => event.type === 'lease.renewed', false],
    ['the act, before it', (event) => event.type === 'fault.issued' && event.fault === 'fault-1', false],
    ['the act, after it', (event) => event.type === 'fault.acked' && event.fault === 'fault-1', true],
    ['the effect', (event) => event.type === 'fault.effect' && event.fault === 'fault-1', true],
    ['the wait for the recovery', isPhase('recovery'), true],
    ['the end of that wait', (event) => event.type === 'gate' && event.gate === 'recovery', true],
    ['the heal, before it', (event) => event.type === 'heal.started', true],
    ['the heal, after it', (event) => event.type === 'heal.proven', true],
    ['the repair', isPhase('repair'), true],
    ['redundancy', isPhase('redundancy'), true],
  ])('in %s', async (_stage, at, isFaultMade) => {
    const { unhealed, open, summary, types } = await drillWith(longPlan(), throwOnce(at));
    expect(machine.commands.includes('docker stop')).toBe(isFaultMade);
    // The fault is undone, and so is the preparation.
    expect(machine.isUp).toBe(true);
    expect(machine.commands.includes('close door')).toBe(machine.commands.includes('open door'));
    expect([unhealed.length, open.length]).toEqual([0, 0]);
    expect(types.at(-1)).toBe('run.ended');
    expect(summary().reasons.join('\n')).toContain('firedrill broke: boom');
    expect(summary().verdict).toBe('inconclusive');
  });

  test.each<[stage: string, type: NewEvent['type']]>([
    ['of a sample', 'sample'],
    ['of the control', 'control.sample'],
    ['of the pressure', 'machine.pressure'],
  ])('in the handling %s while the fault acts', async (_stage, type) => {
    let acted = false;
    const defect = throwOnce((event) => {
      acted ||= event.type === 'fault.effect' && event.fault === 'fault-1';
      return acted && event.type === type;
    });
    const pressure = {
      machine: 'abc',
      prober: true,
      hosts: [],
      overMs: 1000,
      cpu: { somePct: 3, busyPct: 10, stealPct: 0, runQueue: 1, cores: 2 },
      memory: { somePct: 0, fullPct: 0 },
      io: { somePct: 0, fullPct: 0 },
      targetCpuPct: 4,
      harnessCpuPct: 5,
    };
    // Only the defect ends this wait.
    const plan = { ...longPlan(), recovery: { probe: 'web', withinMs: 280_000, stableForMs: 200 } };
    const { unhealed, open, summary } = await drillWith(plan, defect, {
      startControl: async ({ onSample }) => {
        const stop = repeat(clock, 20, () => onSample({ finishMs: clock.nowMs(), cpuMs: 8, wallMs: 9 }));
        return { pid: 0, stop };
      },
      startPressure: ({ onPressure }) => ({ stop: repeat(clock, 20, () => onPressure(pressure)) }),
    });
    expect([unhealed.length, open.length]).toEqual([0, 0]);
    expect(machine.commands).toContain('docker start');
    expect(summary().verdict).toBe('inconclusive');
    expect(summary().reasons.join('\n')).toMatch(/boom/);
  });

  test('in the watch over the limits: the fault’s host has no instance of the recovery probe', async () => {
    // The heal takes longer than the interval of the limit checks.
    const exec = machine.exec.bind(machine);
    machine.exec = async (argv, options) => {
      if (argv[1] === 'start') await clock.sleep(1000, options.signal);
      return exec(argv, options);
    };
    const plan = longPlan();
    const [probe] = plan.probes;
    const elsewhere = { ...plan, probes: [{ ...probe!, host: 'beta' }] };
    const { unhealed, open, text, types } = await drillWith(
      {
        ...elsewhere,
        limits: { faultMs: 280_000, outageMs: 270_000 },
        recovery: { probe: 'web', onFaultHost: true, withinMs: 280_000, stableForMs: 200 },
      },
      () => {},
    );
    expect([unhealed.length, open.length]).toEqual([0, 0]);
    expect(types.at(-1)).toBe('run.ended');
    expect(types).toContain('run.aborted');
    expect(text).toContain('probe web has no instance on alpha');
  });

  test('while a second fault has not begun and the first one lasts for an hour', async () => {
    const plan = longPlan();
    const [first] = plan.faults;
    const later = { ...first!, id: 'fault-2', atMs: 3_600_000 };
    const long = { ...plan, faults: [{ ...first!, forMs: 3_600_000 }, later] };
    const isEffect = (event: NewEvent): boolean => event.type === 'fault.effect' && event.fault === 'fault-1';
    const { unhealed, summary } = await drillWith(long, throwOnce(isEffect));
    expect(unhealed).toEqual([]);
    expect(summary().reasons.join('\n')).toContain('firedrill broke: boom');
  });

  test('in the log, just before the act: no repair is made for a fault that did not act', async () => {
    const { unhealed, open } = await drillWith(
      longPlan(),
      throwOnce((event) => event.type === 'fault.issued' && event.fault === 'fault-1'),
    );
    expect([unhealed.length, open.length]).toEqual([0, 0]);
    expect(machine.commands).not.toContain('sweep floor');
  });

  test('in a host that throws a TypeError once for each command', async () => {
    const exec = machine.exec.bind(machine);
    const thrown = new Set<string>();
    machine.exec = async (argv, options) => {
      const what = argv.slice(0, 2).join(' ');
      if (!thrown.has(what)) {
        thrown.add(what);
        throw new TypeError(`boom at ${what}`);
      }
      return exec(argv, options);
    };
    const { unhealed, open, summary } = await drillWith({ ...longPlan(), prepare: [], repair: [] }, () => {});
    expect([unhealed.length, open.length]).toEqual([0, 0]);
    expect(summary().verdict).toBe('inconclusive');
    expect(summary().reasons.join('\n')).toMatch(/boom at/);
  });
});
