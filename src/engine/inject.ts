import { DrillError, isUnreachable, messageOf } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import type { HostName, RoleName } from '../core/ids.ts';
import { addressNames, fillAddresses, fillPlaceholders, mapStrings } from '../core/placeholders.ts';
import type { AnyFaultKind } from '../core/kinds.ts';
import type { Json, PlannedFault, PlannedHost } from '../core/plan.ts';
import type { LedgerRecord } from './ledger.ts';
import { armLease, endLease, leaseFor } from './leases.ts';
import { machineOf } from './machine.ts';
import { plannedHost } from './host-access.ts';
import { closeRecord, recordOf } from './records.ts';
import {
  actsOnceUnobserved,
  callForRepairs,
  callOffRepairs,
  effectWithinMs,
  markRepair,
  requireAnswer,
  settleRepair,
} from './repair.ts';
import type { OpenFault, RunState } from './run-state.ts';
import { refuseLastHealthyNode } from './safety.ts';
import type { SteadyState } from './steady-state.ts';
import { later, latest, type RunMs } from '../core/time.ts';

/**
 * Longest wait until a role matches exactly one host, ms. Probes start just before preparations, and a heal
 * can move roles.
 */
const roleWithinMs = 30_000;

/** The part of a run that resolving a step needs. */
type ResolveContext = Pick<
  RunState,
  'plan' | 'kinds' | 'clock' | 'log' | 'signal' | 'observer' | 'hostByFault' | 'accessTo'
>;

/** A step with its host and parameters resolved. */
interface ResolvedStep {
  readonly kind: AnyFaultKind;
  readonly planned: PlannedHost;
  readonly params: Json;
  readonly ctx: FaultContext;
}

/** The part of a run that running a step needs. */
type Acting = ResolveContext & Pick<RunState, 'ledger' | 'pendingRepairs' | 'acted' | 'unanswered'>;

/** The part of a run that injecting a fault needs. */
export type Injecting = Acting & Pick<RunState, 'runId' | 'activeFaults' | 'off' | 'releaseLease'>;

/**
 * Result of a step. `effect`: its effect was observed. `failed`: it failed or had no effect. `not-steady`:
 * the steady state was lost, so it did not act.
 */
export type Injection = 'effect' | 'failed' | 'not-steady';

/**
 * Injects a fault or preparation and observes its effect. Nothing acts before its undo record and its
 * `fault.issued` event are on disk. With `steady`, nothing acts unless the steady state holds when
 * `fault.issued` is written. If it does not hold, the undo record, lease, and repairs are withdrawn.
 */
export async function injectFault(
  run: Injecting,
  fault: PlannedFault,
  steady?: Pick<SteadyState, 'isHeld' | 'end'>,
): Promise<Injection> {
  const { clock, log, ledger } = run;
  const resolved = await resolveStep(run, fault);
  const { kind, planned, params, ctx } = resolved;
  refuseLastHealthyNode(run, fault, planned.name);
  const before = await kind.before(params, ctx);
  const undo = kind.undo?.(params, before);
  const lease = await leaseFor(ctx, undo, fault.leaseMs);
  if (undo !== undefined && fault.leaseMs !== undefined && lease === undefined)
    noteNoLease(run, fault, planned);
  const machine = await machineOf(ctx);
  if (steady?.isHeld() === false) return 'not-steady';
  const record = recordOf(run, fault, {
    host: planned,
    params,
    before,
    ...(undo === undefined ? {} : { undo }),
    ...(lease === undefined ? {} : { lease }),
    ...extensionOf(run, kind, params),
    ...(machine === undefined ? {} : { machine }),
  });
  ledger.open(record);
  const opened: OpenFault = { record, kind, sinceMs: clock.nowMs() };
  run.activeFaults.push(opened);
  await addPendingRepairs(run, record);
  try {
    const untilMs = await armLease(ctx, record);
    if (untilMs !== undefined) log.append({ type: 'lease.renewed', fault: fault.id, untilMs });
  } catch (error) {
    log.append({ type: 'fault.failed', fault: fault.id, message: messageOf(error) });
    run.signal.throwIfAborted();
    if (!(error instanceof DrillError)) throw error;
    return 'failed';
  }
  if (steady?.isHeld() === false) {
    await withdraw(run, opened, ctx);
    return 'not-steady';
  }
  steady?.end();
  const times = await act(run, fault, resolved, before);
  const seen = times !== undefined && (await awaitEffect(run, fault, { ...resolved, before }, times));
  if (seen) opened.effectSeen = true;
  // Fault kinds that need a machine's power switch or its cloud change its power.
  if (seen && kind.needs !== undefined) run.off.add(planned.name);
  return seen ? 'effect' : 'failed';
}

/**
 * Withdraws a fault that does not act: its timer, its repairs, and its undo record. @throws DrillError if the
 * timer cannot be removed; the record stays open then
 */
