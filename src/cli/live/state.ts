import { controlHealth, type ControlHealth, type ControlSample } from '../../core/control.ts';
import type { DrillEvent, MachinePressure, PhaseName } from '../../core/event.ts';
import { isFresh } from '../../core/freshness.ts';
import type { FaultId, HostName, ProbeId, RoleName } from '../../core/ids.ts';
import type { Gate, Plan, PlannedFault } from '../../core/plan.ts';
import type { Sample } from '../../core/sample.ts';
import { type ObservedState, unmetConditions, withoutPower } from '../../core/observed-state.ts';
import { faultFacts } from '../../extension/facts.ts';
import { controlSamples } from '../../core/starvation-limits.ts';
import { distantFuture, type DurationMs, type RunMs, runMs } from '../../core/time.ts';

/** State of a drill for the live view. Times are offsets on the run clock, ms. */
export interface LiveState {
  readonly plan: Plan | undefined;
  readonly startedMs: RunMs;
  /** In order of their start; the last one is running. */
  readonly phases: readonly LivePhase[];
  readonly probes: ReadonlyMap<ProbeId, ProbeHistory>;
  /** Issued faults, preparations, and repairs by id. */
  readonly steps: ReadonlyMap<FaultId, StepState>;
  /** For each fault id, the time at which the fault's host undoes it by itself. */
  readonly leases: ReadonlyMap<FaultId, RunMs>;
  /** The host of each role when it was first resolved. */
  readonly resolved: ReadonlyMap<RoleName, HostName>;
  readonly wait: GateWait | undefined;
  readonly outage: LiveOutage | undefined;
  /** The last samples of the control on the prober's machine. */
  readonly control: { readonly sinceMs: RunMs; readonly recent: readonly ControlSample[] } | undefined;
  /** The last reading of each machine, by its id. */
  readonly machines: ReadonlyMap<string, MachinePressure>;
  readonly burst: boolean;
  readonly aborted: string | undefined;
}

/** A phase of the drill. */
export interface LivePhase {
  readonly name: PhaseName;
  readonly sinceMs: RunMs;
  /** Absent while the phase is running. */
  readonly endMs?: RunMs;
  /** The phase's gate was not met, or a step in it failed. */
  readonly failed?: true;
}

/** A fault, preparation, or repair. A time is absent until its event. */
export interface StepState {
  readonly kind: string;
  readonly host: HostName;
  readonly issuedMs: RunMs;
  readonly ackedMs?: RunMs;
  readonly effectMs?: RunMs;
  readonly healingMs?: RunMs;
  readonly healedMs?: RunMs;
  readonly failed?: true;
}

/** A gate that the drill waits for. */
export interface GateWait {
  readonly gate: Gate;
  readonly sinceMs: RunMs;
  /** Start of the time in which all conditions hold; absent while they do not. */
  readonly heldSinceMs?: RunMs;
}

/** One sample of a sparkline. */
export interface LiveSample {
  readonly status: Sample['status'];
  readonly latencyMs: DurationMs;
}

/** Samples of one probe. */
export interface ProbeHistory {
  readonly last: Sample;
  /** Oldest first, at most `keptSamples`. */
  readonly samples: readonly LiveSample[];
  /** Send time of the first failed sample after the last good one; absent if the last one is good. */
  readonly badSinceMs?: RunMs;
  /** Answer time of the first good sample after the last failed one; absent if the last one failed. */
  readonly goodSinceMs?: RunMs;
}

/** The outage of the recovery probe since the first fault. */
export interface LiveOutage {
  readonly probe: ProbeId;
  /** Send time of the first failed sample. */
  readonly firstMs: RunMs;
  /** Answer time of the first good sample after that. */
  readonly firstSignMs?: RunMs;
  /** Number of outages, including the present one. */
  readonly times: number;
  /** Total duration of the ended outages. */
  readonly downMs: DurationMs;
  /** Start of the present outage; absent while the service is up. */
  readonly sinceMs?: RunMs;
}

/** Samples that are kept per probe: more than a wide terminal has columns for. */
const keptSamples = 240;

/** The state before the first event. */
export const nothingYet: LiveState = {
  plan: undefined,
  startedMs: runMs(0),
  phases: [],
  probes: new Map(),
  steps: new Map(),
  leases: new Map(),
  resolved: new Map(),
  wait: undefined,
  outage: undefined,
  control: undefined,
  machines: new Map(),
  burst: false,
  aborted: undefined,
};

