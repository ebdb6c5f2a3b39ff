import { roundMs } from '../../../src/core/clock.ts';
import {
  type DrillEvent,
  eventSchemaVersion,
  type NewEvent,
  type PhaseName,
} from '../../../src/core/event.ts';
import type { Plan, PlannedFault } from '../../../src/core/plan.ts';
import { runMs, wallMs } from '../../../src/core/time.ts';
import { awaitRecovery, type Recovering } from '../../../src/engine/await-recovery.ts';
import type { WriterKind } from '../../../src/core/writer.ts';
import { type RowWriters, startRowWriters } from '../../../src/engine/row-writers.ts';
import { builtInKinds } from '../../../src/extension/kinds.ts';
import { logGate } from '../../../src/engine/gate-log.ts';
import {
  followSteadyState,
  hasBurst,
  type SteadyRun,
  type SteadyState,
} from '../../../src/engine/steady-state.ts';
import {
  createStateObserver,
  type GateOutcome,
  type StateObserver,
} from '../../../src/engine/state-observer.ts';
import type { DrillScript, FaultScript, Stage, Step } from './drill-script.ts';
import type { KnownFault, KnownRun } from './known-run.ts';
import { planOf } from './plan-text.ts';
import { type SimulatedProber, startSimulatedProber } from './prober.ts';

/** Wall time at the run's start: 2026-03-01T10:00:00.000Z. */
const startWallMs = Date.UTC(2026, 2, 1, 10);

/** A simulated run: the events of its log, and the truth. */
export interface SimulatedRun {
  /** All events except `run.started`, which contains the plan. */
  readonly events: readonly DrillEvent[];
  readonly known: KnownRun;
}

/** A drill in progress. */
interface Running {
  readonly plan: Plan;
  readonly script: DrillScript;
  readonly stage: Stage;
  readonly observer: StateObserver;
  readonly prober: SimulatedProber;
  readonly hostByFault: Map<string, string>;
  readonly signal: AbortSignal;
  readonly append: (event: NewEvent) => DrillEvent;
  /** undefined until the writers start. */
  writing?: RowWriters;
  readonly faults: Map<string, { -readonly [K in keyof KnownFault]: KnownFault[K] }>;
}

/** Runs a drill on simulated time. The schedule, the gates, and the wait for the recovery are those of the engine. */
export async function runDrill(script: DrillScript, stage: Stage): Promise<SimulatedRun> {
  const { time } = stage;
  const planned = planOf(script.target, script.scenario, script.someChecks ?? []);
  const plan = script.watchMs === undefined ? planned : watchPlan(planned);
  const events: DrillEvent[] = [];
  const append = (event: NewEvent): DrillEvent => {
    const stamped = { t: roundMs(time.nowMs()), ...event };
    events.push(stamped);
    return stamped;
  };
  const observer = createStateObserver(plan, time.clock);
  const probed = plan.probes.map((probe) => ({ probe, ...script.probed(probe.id) }));
  const prober = startSimulatedProber({
    time,
    probed,
    stalls: stage.stalls,
    onEvent: (event) => {
      append(event);
      if (event.type === 'sample.dropped') observer.drop(event.probe, event.slot);
    },
    onSample: (sample, isLogged) => {
      if (isLogged) append({ type: 'sample', ...sample });
      observer.record(sample);
    },
  });
  const running: Running = {
    plan,
    script,
    stage,
    observer,
    prober,
    hostByFault: new Map(),
    signal: new AbortController().signal,
    append,
    faults: new Map(),
  };
  schedule(running, script.background ?? []);
  await time.until(script.watchMs === undefined ? drill(running) : watch(running, script.watchMs));
  prober.stop();
  const { t: endMs } = append({ type: 'run.ended' });
  return {
    events,
    known: {
      plan,
      faults: [...running.faults.values()],
      changes: new Map(probed.map(({ probe, service }) => [probe.id, service.changes])),
      sent: prober.sent,
      gates: events.flatMap((e) =>
        e.type === 'gate' ? [{ gate: e.gate, t: e.t, isMet: e.state === 'met' }] : [],
      ),
      endMs,
    },
  };
}

/** The first event of the log. */
export function runStarted(plan: Plan, seed: number): DrillEvent {
  return {
    t: runMs(0),
    type: 'run.started',
    schemaVersion: eventSchemaVersion,
    runId: `truth-${seed}`,
    wallMs: wallMs(startWallMs),
    plan,
    versions: { firedrill: '0.1.0', node: '24.0.0' },
  };
}

export { startWallMs };

/** The wait for the recovery. It can depend on the end of all faults with a duration. */
const waitForRecovery: (run: Recovering, timeline: { readonly isOver: boolean }) => Promise<GateOutcome> =
  awaitRecovery;

/** The same phases as in src/engine/drill.ts. The faults are steps of the script. */
async function drill(running: Running): Promise<void> {
  const { plan, observer, stage, script, signal } = running;
  const { clock } = stage.time;
  const run = runOf(running);
  startPhase(running, 'steady');
  const steady = followSteadyState(run);
  if (!(await steady.accessTo())) return;
  startPhase(running, 'fault');
  const plays = plan.faults.map((fault) => playFault(running, fault, steady));
  const injected = await Promise.all(plays.map((play) => play.injected));
  if (!injected.every(Boolean)) return;
  startPhase(running, 'recovery');
  const timeline = { isOver: false };
  const over = (async () => {
    await Promise.all(plays.map((play) => play.over));
    timeline.isOver = true;
  })();
  const back = await waitForRecovery(
    { plan, clock, observer, hostByFault: running.hostByFault, signal },
    timeline,
  );
  const whole =
    back.met && plan.recovery.until === 'redundancy' ? await restoredRedundancy(running) : undefined;
  logGate(run, 'recovery', whole ?? back);
  if (whole !== undefined) logGate(run, 'redundancy', whole);
  if (hasBurst(plan)) run.setBurst(false);
  await over;
  await running.writing?.readBack('before-heal');
  startPhase(running, 'heal');
  for (const fault of plan.faults.toReversed())
    if (fault.forMs === undefined) await heal(running, scriptOf(running, fault.id));
  if (whole === undefined) logGate(run, 'redundancy', await restoredRedundancy(running));
  await clock.sleep(script.tailMs, signal);
  const { writing } = running;
  if (writing === undefined) return;
  startPhase(running, 'read-back');
  await writing.stop();
  await writing.readBack('end');
  await writing.remove();
}