async function withdraw(
  run: Pick<RunState, 'ledger' | 'log' | 'activeFaults' | 'pendingRepairs' | 'releaseLease'>,
  opened: OpenFault,
  ctx: ResolvedStep['ctx'],
): Promise<void> {
  const { record } = opened;
  await run.releaseLease(record.faultId);
  await endLease(ctx, record);
  for (const pendingRepairs of run.pendingRepairs.filter(({ fault }) => fault === record.faultId))
    settleRepair(run, pendingRepairs.record.faultId);
  closeRecord(run, record, 'not injected');
  run.activeFaults.splice(run.activeFaults.indexOf(opened), 1);
}

/** For the undo record: the module of a kind that an extension brought. Empty for a built-in kind. */
function extensionOf(
  { kinds }: Pick<RunState, 'kinds'>,
  kind: AnyFaultKind,
  params: Json,
): Pick<LedgerRecord, 'extension'> {
  const module = kinds.moduleOf(kind);
  return module === undefined ? {} : { extension: { module, heal: kind.describe(params).heal } };
}

function noteNoLease({ log }: Pick<RunState, 'log'>, fault: PlannedFault, host: PlannedHost): void {
  const text = `${fault.id}: no auto-revert timer on ${host.name}, which needs systemd and root: if firedrill is killed, the fault lasts until \`firedrill heal\``;
  log.append({ type: 'log', level: 'warn', text });
}

/**
 * Records a fault's repairs before the fault acts (`awaitsFault`): those on the fault's own host, and, with
 * the first fault, those on a named host. A repair on a role is not recorded: its host is not known yet.
 */
async function addPendingRepairs(
  run: ResolveContext & Pick<RunState, 'runId' | 'ledger' | 'pendingRepairs'>,
  fault: LedgerRecord,
): Promise<void> {
  const { plan, ledger } = run;
  for (const step of plan.repair) {
    const { on } = step;
    const name =
      'fault' in on && on.fault === fault.faultId
        ? fault.host.name
        : 'host' in on && plan.faults[0]?.id === fault.faultId
          ? on.host
          : undefined;
    if (name === undefined) continue;
    const resolved = await resolveStep(run, { ...step, on: { host: name } });
    const machine = name === fault.host.name ? fault.machine : await machineOf(resolved.ctx);
    const record = recordOf(run, step, {
      host: resolved.planned,
      params: resolved.params,
      before: null,
      repair: true,
      awaitsFault: true,
      ...extensionOf(run, resolved.kind, resolved.params),
      ...(machine === undefined ? {} : { machine }),
    });
    ledger.open(record);
    run.pendingRepairs.push({ record, fault: fault.faultId, failed: false });
  }
}

/** Runs a step without an undo; false if it failed. */
export async function takeStep(run: Acting, step: PlannedFault): Promise<boolean> {
  let resolved: ResolvedStep;
  let before: Json;
  try {
    resolved = await resolveStep(run, step);
    if (actsOnceUnobserved(resolved.kind, resolved.params)) await requireAnswer(resolved.ctx);
    before = await resolved.kind.before(resolved.params, resolved.ctx);
  } catch (error) {
    run.signal.throwIfAborted();
    if (isUnreachable(error)) run.unanswered.add(step.id);
    run.log.append({ type: 'fault.failed', fault: step.id, message: messageOf(error) });
    return false;
  }
  markRepair(run, step.id, { before });
  let times: ActTimes | undefined;
  try {
    times = await act(run, step, resolved, before);
  } finally {
    if (times === undefined && !run.unanswered.has(step.id)) markRepair(run, step.id, undefined);
  }
  if (times === undefined || times.ackedMs !== undefined) return times !== undefined;
  return awaitEffect(run, step, { ...resolved, before }, times);
}

/** When a fault was issued and acknowledged, run clock. */
interface ActTimes {
  readonly notBeforeMs: RunMs;
  /** Undefined if the connection to the host broke first: the fault's outcome is unknown. */
  readonly ackedMs?: RunMs;
  /** How the connection broke. */
  readonly broken?: string;
}

/**
 * Issues and injects the fault once. Returns undefined if the host refused it, or if its outcome is unknown
 * and cannot be observed. Rethrows defects of firedrill.
 */
async function act(
  run: Acting,
  fault: PlannedFault,
  resolved: ResolvedStep,
  before: Json,
): Promise<ActTimes | undefined> {
  const { log, clock } = run;
  const { kind, planned, params, ctx } = resolved;
  run.hostByFault.set(fault.id, planned.name);
  const issued = log.append({
    type: 'fault.issued',
    fault: fault.id,
    kind: fault.kind,
    host: planned.name,
    params,
  });
  log.sync();
  callForRepairs(run, fault.id);
  const notBeforeMs = latest(issued.t, clock.nowMs());
  try {
    const receipt = await kind.inject(params, before, ctx);
    const acked = log.append({ type: 'fault.acked', fault: fault.id, receipt });
    return { notBeforeMs, ackedMs: acked.t };
  } catch (error) {
    const message = messageOf(error);
    const isBroken = isUnreachable(error);
    // After a defect of firedrill the fault's outcome is unknown.
    const isDefect = !(error instanceof DrillError);
    if (isBroken || isDefect) run.unanswered.add(fault.id);
    else if (!(await mayHaveActed(resolved, before))) callOffRepairs(run, fault.id);
    if (isBroken && !run.signal.aborted && kind.unobserved?.(params) !== true) {
      log.append({ type: 'fault.outcome_unknown', fault: fault.id, message });
      return { notBeforeMs, broken: message };
    }
    const isUnknown = isBroken && kind.unobserved?.(params) === true;
    log.append({
      type: 'fault.failed',
      fault: fault.id,
      message: isUnknown
        ? `the fault's outcome is unknown, and it has no \`effect\` to check: ${message}`
        : message,
    });
    // If the run was stopped, the host did not refuse the fault: the run's own reason is reported.
    run.signal.throwIfAborted();
    if (isDefect) throw error;
    return undefined;
  }
}

