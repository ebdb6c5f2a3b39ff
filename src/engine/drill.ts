import { setMaxListeners } from 'node:events';
import type { Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import { eventSchemaVersion, type NewEvent, type PhaseName } from '../core/event.ts';
import type { FaultContext } from '../core/fault.ts';
import type { Host } from '../core/host.ts';
import type { Plan, PlannedFault, PlannedHost } from '../core/plan.ts';
import { fillPlaceholders, mapStrings } from '../core/placeholders.ts';
import type { AnyFaultKind } from '../faults/catalog.ts';
import { faultKind } from '../faults/catalog.ts';
import type { EventLog } from './event-log.ts';
import { healFault } from './heal.ts';
import type { Ledger, LedgerRecord } from './ledger.ts';
import { hostsOf } from './hosts-of.ts';
import type { Prober } from './prober.ts';
import { startRecording } from './recording.ts';
import { createWorld, type GateOutcome, type World } from './world.ts';

/** How long a fault may take to show its effect after it was acknowledged. */
const effectWithinMs = 30_000;
/** Probes are at their burst interval this long before the fault (guides: both edges sharpen). */
const burstLeadMs = 2000;
/** Without any bad sample after the fault, how long to look before calling it no outage at all. */
const quietLookMs = 15_000;

/** What a drill needs from outside. */
export interface DrillDeps {
  readonly runId: string;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly ledger: Ledger;
  readonly createHost: (host: PlannedHost) => Host;
  readonly versions: { readonly firedrill: string; readonly node: string };
}

/**
 * Runs one drill from the steady-state gate to restored redundancy. Whatever
 * happens – a gate not met, a broken host, an abort – every fault that was
 * injected is healed before this resolves. All that happened is in the log;
 * the verdict is made from it, not here.
 *
 * Resolves also for drills that went wrong; rejects only when the log itself
 * cannot be written.
 */
export async function runDrill(plan: Plan, deps: DrillDeps, signal: AbortSignal): Promise<void> {
  const run = createRun(plan, deps, signal);
  const { log } = deps;
  log.append({
    type: 'run.started',
    schemaVersion: eventSchemaVersion,
    runId: deps.runId,
    wallMs: deps.clock.wallMs(),
    plan,
    versions: deps.versions,
  });
  try {
    await run.probing(async () => {
      try {
        await drill(run);
      } catch (error) {
        log.append({ type: 'run.aborted', reason: reasonOf(error, run.signal) });
      } finally {
        await healAll(run, () => true);
      }
    });
  } catch (error) {
    log.append({ type: 'run.aborted', reason: reasonOf(error, run.signal) });
  }
  log.append({ type: 'clock.anchor', wallMs: deps.clock.wallMs() });
  log.append({ type: 'run.ended' });
}

interface OpenFault {
  readonly record: LedgerRecord;
  readonly kind: AnyFaultKind;
}

interface Run {
  readonly plan: Plan;
  readonly deps: DrillDeps;
  readonly signal: AbortSignal;
  readonly world: World;
  /** Injected and not yet proven healed, in order of injection. */
  readonly open: OpenFault[];
  host(name: string): Host;
  setBurst(on: boolean): void;
  /** Runs `body` with the probes running; stops them after it. */
  probing(body: () => Promise<void>): Promise<void>;
}

function createRun(plan: Plan, deps: DrillDeps, outer: AbortSignal): Run {
  const host = hostsOf(plan.hosts, deps.createHost);
  const world = createWorld(plan, deps.clock);
  const broken = new AbortController();
  const signal = AbortSignal.any([outer, broken.signal]);
  // Every wait of the run listens on this one signal: not a leak.
  setMaxListeners(0, signal);
  let prober: Prober | undefined;
  return {
    plan,
    deps,
    signal,
    world,
    open: [],
    host,
    setBurst(on) {
      prober?.setBurst(on);
      deps.log.append({ type: 'rate.changed', burst: on });
    },
    async probing(body) {
      prober = await startRecording({
        probes: plan.probes,
        host,
        clock: deps.clock,
        log: deps.log,
        onSample: (sample) => world.see(sample),
        onBroken: (error) => broken.abort(error),
        raisePriority: true,
      });
      try {
        await body();
      } finally {
        await prober.stop();
      }
    },
  };
}

async function drill(run: Run): Promise<void> {
  const { plan, world, deps } = run;
  const { log, clock } = deps;

  startPhase(run, 'steady');
  const steady = await world.waitForGate(plan.steady, run.signal);
  logGate(run, 'steady', steady);
  if (!steady.met) return;
  const bursts = plan.probes.some((probe) => probe.burstIntervalMs !== undefined);
  if (bursts) {
    run.setBurst(true);
    // A stack that is not steady under the burst would be blamed for what the probes do to it.
    const burstGate = { ...plan.steady, forMs: burstLeadMs };
    const { met, unmet } = await world.waitForGate(burstGate, run.signal);
    if (!met) {
      logGate(run, 'steady', { met, unmet: unmet.map((what) => `at the burst rate: ${what}`) });
      return;
    }
  }
  for (const [role, condition] of Object.entries(plan.roles)) {
    // Roles that no fault names are recorded where they are clear: checks compare them later.
    try {
      log.append({ type: 'role.resolved', role, host: world.resolveRole(role, condition) });
    } catch (error) {
      if (plan.faults.some((fault) => 'role' in fault.on && fault.on.role === role)) throw error;
    }
  }

  startPhase(run, 'fault');
  const zero = clock.nowMs();
  for (const fault of [...plan.faults].sort((a, b) => a.atMs - b.atMs)) {
    const waitMs = zero + fault.atMs - clock.nowMs();
    if (waitMs > 0) await clock.sleep(waitMs, run.signal);
    if (!(await injectFault(run, fault))) return;
  }

  startPhase(run, 'recovery');
  const back = await awaitRecovery(run);
  if (back.met && plan.recovery.until === 'redundancy') {
    startPhase(run, 'redundancy');
    const whole = await world.waitForGate(plan.redundancy, run.signal);
    logGate(run, 'recovery', whole);
    logGate(run, 'redundancy', whole);
    if (bursts) run.setBurst(false);
    startPhase(run, 'heal');
    return;
  }
  logGate(run, 'recovery', back);
  if (bursts) run.setBurst(false);
  startPhase(run, 'heal');
  await healAll(run, (open) => open.kind.healAfter === 'recovery');
  if (!back.met) return;
  startPhase(run, 'redundancy');
  logGate(run, 'redundancy', await world.waitForGate(plan.redundancy, run.signal));
}

function startPhase(run: Run, phase: PhaseName): void {
  run.deps.log.append({ type: 'phase.started', phase });
}

function logGate(run: Run, gate: 'steady' | 'recovery' | 'redundancy', { met, unmet }: GateOutcome): void {
  run.deps.log.append({ type: 'gate', gate, state: met ? 'met' : 'timeout', unmet });
}

/** Injects one fault and sees its effect; false when there was none. Nothing acts before its undo record is on disk. */
async function injectFault(run: Run, fault: PlannedFault): Promise<boolean> {
  const { log, clock, ledger } = run.deps;
  const kind = faultKind(fault.kind);
  if (kind === undefined) throw new DrillError('harness', `no fault kind ${fault.kind}`);
  const hostName = 'host' in fault.on ? fault.on.host : resolve(run, fault.on.role);
  const planned = run.plan.hosts.find((candidate) => candidate.name === hostName);
  if (planned === undefined) throw new DrillError('harness', `the plan has no host ${hostName}`);
  const ctx: FaultContext = { host: run.host(hostName), clock, signal: run.signal };
  const params = mapStrings(fault.params, (text) => fillPlaceholders(text, planned));

  const before = await kind.before(params, ctx);
  const record: LedgerRecord = {
    version: 1,
    runId: run.deps.runId,
    target: run.plan.target.name,
    faultId: fault.id,
    kind: fault.kind,
    host: planned,
    params,
    before,
    openedAt: new Date(clock.wallMs()).toISOString(),
  };
  ledger.open(record);
  run.open.push({ record, kind });
  const issued = log.append({
    type: 'fault.issued',
    fault: fault.id,
    kind: fault.kind,
    host: hostName,
    params,
  });
  log.sync();
  const issuedMs = clock.nowMs();
  let receipt;
  try {
    receipt = await kind.inject(params, before, ctx);
  } catch (error) {
    log.append({ type: 'fault.failed', fault: fault.id, message: messageOf(error) });
    // Cut off by a stop, not refused by the host: the run says so.
    run.signal.throwIfAborted();
    return false;
  }
  const acked = log.append({ type: 'fault.acked', fault: fault.id, receipt });
  return awaitEffect(run, { record, kind }, ctx, {
    notBeforeMs: Math.max(issued.t, issuedMs),
    ackedMs: acked.t,
  });
}

/** The effect's bounds: after the last look that did not see it, before the first one that did, never later than the acknowledgement. */
async function awaitEffect(
  run: Run,
  { record, kind }: OpenFault,
  ctx: FaultContext,
  times: { notBeforeMs: number; ackedMs: number },
): Promise<boolean> {
  const { clock, log } = run.deps;
  const deadline = clock.nowMs() + effectWithinMs;
  let { notBeforeMs } = times;
  let looks = 0;
  let seen = 'no effect was seen';
  while (clock.nowMs() < deadline) {
    const askedMs = clock.nowMs();
    try {
      looks += 1;
      if (await kind.effect(record.params, record.before, ctx)) {
        // Seen at the first look: it was there when the command came back.
        const notAfterMs = looks === 1 ? times.ackedMs : clock.nowMs();
        log.append({ type: 'fault.effect', fault: record.faultId, notBeforeMs, notAfterMs });
        return true;
      }
      notBeforeMs = askedMs;
      seen = 'no effect was seen';
    } catch (error) {
      // The fault may have taken the way to its host along: not seen is not the same as not there.
      if (!(error instanceof DrillError && error.code === 'host-unreachable')) throw error;
      seen = `the effect could not be looked for: ${error.message}`;
    }
    await clock.sleep(200, run.signal);
  }
  log.append({ type: 'fault.failed', fault: record.faultId, message: `acknowledged, but ${seen}` });
  return false;
}

function resolve(run: Run, role: string): string {
  const condition = run.plan.roles[role];
  if (condition === undefined) throw new DrillError('harness', `the plan has no role ${role}`);
  const host = run.world.resolveRole(role, condition);
  run.deps.log.append({ type: 'role.resolved', role, host });
  return host;
}

/** Waits until the recovery probe has been good long enough after being bad, or never was bad. */
async function awaitRecovery(run: Run): Promise<GateOutcome> {
  const { plan, world, deps } = run;
  const { clock } = deps;
  const start = clock.nowMs();
  const deadline = start + plan.recovery.withinMs;
  const id = plan.probes.find((probe) => probe.name === plan.recovery.probe)?.id ?? plan.recovery.probe;
  let wasBad = false;
  let goodSince: number | undefined;
  let lastSlot = -1;
  while (clock.nowMs() < deadline) {
    const sample = world.fresh(id);
    if (sample === undefined) goodSince = undefined;
    else if (sample.slot !== lastSlot && sample.sendMs >= start - plan.recovery.stableForMs) {
      lastSlot = sample.slot;
      if (sample.status === 'ok') goodSince ??= sample.finishMs;
      else {
        goodSince = undefined;
        if (sample.status === 'fail') wasBad = true;
      }
    }
    const now = clock.nowMs();
    const settled = wasBad || now - start >= quietLookMs;
    if (goodSince !== undefined && settled && now - Math.max(goodSince, start) >= plan.recovery.stableForMs) {
      return { met: true, unmet: [] };
    }
    await world.nextSample(100, run.signal);
  }
  const sample = world.fresh(id);
  const seen =
    sample === undefined
      ? 'no fresh answer'
      : [sample.status, sample.cause, sample.message].filter(Boolean).join(' ');
  return { met: false, unmet: [`${id}: ${seen}`] };
}

/** Heals in reverse order of injection; a heal that fails is recorded and does not keep the others from being tried. */
async function healAll(run: Run, which: (open: OpenFault) => boolean): Promise<void> {
  const { log, ledger, clock } = run.deps;
  // A log that takes no more (full disk) must not keep a fault from being healed: the ledger still knows of it.
  let logFailure: unknown;
  const note = (event: NewEvent): void => {
    try {
      log.append(event);
    } catch (error) {
      logFailure = error;
    }
  };
  for (const open of run.open.toReversed().filter(which)) {
    const { record } = open;
    note({ type: 'heal.started', fault: record.faultId });
    try {
      await healFault(record, run.host(record.host.name), clock);
      ledger.close(record);
      note({ type: 'heal.proven', fault: record.faultId });
      run.open.splice(run.open.indexOf(open), 1);
    } catch (error) {
      note({ type: 'heal.failed', fault: record.faultId, message: messageOf(error) });
    }
  }
  if (logFailure !== undefined) throw logFailure;
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  return messageOf(signal.aborted ? signal.reason : error);
}