function restoredRedundancy(running: Running): Promise<GateOutcome> {
  startPhase(running, 'redundancy');
  return running.observer.waitForGate(running.plan.redundancy, running.signal);
}

/** A plan without faults and gates, as src/cli/commands/watch.ts makes it. */
function watchPlan(plan: Plan): Plan {
  const never = { require: [], forMs: 0, withinMs: 0 };
  const recovery = { probe: plan.recovery.probe, withinMs: 0, stableForMs: 0 };
  return {
    ...plan,
    steady: never,
    redundancy: never,
    recovery,
    faults: [],
    checks: [],
    stages: [],
    returnStages: [],
  };
}

async function watch(running: Running, forMs: number): Promise<void> {
  startPhase(running, 'watching');
  await running.stage.time.clock.sleep(forMs, running.signal);
}

/** The part of the engine's run that the steady state and the gates use. */
function runOf(running: Running): SteadyRun {
  const { plan, observer, signal, stage, prober, append } = running;
  return {
    plan,
    kinds: builtInKinds,
    observer,
    signal,
    clock: stage.time.clock,
    log: { append },
    setBurst: (on: boolean) => {
      prober.setBurst(on);
      append({ type: 'rate.changed', burst: on });
    },
    startWriting: async () => {
      const kind = running.script.writerKind;
      if (kind !== undefined) running.writing = await startWriting(running, kind);
    },
    get writing() {
      return running.writing;
    },
  };
}

function startWriting(
  { plan, script, stage, append, signal }: Running,
  kind: WriterKind<unknown>,
): Promise<RowWriters> {
  return startRowWriters({
    writers: plan.writers,
    kindOf: () => kind,
    runId: 'truth',
    clock: stage.time.clock,
    log: {
      append: (event) =>
        event.type === 'row.written' && script.losesLine?.() === true
          ? { t: roundMs(stage.time.nowMs()), ...event }
          : append(event),
    },
    readText: () => Promise.reject(new Error('there are no files')),
    resolveName: async () => [],
    env: () => undefined,
    signal,
  });
}

function startPhase({ append }: Running, phase: PhaseName): void {
  append({ type: 'phase.started', phase });
}

function scriptOf({ script }: Running, id: string): FaultScript {
  const found = script.faults.find((fault) => fault.id === id);
  if (found === undefined) throw new Error(`the script has no fault ${id}`);
  return found;
}

/** Schedules steps relative to now. Returns a function that cancels all pending steps. */
function schedule({ stage }: Pick<Running, 'stage'>, steps: readonly Step[]): () => void {
  const { time } = stage;
  const cancels = steps.map(({ afterMs, act }) => time.at(time.nowMs() + afterMs, act));
  return () => {
    for (const cancel of cancels) cancel();
  };
}

/** Cancels the pending effects of a fault; the key is the fault. */
const pendingEffects = new WeakMap<FaultScript, () => void>();

function playFault(
  running: Running,
  fault: PlannedFault,
  steady: SteadyState,
): { readonly injected: Promise<boolean>; readonly over: Promise<void> } {
  const { signal, stage, append } = running;
  const { clock } = stage.time;
  const script = scriptOf(running, fault.id);
  const injected = (async () => {
    await clock.sleep(fault.atMs, signal);
    while (running.script.actsUnobserved !== true && !steady.isHeld()) {
      if (!(await steady.regain())) return false;
      await clock.sleep(fault.atMs, signal);
    }
    steady.end();
    const host = 'host' in fault.on ? fault.on.host : 'node-1';
    running.hostByFault.set(fault.id, host);
    const { id, kind, params, forMs } = fault;
    const { t: issuedMs } = append({ type: 'fault.issued', fault: id, kind, host, params });
    await clock.sleep(script.actsAfterMs, signal);
    pendingEffects.set(script, schedule(running, script.effects));
    running.faults.set(id, {
      id,
      issuedMs,
      effectMs: clock.nowMs(),
      forMs,
      healStartedMs: undefined,
      healedMs: undefined,
    });
    await clock.sleep(script.acknowledgedAfterMs, signal);
    const { t: ackedMs } = append({ type: 'fault.acked', fault: id, receipt: null });
    append({ type: 'fault.effect', fault: id, notBeforeMs: issuedMs, notAfterMs: ackedMs });
    return true;
  })();
  const over = (async () => {
    if (!(await injected)) return;
    if (fault.forMs === undefined) return;
    await clock.sleep(fault.forMs, signal);
    await heal(running, script);
  })();
  return { injected, over };
}

async function heal(running: Running, script: FaultScript): Promise<void> {
  const { append, faults, signal, stage } = running;
  const known = faults.get(script.id);
  const { t: startedMs } = append({ type: 'heal.started', fault: script.id });
  pendingEffects.get(script)?.();
  schedule(running, script.heals);
  await stage.time.clock.sleep(script.healTakesMs, signal);
  const { t: healedMs } = append({ type: 'heal.proven', fault: script.id });
  if (known !== undefined) Object.assign(known, { healStartedMs: startedMs, healedMs });
}