/**
 * Whether a refused fault may have acted. If its effect cannot be observed, the host's refusal is trusted.
 */
async function mayHaveActed({ kind, params, ctx }: ResolvedStep, before: Json): Promise<boolean> {
  if (kind.unobserved?.(params) === true) return false;
  try {
    return await kind.effect(params, before, ctx);
  } catch {
    return true;
  }
}

/**
 * Waits for the effect. Its lower bound is the start of the last check without effect. Its upper bound is the
 * end of the first check with effect, or the acknowledgement if the first check already shows it.
 */
async function awaitEffect(
  { clock, log, signal }: Pick<RunState, 'clock' | 'log' | 'signal'>,
  { id }: PlannedFault,
  { kind, params, before, ctx }: ResolvedStep & { readonly before: Json },
  times: ActTimes,
): Promise<boolean> {
  const deadline = later(clock.nowMs(), kind.effectWithinMs ?? effectWithinMs);
  let { notBeforeMs } = times;
  let attempts = 0;
  let seen = 'no effect was seen';
  while (clock.nowMs() < deadline) {
    const askedMs = clock.nowMs();
    try {
      attempts += 1;
      if (await kind.effect(params, before, ctx)) {
        // The first check shows the effect, so it was there when the command returned.
        const notAfterMs = attempts === 1 ? (times.ackedMs ?? clock.nowMs()) : clock.nowMs();
        log.append({ type: 'fault.effect', fault: id, notBeforeMs, notAfterMs });
        return true;
      }
      notBeforeMs = askedMs;
      seen = 'no effect was seen';
    } catch (error) {
      // The fault may have cut off its host, so a failed check does not show that the effect is absent.
      if (!isUnreachable(error)) throw error;
      seen = `the effect could not be checked: ${messageOf(error)}`;
    }
    await clock.sleep(200, signal);
  }
  const asked =
    times.broken === undefined ? 'acknowledged' : `the fault's outcome is unknown (${times.broken})`;
  log.append({
    type: 'fault.failed',
    fault: id,
    message: `${asked}, ${times.broken === undefined ? 'but' : 'and'} ${seen}`,
  });
  return false;
}

/**
 * Resolves the host and the parameters of a step. @throws DrillError `role-unresolved` if its role does not
 * match exactly one host
 */
async function resolveStep(run: ResolveContext, fault: PlannedFault): Promise<ResolvedStep> {
  const kind = run.kinds.fault(fault.kind);
  if (kind === undefined) throw new DrillError('harness', `no fault kind ${fault.kind}`);
  const { hosts } = run.plan;
  const planned = plannedHost(hosts, await hostOf(run, fault.on));
  const addresses = new Map<string, string>();
  for (const name of addressNames(JSON.stringify(fault.params))) {
    if (addresses.has(name)) continue;
    const named = hosts.some((host) => host.name === name) ? name : await resolveRole(run, name);
    const { address } = plannedHost(hosts, named);
    if (address === undefined)
      throw new DrillError('invalid-input', `host ${named} has no address in the target`, {
        hint: `Set \`address\` of host ${named} in the target file.`,
      });
    addresses.set(name, address);
  }
  const params = mapStrings(fault.params, (text) =>
    fillAddresses(fillPlaceholders(text, planned), addresses),
  );
  const ctx = { ...run.accessTo(planned.name), clock: run.clock, signal: run.signal };
  return { kind, planned, params, ctx };
}

async function hostOf(run: ResolveContext, on: PlannedFault['on']): Promise<HostName> {
  if ('host' in on) return on.host;
  if ('role' in on) return resolveRole(run, on.role);
  const host = run.hostByFault.get(on.fault);
  if (host === undefined)
    throw new DrillError('harness', `fault ${on.fault} was not injected, so it has no host`);
  return host;
}

async function resolveRole(
  { plan, clock, log, signal, observer }: ResolveContext,
  role: RoleName,
): Promise<HostName> {
  const condition = plan.roles[role];
  if (condition === undefined) throw new DrillError('harness', `the plan has no role ${role}`);
  const deadline = later(clock.nowMs(), roleWithinMs);
  for (;;) {
    try {
      const host = observer.resolveRole(role, condition);
      log.append({ type: 'role.resolved', role, host });
      return host;
    } catch (error) {
      const unclear = error instanceof DrillError && error.code === 'role-unresolved';
      if (!unclear || clock.nowMs() >= deadline) throw error;
    }
    await observer.nextSample(100, signal);
  }
}