/** The state after an event. */
export function reduce(state: LiveState, event: DrillEvent): LiveState {
  switch (event.type) {
    case 'run.started':
      return { ...nothingYet, plan: event.plan, startedMs: event.t };
    case 'phase.started':
      return startPhase(state, event.phase, event.t);
    case 'gate':
      return endWait(state, event.state === 'met');
    case 'control.started':
      return { ...state, control: { sinceMs: event.t, recent: state.control?.recent ?? [] } };
    case 'control.sample':
      return takeControl(state, event);
    case 'machine.pressure':
      return { ...state, machines: new Map(state.machines).set(event.machine, event) };
    case 'rate.changed':
      return { ...state, burst: event.burst };
    case 'role.resolved':
      return state.resolved.has(event.role)
        ? state
        : { ...state, resolved: new Map(state.resolved).set(event.role, event.host) };
    case 'sample':
      return takeSample(state, event);
    case 'fault.issued':
      return setStep(state, event.fault, { kind: event.kind, host: event.host, issuedMs: event.t });
    case 'lease.renewed':
      return { ...state, leases: new Map(state.leases).set(event.fault, event.untilMs) };
    case 'fault.acked':
      return addToStep(state, event.fault, { ackedMs: event.t });
    case 'fault.effect':
      return addToStep(state, event.fault, { effectMs: event.t });
    case 'heal.started':
      return addToStep(state, event.fault, { healingMs: event.t });
    case 'heal.proven':
      return addToStep(state, event.fault, { healedMs: event.t });
    case 'fault.failed':
    case 'heal.failed':
      return failPhase(addToStep(state, event.fault, { failed: true }));
    case 'run.aborted':
      return failPhase({ ...state, aborted: event.reason, wait: undefined });
    case 'run.ended':
      return { ...state, phases: ended(state.phases, event.t), wait: undefined };
    case 'control_probe.started':
    case 'clock.anchor':
    case 'clock.stepped':
    case 'fault.outcome_unknown':
    case 'harness.cost':
    case 'heal.attempted':
    case 'log':
    case 'mark':
    case 'prober.health':
    case 'row.written':
    case 'rows.read':
    case 'sample.dropped':
      return state;
  }
}

/** The observed state at `nowMs`. */
export function seenAt(
  { probes, steps }: Pick<LiveState, 'probes' | 'steps'>,
  plan: Plan,
  nowMs: RunMs,
): ObservedState {
  const off = new Set(
    [...steps.values()].filter((step) => hasTakenPower(plan, step)).map(({ host }) => host),
  );
  return {
    probes: plan.probes,
    roles: plan.roles,
    latest(id) {
      const planned = plan.probes.find((probe) => probe.id === id);
      const last = probes.get(id)?.last;
      if (planned === undefined || last === undefined || !isFresh(planned, last, nowMs)) return undefined;
      return planned.host !== undefined && off.has(planned.host) ? withoutPower(last) : last;
    },
  };
}

/** Whether a step has switched its host off. Kinds that need a power switch or a cloud do so, until their heal begins. */
function hasTakenPower(plan: Plan, { kind, effectMs, healingMs }: StepState): boolean {
  return effectMs !== undefined && healingMs === undefined && faultFacts(plan, kind).takesPower === true;
}

/** The phases of the plan's drill in order, if no step fails. */
export function plannedPhases(plan: Plan): PhaseName[] {
  const early = plan.recovery.until === 'redundancy';
  const parts: [PhaseName, boolean][] = [
    ['prepare', plan.prepare.length > 0],
    ['steady', true],
    ['fault', true],
    ['recovery', true],
    ['redundancy', early],
    ['heal', true],
    ['undo-preparations', plan.prepare.length > 0],
    ['repair', plan.repair.length > 0],
    ['redundancy', !early],
    ['read-back', plan.writers.length > 0],
  ];
  return parts.flatMap(([name, there]) => (there ? [name] : []));
}

/** The instance that measures the outage; undefined while it depends on a fault that has not been issued. */
export function recoveryProbeId({ plan, steps }: Pick<LiveState, 'plan' | 'steps'>): ProbeId | undefined {
  if (plan === undefined) return undefined;
  const host = steps.get(plan.faults[0]?.id ?? '')?.host;
  return plan.probes.find(
    ({ name, host: own }) =>
      name === plan.recovery.probe &&
      (plan.recovery.onFaultHost !== true || (host !== undefined && own === host)),
  )?.id;
}

function startPhase(state: LiveState, name: PhaseName, t: RunMs): LiveState {
  const { plan } = state;
  const gate = name === 'steady' ? plan?.steady : name === 'redundancy' ? plan?.redundancy : undefined;
  return {
    ...state,
    phases: [...ended(state.phases, t), { name, sinceMs: t }],
    wait: gate === undefined ? undefined : { gate, sinceMs: t },
  };
}

function ended(phases: readonly LivePhase[], t: RunMs): readonly LivePhase[] {
  return phases.map((phase) => (phase.endMs === undefined ? { ...phase, endMs: t } : phase));
}

function endWait(state: LiveState, met: boolean): LiveState {
  const over = { ...state, wait: undefined };
  return met ? over : failPhase(over);
}

