import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { DrillEvent } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';
import type { Disturbance } from '../extension/conformance/disturbance.ts';
import type { StartControl } from './control.ts';
import type { StartPressure } from './pressure.ts';
import { openLedger } from './ledger.ts';
import { drillOn, FakeMachine, fakePlan, type Outcome } from './testing/fake-machine.ts';
import { repeat } from './testing/simulated-clock.ts';

let folder: string;
let machine: FakeMachine;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drill-'));
  machine = new FakeMachine();
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (plan: Plan, signal?: AbortSignal, onEvent?: (event: DrillEvent) => void): Promise<Outcome> =>
  drillOn(machine, folder, plan, { signal, onEvent });

describe('a drill', () => {
  test('arms the auto-revert timer before the fault, and stops it once the heal is proven', async () => {
    const plan = fakePlan();
    const { open } = await run({
      ...plan,
      faults: plan.faults.map((fault) => ({ ...fault, leaseMs: 30_000 })),
    });
    const steps = machine.commands.filter((command) =>
      /^(systemd-run|systemctl stop|docker st)/.test(command),
    );
    expect(steps).toEqual(['systemd-run --quiet', 'docker stop', 'docker start', 'systemctl stop']);
    expect(open).toBe(0);
  });

  test('goes from gate to fault to effect, heals, and observes restored redundancy', async () => {
    // The service does not recover by itself: the recovery gate times out, and the heal restores the service.
    const { types, events, open } = await run(fakePlan());
    expect(types).toEqual([
      'run.started',
      'phase.started',
      'gate',
      'phase.started',
      'fault.issued',
      'fault.acked',
      'fault.effect',
      'phase.started',
      'gate',
      'phase.started',
      'heal.started',
      'heal.proven',
      'phase.started',
      'gate',
      'run.ended',
    ]);
    expect(events.filter((event) => event.type === 'gate')).toMatchObject([
      { gate: 'steady', state: 'met' },
      { gate: 'recovery', state: 'timeout' },
      { gate: 'redundancy', state: 'met' },
    ]);
    expect(open).toBe(0);
    expect(events[0]).toMatchObject({ type: 'run.started', label: 'v1.3' });
    expect(machine.commands.at(-1)).toBe('docker inspect');
    const cost = events.findLast((event) => event.type === 'harness.cost');
    const samples = events.filter((event) => event.type === 'sample').length;
    // The machine-id is read by a command that the machine does not list.
    expect(cost).toMatchObject({ samples, commands: samples + 1 + machine.commands.length });
  });

  test('writes the undo record before the fault acts', async () => {
    let recordsAtStop = -1;
    const exec = machine.exec.bind(machine);
    machine.exec = async (argv, options) => {
      if (argv[1] === 'stop') recordsAtStop = openLedger(join(folder, 'ledger')).list().length;
      return exec(argv, options);
    };
    await run(fakePlan());
    expect(recordsAtStop).toBe(1);
  });

  test('passes the recovery gate without an outage after `quietForMs`', async () => {
    const { faults, recovery, ...plan } = fakePlan();
    const unfelt = faults.map((fault) => ({
      ...fault,
      kind: 'command',
      params: { run: ['true'], timeout: 1000 },
    }));
    const { events } = await run({
      ...plan,
      faults: unfelt,
      recovery: { ...recovery, withinMs: 45_000, quietForMs: 300 },
    });
    expect(events.filter((event) => event.type === 'gate')).toMatchObject([
      { gate: 'steady', state: 'met' },
      { gate: 'recovery', state: 'met' },
      { gate: 'redundancy', state: 'met' },
    ]);
  });

  /** A control on a machine with this dilation. */
  const controlOf =
    (dilation: number): StartControl =>
    async ({ clock, onSample }) => ({
      pid: 0,
      stop: repeat(clock, 20, () => onSample({ finishMs: clock.nowMs(), cpuMs: 8, wallMs: 8 * dilation })),
    });

  test('injects nothing while its machine is starved, even if the service is up', async () => {
    const plan = {
      ...fakePlan(),
      steady: { require: [{ probe: 'web' }], forMs: 100, withinMs: 600 },
    };
    const { types, events } = await drillOn(machine, folder, plan, { startControl: controlOf(6) });
    expect(types).not.toContain('fault.issued');
    expect(machine.commands).toEqual([]);
    expect(events.findLast((event) => event.type === 'gate')).toMatchObject({
      gate: 'steady',
      state: 'timeout',
      unmet: [
        expect.stringMatching(/^this machine is overloaded: 8 ms of CPU work took 48 ms \(dilation 6\.0 x/),
      ],
    });
  });

  test('runs on a machine that is fit, and logs the control and the pressure', async () => {
    const startPressure: StartPressure = ({ hosts, onPressure }) => {
      onPressure({
        machine: 'abc',
        prober: true,
        hosts,
        overMs: 1000,
        cpu: { somePct: 3, busyPct: 10, stealPct: 0, runQueue: 1, cores: 2 },
        memory: { somePct: 0, fullPct: 0 },
        io: { somePct: 0, fullPct: 0 },
        targetCpuPct: 4,
        harnessCpuPct: 5,
      });
      return { stop: async () => {} };
    };
    const { types, events } = await drillOn(machine, folder, fakePlan(), {
      startControl: controlOf(1.2),
      startPressure,
    });
    expect(types).toContain('heal.proven');
    expect(types).toContain('control.started');
    expect(events).toContainEqual(expect.objectContaining({ type: 'control.sample', cpuMs: 8, wallMs: 9.6 }));
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'machine.pressure', hosts: ['alpha'], targetCpuPct: 4 }),
    );
  });

  test('goes on without a control if it cannot be started, and logs the reason', async () => {
    const startControl: StartControl = async () => {
      throw new DrillError('harness', 'cannot start the control: no more processes');
    };
    const { events, types } = await drillOn(machine, folder, fakePlan(), { startControl });
    expect(types).toContain('heal.proven');
    expect(types).not.toContain('control.started');
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'log',
        level: 'warn',
        text: 'cannot start the control: no more processes',
      }),
    );
  });

  test('injects nothing when the steady state is not reached', async () => {
    await machine.halt();
    const { types, events } = await run({
      ...fakePlan(),
      steady: { require: [{ probe: 'web' }], forMs: 100, withinMs: 2000 },
    });
    expect(types).not.toContain('fault.issued');
    expect(machine.commands).toEqual([]);
    expect(events.findLast((event) => event.type === 'gate')).toMatchObject({
      gate: 'steady',
      state: 'timeout',
      unmet: ['web is ok everywhere (web: fail error)'],
    });
  });

  test('heals a fault that is acknowledged without effect', async () => {
    machine.stopIsIgnored = true;
    const { types, events, open } = await run(fakePlan());
    expect(types).not.toContain('fault.effect');
    expect(types.slice(-4)).toEqual(['fault.failed', 'heal.started', 'heal.proven', 'run.ended']);
    const [acked, failed] = events.filter(({ type }) => type === 'fault.acked' || type === 'fault.failed');
    expect(failed).toMatchObject({ message: 'acknowledged, but no effect was seen' });
    expect(failed!.t - acked!.t).toBeGreaterThanOrEqual(30_000);
    expect(open).toBe(0);
  });

  test('heals when it is stopped in the middle of the outage', async () => {
    const stop = new AbortController();
    const { types, events, open } = await run(fakePlan(), stop.signal, (event) => {
      if (event.type === 'fault.effect') stop.abort(new Error('stopped by SIGINT'));
    });
    expect(types.slice(-4)).toEqual(['run.aborted', 'heal.started', 'heal.proven', 'run.ended']);
    expect(events.find((event) => event.type === 'run.aborted')).toMatchObject({
      reason: 'stopped by SIGINT',
    });
    expect(machine.commands).toContain('docker start');
    expect(open).toBe(0);
  });

  /** The connection to the machine breaks during the stop command, before or after the machine stops. */
  const breakAtStop = (lost: Disturbance): void => {
    machine.disturbance = ([, verb]) => (verb === 'stop' ? lost : undefined);
  };

  test('injects once, and continues after the observed effect, if the connection to the host breaks', async () => {
    breakAtStop('lost after');
    const { types, events, open } = await run(fakePlan());
    expect(types.filter((type) => type.startsWith('fault.'))).toEqual([
      'fault.issued',
      'fault.outcome_unknown',
      'fault.effect',
    ]);
    expect(events.find((event) => event.type === 'fault.outcome_unknown')).toMatchObject({
      fault: 'fault-1',
      message: 'alpha: the answer was lost',
    });
    const [issued, effect] = ['fault.issued', 'fault.effect'].map((type) =>
      events.find((event) => event.type === type),
    );
    // Without an acknowledgement, the first check with effect is the upper bound.
    expect(effect).toMatchObject({ notAfterMs: expect.any(Number) as number });
    if (issued === undefined || effect?.type !== 'fault.effect') throw new Error('no effect');
    expect(effect.notBeforeMs).toBeGreaterThanOrEqual(issued.t);
    const unanswered = events.find((event) => event.type === 'fault.outcome_unknown');
    expect(effect.notAfterMs).toBeGreaterThanOrEqual(unanswered?.t ?? Infinity);
    expect(machine.commands.filter((command) => command === 'docker stop')).toHaveLength(1);
    expect(types.slice(-4)).toEqual(['heal.proven', 'phase.started', 'gate', 'run.ended']);
    expect(open).toBe(0);
  });

  test('injects once if the connection breaks without effect, and heals what may have happened', async () => {
    breakAtStop('lost before');
    const { types, events, open } = await run(fakePlan());
    expect(types).not.toContain('fault.effect');
    expect(types).not.toContain('fault.acked');
    expect(machine.commands.filter((command) => command === 'docker stop')).toHaveLength(1);
    expect(types.slice(-4)).toEqual(['fault.failed', 'heal.started', 'heal.proven', 'run.ended']);
    expect(events.find(({ type }) => type === 'fault.failed')).toMatchObject({
      message: "the fault's outcome is unknown (alpha: the answer was lost), and no effect was seen",
    });
    expect(open).toBe(0);
  });

  test('fails a command without `effect` if it is not acknowledged', async () => {
    machine.disturbance = ([program]) => (program === 'jolt' ? 'lost after' : undefined);
    const { faults, ...plan } = fakePlan();
    const bare = faults.map((fault) => ({
      ...fault,
      kind: 'command',
      params: { run: ['jolt'], timeout: 1000 },
    }));
    const { types, events } = await run({ ...plan, faults: bare });
    expect(types).not.toContain('fault.outcome_unknown');
    expect(events.find((event) => event.type === 'fault.failed')).toMatchObject({
      message: "the fault's outcome is unknown, and it has no `effect` to check: alpha: the answer was lost",
    });
  });

  test('reports the stop if it interrupts the injection, and heals what may have happened', async () => {
    const stop = new AbortController();
    machine.disturbance = ([, verb]) => {
      if (verb !== 'stop') return undefined;
      stop.abort(new Error('stopped by SIGTERM'));
      return 'lost after';
    };
    const { types, events, open } = await run(fakePlan(), stop.signal);
    expect(types.slice(-5)).toEqual([
      'fault.failed',
      'run.aborted',
      'heal.started',
      'heal.proven',
      'run.ended',
    ]);
    expect(events.find((event) => event.type === 'run.aborted')).toMatchObject({
      reason: 'stopped by SIGTERM',
    });
    expect(open).toBe(0);
  });

  test('observes the outage with the probes, between effect and heal', async () => {
    // The heal waits until the outage was observed.
    const seen = Promise.withResolvers<void>();
    machine.startWhen = seen.promise;
    let failures = 0;
    const { events } = await run(fakePlan(), undefined, (event) => {
      if (event.type === 'sample' && event.status === 'fail' && ++failures > 5) seen.resolve();
    });
    const at = (type: DrillEvent['type']): number =>
      events.find((event) => event.type === type)?.t ?? Number.NaN;
    const bad = events.filter((event) => event.type === 'sample' && event.status === 'fail');
    expect(bad.length).toBeGreaterThan(5);
    for (const event of bad) {
      expect(event.t).toBeGreaterThan(at('fault.issued'));
      expect(event).toMatchObject({ cause: 'error' });
    }
    expect(at('fault.effect')).toBeLessThan(at('heal.started'));
  });
});

