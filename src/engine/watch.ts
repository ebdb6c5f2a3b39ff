import type { Clock } from '../core/clock.ts';
import { probesRead } from '../core/condition.ts';
import { messageOf } from '../core/errors.ts';
import { eventSchemaVersion } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import type { Gate, Plan, PlannedHost, PlannedProbe } from '../core/plan.ts';
import type { DrillDeps } from './run.ts';
import { countCommands } from '../hosts/count-commands.ts';
import { memoizeByHost } from './host-access.ts';
import { startProber } from './prober.ts';
import { startRecording } from './recording.ts';
import type { Timers } from './schedule.ts';
import { createStateObserver, type GateOutcome } from './state-observer.ts';

/** Runs only the plan's probes until the signal aborts, and logs their samples. For drills by hand. */
export async function runWatch(
  plan: Plan,
  deps: Omit<DrillDeps, 'ledger' | 'createServer'>,
  signal: AbortSignal,
): Promise<void> {
  const { log, clock } = deps;
  const broken = new AbortController();
  log.append({
    type: 'run.started',
    schemaVersion: eventSchemaVersion,
    runId: deps.runId,
    wallMs: clock.wallMs(),
    plan,
    versions: deps.versions,
  });
  log.append({ type: 'phase.started', phase: 'watching' });
  const counting = countCommands();
  const recording = await startRecording({
    extensions: plan.extensions,
    probes: plan.probes,
    hosts: plan.hosts.map(({ name }) => name),
    host: memoizeByHost(plan.hosts, (planned) => counting.counted(deps.createHost(planned))),
    commands: () => counting.commands,
    clock,
    log,
    startControl: deps.startControl,
    startPressure: deps.startPressure,
    onBroken: (error) => broken.abort(error),
  });
  const stop = AbortSignal.any([signal, broken.signal, log.broken]);
  if (!stop.aborted) {
    await new Promise<void>((resolve) => {
      stop.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  await recording.stop();
  const cut = [broken.signal, log.broken].find(({ aborted }) => aborted);
  if (cut !== undefined) log.append({ type: 'run.aborted', reason: messageOf(cut.reason), broken: true });
  log.append({ type: 'clock.anchor', wallMs: clock.wallMs() });
  log.append({ type: 'run.ended' });
}

/**
 * The probes that a gate reads: its own, and those of its roles. Other probes would only add load during the
 * wait.
 */
function probesOf(gate: Gate, { probes, roles }: Pick<Plan, 'probes' | 'roles'>): readonly PlannedProbe[] {
  const names = gate.require.flatMap((condition) => {
    const role = condition.role === undefined ? undefined : roles[condition.role];
    return [condition, ...(role === undefined ? [] : [role])].flatMap(probesRead);
  });
  return probes.filter(({ name }) => names.includes(name));
}

/** Waits until a gate's conditions hold, without a log: for the lab's start. Only the gate's probes run. */
export async function awaitGate(
  plan: Pick<Plan, 'extensions' | 'hosts' | 'probes' | 'roles'>,
  gate: Gate,
  deps: { clock: Clock; timers?: Timers; createHost: (host: PlannedHost) => Host },
  signal: AbortSignal,
): Promise<GateOutcome> {
  const observer = createStateObserver(plan, deps.clock);
  const broken = new AbortController();
  const prober = await startProber({
    extensions: plan.extensions,
    probes: probesOf(gate, plan),
    host: memoizeByHost(plan.hosts, deps.createHost),
    clock: deps.clock,
    timers: deps.timers,
    onEvents: (events) => {
      for (const event of events) {
        if (event.type === 'sample') observer.record(event);
        if (event.type === 'sample.dropped') observer.drop(event.probe, event.slot);
      }
    },
    onBroken: (error) => broken.abort(error),
  });
  try {
    return await observer.waitForGate(gate, AbortSignal.any([signal, broken.signal]));
  } finally {
    await prober.stop();
  }
}