function failPhase(state: LiveState): LiveState {
  const last = state.phases.at(-1);
  return last === undefined
    ? state
    : { ...state, phases: [...state.phases.slice(0, -1), { ...last, failed: true }] };
}

function setStep(state: LiveState, id: string, step: StepState): LiveState {
  return { ...state, steps: new Map(state.steps).set(id, step) };
}

function addToStep(state: LiveState, id: string, more: Partial<StepState>): LiveState {
  const step = state.steps.get(id);
  return step === undefined ? state : setStep(state, id, { ...step, ...more });
}

function takeSample(state: LiveState, sample: Sample): LiveState {
  const before = state.probes.get(sample.probe);
  // Answers can arrive out of order. The sample of the later slot is the newer one.
  if (before !== undefined && before.last.slot > sample.slot) return state;
  const status =
    sample.status === 'fail' && hidesFailures(state, sample.finishMs) ? 'unknown' : sample.status;
  const history: ProbeHistory = {
    last: sample,
    samples: [
      ...(before?.samples ?? []).slice(1 - keptSamples),
      { status, latencyMs: sample.finishMs - sample.sendMs },
    ],
    ...sinceOf(before, status, sample),
  };
  const next = { ...state, probes: new Map(state.probes).set(sample.probe, history) };
  return holdWait(
    sample.probe === recoveryProbeId(state) ? recordOutage(next, status, sample) : next,
    sample.finishMs,
  );
}

function takeControl(state: LiveState, { finishMs, wallMs, cpuMs }: ControlSample): LiveState {
  const { sinceMs = finishMs, recent = [] } = state.control ?? {};
  return {
    ...state,
    control: { sinceMs, recent: [...recent.slice(1 - controlSamples), { finishMs, wallMs, cpuMs }] },
  };
}

/** The health of the control at a moment; undefined without a control. */
export function controlAt({ control }: Pick<LiveState, 'control'>, nowMs: RunMs): ControlHealth | undefined {
  return control === undefined ? undefined : controlHealth(control.recent, nowMs, control.sinceMs);
}

/** Whether failed samples may be caused by the prober's own machine. False if the target runs on that machine. */
export function hidesFailures(state: Pick<LiveState, 'control' | 'machines'>, nowMs: RunMs): boolean {
  const carriesTarget = [...state.machines.values()].some((m) => m.prober && m.hosts.length > 0);
  return !carriesTarget && (controlAt(state, nowMs)?.state ?? 'ok') !== 'ok';
}

function sinceOf(
  before: ProbeHistory | undefined,
  status: LiveSample['status'],
  { sendMs, finishMs }: Sample,
): Pick<ProbeHistory, 'badSinceMs' | 'goodSinceMs'> {
  if (status === 'fail') return { badSinceMs: before?.badSinceMs ?? sendMs };
  if (status === 'ok') return { goodSinceMs: before?.goodSinceMs ?? finishMs };
  const { badSinceMs, goodSinceMs } = before ?? {};
  return {
    ...(badSinceMs === undefined ? {} : { badSinceMs }),
    ...(goodSinceMs === undefined ? {} : { goodSinceMs }),
  };
}

/** Updates the outage, from the issue of the first fault on. An unknown sample changes nothing. */
function recordOutage(
  state: LiveState,
  status: LiveSample['status'],
  { probe, sendMs, finishMs }: Sample,
): LiveState {
  const { outage, plan, steps } = state;
  if (status === 'unknown' || !hasBegun(plan?.faults ?? [], steps, sendMs)) return state;
  if (status === 'fail') {
    if (outage === undefined)
      return { ...state, outage: { probe, firstMs: sendMs, sinceMs: sendMs, times: 1, downMs: 0 } };
    if (outage.sinceMs !== undefined) return state;
    return { ...state, outage: { ...outage, sinceMs: sendMs, times: outage.times + 1 } };
  }
  if (outage?.sinceMs === undefined) return state;
  const { sinceMs, ...rest } = outage;
  const back = {
    ...rest,
    downMs: rest.downMs + finishMs - sinceMs,
    firstSignMs: rest.firstSignMs ?? finishMs,
  };
  return { ...state, outage: back };
}

function hasBegun(faults: readonly PlannedFault[], steps: LiveState['steps'], atMs: RunMs): boolean {
  return faults.some(({ id }) => (steps.get(id)?.issuedMs ?? distantFuture) <= atMs);
}

function holdWait(state: LiveState, nowMs: RunMs): LiveState {
  const { wait, plan } = state;
  if (wait === undefined || plan === undefined) return state;
  const holds = unmetConditions(wait.gate.require, seenAt(state, plan, nowMs)).length === 0;
  if (holds === (wait.heldSinceMs !== undefined)) return state;
  const { gate, sinceMs } = wait;
  return { ...state, wait: { gate, sinceMs, ...(holds ? { heldSinceMs: nowMs } : {}) } };
}