describe('a drill with preparations and repairs', () => {
  const step = (id: string, params: Plan['faults'][number]['params']): Plan['faults'][number] => ({
    id,
    kind: 'command',
    on: { host: 'alpha' },
    atMs: 0,
    params,
  });
  const withSteps = (): Plan => ({
    ...fakePlan(),
    prepare: [
      step('prepare-1', { run: ['open', 'door'], undo: ['close', 'door'], timeout: 1000 }),
      step('prepare-2', { run: ['light', 'fire'], undo: ['quench', 'fire'], timeout: 1000 }),
    ],
    repair: [step('repair-1', { run: ['sweep', 'floor'], timeout: 1000 })],
  });
  const phasesOf = (events: readonly DrillEvent[]): string[] =>
    events.flatMap((event) => (event.type === 'phase.started' ? [event.phase] : []));
  const done = (): string[] =>
    machine.commands.filter((command) => !['docker inspect', 'sh -c'].includes(command));

  test('prepares first; then heals, undoes the preparations in reverse order, and repairs', async () => {
    const { events, open } = await run(withSteps());
    expect(phasesOf(events)).toEqual([
      'prepare',
      'steady',
      'fault',
      'recovery',
      'heal',
      'undo-preparations',
      'repair',
      'redundancy',
    ]);
    expect(done()).toEqual([
      'open door',
      'light fire',
      'docker stop',
      'docker start',
      'quench fire',
      'close door',
      'sweep floor',
    ]);
    expect(events.findLast((event) => event.type === 'gate')).toMatchObject({
      gate: 'redundancy',
      state: 'met',
    });
    expect(open).toBe(0);
  });

  test('has an undo record for each preparation, and a repair’s record before its fault acts', async () => {
    const records = new Map<string, number>();
    const exec = machine.exec.bind(machine);
    machine.exec = async (argv, options) => {
      records.set(argv.slice(0, 2).join(' '), openLedger(join(folder, 'ledger')).list().length);
      return exec(argv, options);
    };
    await run(withSteps());
    expect(records.get('open door')).toBe(1);
    expect(records.get('light fire')).toBe(2);
    expect(records.get('docker stop')).toBe(4);
    expect(records.get('docker start')).toBe(4);
    expect(records.get('sweep floor')).toBe(1);
  });

  test('heals the fault, undoes the preparations, and repairs when it is stopped', async () => {
    const stop = new AbortController();
    const { events, open } = await run(withSteps(), stop.signal, (event) => {
      if (event.type === 'fault.effect' && event.fault === 'fault-1') stop.abort(new Error('stopped'));
    });
    expect(done()).toEqual([
      'open door',
      'light fire',
      'docker stop',
      'docker start',
      'quench fire',
      'close door',
      'sweep floor',
    ]);
    expect(events.some((event) => event.type === 'run.aborted')).toBe(true);
    expect(open).toBe(0);
  });

  test('injects no fault if a preparation fails, and undoes the earlier preparations', async () => {
    const exec = machine.exec.bind(machine);
    machine.exec = async (argv, options) =>
      argv[0] === 'light' ? { exitCode: 1, stdout: '', stderr: 'no matches' } : exec(argv, options);
    const { events, open } = await run(withSteps());
    expect(done()).toEqual(['open door', 'quench fire', 'close door']);
    expect(events.find((event) => event.type === 'fault.failed')).toMatchObject({ fault: 'prepare-2' });
    expect(phasesOf(events)).toEqual(['prepare']);
    expect(open).toBe(0);
  });

  test('has no pending repair if it is stopped before the fault', async () => {
    const stop = new AbortController();
    const { open } = await run(withSteps(), stop.signal, (event) => {
      if (event.type === 'gate') stop.abort(new Error('stopped'));
    });
    expect(done()).toEqual(['open door', 'light fire', 'quench fire', 'close door']);
    expect(open).toBe(0);
  });

  /** The host refuses the stop command, after it has stopped or without it. */
  const refuseToStop = (stops: boolean): void => {
    const exec = machine.exec.bind(machine);
    machine.exec = async (argv, options) => {
      if (argv[1] !== 'stop') return exec(argv, options);
      machine.stopIsIgnored = !stops;
      await exec(argv, options);
      return { exitCode: 1, stdout: '', stderr: 'cannot stop' };
    };
  };

  test('makes no repair for a fault that its host refused and that did not act', async () => {
    refuseToStop(false);
    const { events, open } = await run(withSteps());
    expect(events.find((event) => event.type === 'fault.failed')).toMatchObject({ fault: 'fault-1' });
    expect(done()).not.toContain('sweep floor');
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'log', text: 'repair-1: not needed: fault-1 was not injected' }),
    );
    expect(open).toBe(0);
  });

  test('makes the repair for a fault that acted, even if its host refused it', async () => {
    refuseToStop(true);
    const { open } = await run(withSteps());
    expect(done().filter((command) => command === 'sweep floor')).toHaveLength(1);
    expect(open).toBe(0);
  });

  test('records the repair as pending from the moment at which the fault may act', async () => {
    const awaiting: (boolean | undefined)[] = [];
    const attempt = (): void =>
      void awaiting.push(
        openLedger(join(folder, 'ledger'))
          .list()
          .find(({ faultId }) => faultId === 'repair-1')?.awaitsFault,
      );
    const exec = machine.exec.bind(machine);
    machine.exec = async (argv, options) => {
      if (argv[1] === 'stop') attempt();
      return exec(argv, options);
    };
    await run(withSteps(), undefined, (event) => {
      if (event.type === 'fault.issued' && event.fault === 'fault-1') attempt();
    });
    expect(awaiting).toEqual([true, undefined]);
  });

  test('leaves a repair to `heal` while a fault is not healed', async () => {
    const exec = machine.exec.bind(machine);
    machine.exec = async (argv, options) => {
      if (argv[0] === 'quench') throw new DrillError('heal-failed', 'another machine');
      return exec(argv, options);
    };
    const { open } = await run(withSteps());
    expect(done()).not.toContain('sweep floor');
    expect(
      openLedger(join(folder, 'ledger'))
        .list()
        .map(({ faultId, repair }) => [faultId, repair]),
    ).toEqual([
      ['prepare-2', undefined],
      ['repair-1', true],
    ]);
    expect(open).toBe(2);
  });

  test('records no repair on a role, because its later host is unknown', async () => {
    const plan = withSteps();
    const repair = plan.repair.map((one) => ({ ...one, on: { role: 'owner' } }));
    const probes = plan.probes.map((probe) => ({ ...probe, host: 'alpha' }));
    let most = 0;
    const exec = machine.exec.bind(machine);
    machine.exec = async (argv, options) => {
      if (argv[1] === 'stop') most = openLedger(join(folder, 'ledger')).list().length;
      return exec(argv, options);
    };
    await run({ ...plan, probes, repair, roles: { owner: { probe: 'web' } } });
    expect(most).toBe(3);
    expect(done()).toContain('sweep floor');
  });

  test('ends if a repair fails, with everything healed and the repair pending', async () => {
    const exec = machine.exec.bind(machine);
    machine.exec = async (argv, options) =>
      argv[0] === 'sweep' ? { exitCode: 1, stdout: '', stderr: 'no broom' } : exec(argv, options);
    const { events, open } = await run(withSteps());
    expect(events.findLast((event) => event.type === 'fault.failed')).toMatchObject({ fault: 'repair-1' });
    expect(phasesOf(events).at(-1)).toBe('repair');
    expect(open).toBe(1);
  });

  /** The host's answer to the repair is lost this many times. */
  const losingAnswers = (times: number): (() => number) => {
    let asked = 0;
    machine.disturbance = ([program]) => (program === 'sweep' && ++asked <= times ? 'lost after' : undefined);
    return () => asked;
  };

  test('does not repeat a repair with a lost answer and without an observable effect', async () => {
    const asked = losingAnswers(1);
    const { events, open } = await run(withSteps());
    expect(events.findLast((event) => event.type === 'fault.failed')).toMatchObject({
      fault: 'repair-1',
      message: "the fault's outcome is unknown, and it has no `effect` to check: alpha: the answer was lost",
    });
    expect([asked(), open]).toEqual([1, 1]);
    expect(openLedger(join(folder, 'ledger')).list()).toMatchObject([
      { faultId: 'repair-1', issued: { before: null } },
    ]);
    expect(events.findLast((event) => event.type === 'log')).toMatchObject({
      level: 'error',
      text: expect.stringContaining('is not repeated: its outcome is unknown') as string,
    });
  });

  test('repeats a repair with a lost answer if it is `repeatable`', async () => {
    const asked = losingAnswers(2);
    const plan = withSteps();
    const repair = plan.repair.map((one) => ({
      ...one,
      params: { run: ['sweep', 'floor'], repeatable: true, timeout: 1000 },
    }));
    const { open } = await run({ ...plan, repair });
    expect([asked(), open]).toEqual([3, 0]);
  });

  test('makes a repair at the end of the run if its host did not answer before', async () => {
    let asked = 0;
    machine.disturbance = ([program]) => (program === 'true' && ++asked < 3 ? 'lost before' : undefined);
    const { open } = await run(withSteps());
    expect(done().filter((command) => command === 'sweep floor')).toHaveLength(1);
    expect([asked, open]).toEqual([3, 0]);
  });

  test('heals a fault with its own duration during the run, and counts a recovery after it', async () => {
    const base = fakePlan();
    const plan = {
      ...base,
      faults: base.faults.map((fault) => ({ ...fault, forMs: 300 })),
      recovery: { ...base.recovery, withinMs: 45_000 },
    };
    const { types, events, open } = await run(plan);
    const gate = events.findIndex((event) => event.type === 'gate' && event.gate === 'recovery');
    expect(events[gate]).toMatchObject({ state: 'met' });
    expect(events.findIndex((event) => event.type === 'heal.proven')).toBeLessThan(gate);
    expect(types.filter((type) => type === 'heal.started')).toHaveLength(1);
    expect(open).toBe(0);
  });
});
