import { asDrillError, DrillError, messageOf } from '../core/errors.ts';
import { eventSchemaVersion, type NewEvent, type PhaseName } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';
import { awaitRecovery } from './await-recovery.ts';
import { logGate } from './gate-log.ts';
import { healOpen } from './heal.ts';
import { injectFault, takeStep } from './inject.ts';
import { failRepair, makePendingRepairs, settleRepair } from './repair.ts';
import { createRun, type DrillDeps, type Run } from './run.ts';
import { followSteadyState, hasBurst } from './steady-state.ts';
import { startTimeline, type Timeline } from './timeline.ts';

/**
 * Runs one drill from the preparations to restored redundancy. Every injected fault is healed before this
 * resolves, also after an unmet gate, a broken host, or an abort. The log has all events; the verdict is
 * computed from the log, not here.
 *
 * Resolves also for failed drills and for drills whose log broke. @returns ids of faults and preparations
 * that are not proven healed, and of pending repairs
 */
export async function runDrill(plan: Plan, deps: DrillDeps, signal: AbortSignal): Promise<readonly string[]> {
  const run = createRun(plan, deps, signal);
  const { log } = deps;
  log.append({
    type: 'run.started',
    schemaVersion: eventSchemaVersion,
    runId: deps.runId,
    wallMs: deps.clock.wallMs(),
    plan,
    versions: deps.versions,
    ...(deps.label === undefined ? {} : { label: deps.label }),
  });
  let cut = false;
  const abort = (error: unknown): void => {
    cut = true;
    log.append(abortOf(error, run.signal));
    logDefect(run, error);
  };
  /** Runs one clean-up step. A defect in it does not skip the next steps. */
  const attempt = async (step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      abort(error);
    }
  };
  await attempt(() =>
    run.probing(async () => {
      await attempt(() => drill(run));
      await attempt(() => healOpen(run, () => true));
      await attempt(() => makePendingRepairs(run));
      await attempt(() => endWriting(run));
    }),
  );
  // The log may have broken during the heal or later, so the rows read back then are missing.
  if (log.broken.aborted && !cut) abort(log.broken.reason);
  log.append({ type: 'clock.anchor', wallMs: deps.clock.wallMs() });
  log.append({ type: 'run.ended' });
  return [...run.activeFaults, ...run.pendingRepairs].map(({ record }) => record.faultId);
}

async function drill(run: Run): Promise<void> {
  const { plan } = run;
  if (plan.prepare.length > 0) {
    startPhase(run, 'prepare');
    for (const step of plan.prepare) if ((await injectFault(run, step)) !== 'effect') return;
  }
  startPhase(run, 'steady');
  const steady = followSteadyState(run);
  if (!(await steady.accessTo())) return;
  resolveRoles(run);

  startPhase(run, 'fault');
  const timeline = startTimeline(run, steady);
  try {
    await recoverFrom(run, timeline);
  } catch (error) {
    // Do not wait for faults that have not begun, or for the duration of those that act.
    timeline.stop(error);
    await timeline.over.catch((other: unknown) => {
      if (other !== error) run.log.append({ type: 'log', level: 'error', text: messageOf(other) });
    });
    throw error;
  }
  await timeline.over;
}

/**
 * Waits for the recovery from a timeline's faults and for redundancy. The heal comes before or after the wait
 * for redundancy, as the plan says.
 */
async function recoverFrom(run: Run, timeline: Timeline): Promise<void> {
  const { plan, observer } = run;
  if (!(await timeline.injected)) return;
  startPhase(run, 'recovery');
  const back = await awaitRecovery(run, timeline);
  if (back.met && plan.recovery.until === 'redundancy') {
    startPhase(run, 'redundancy');
    const whole = await observer.waitForGate(plan.redundancy, run.signal);
    logGate(run, 'recovery', whole);
    logGate(run, 'redundancy', whole);
    endBurst(run);
    await restore(run, timeline, true);
    return;
  }
  logGate(run, 'recovery', back);
  endBurst(run);
  if (!(await restore(run, timeline, !back.met))) return;
  startPhase(run, 'redundancy');
  logGate(run, 'redundancy', await observer.waitForGate(plan.redundancy, run.signal));
}

function endBurst(run: Pick<Run, 'plan' | 'setBurst'>): void {
  if (hasBurst(run.plan)) run.setBurst(false);
}

/**
 * Records the host of each role, for checks that compare roles later. A role that no fault names may be
 * unresolved.
 */
function resolveRoles({ plan, log, observer }: Pick<Run, 'plan' | 'log' | 'observer'>): void {
  for (const [role, condition] of Object.entries(plan.roles)) {
    try {
      log.append({ type: 'role.resolved', role, host: observer.resolveRole(role, condition) });
    } catch (error) {
      if (plan.faults.some((fault) => 'role' in fault.on && fault.on.role === role)) throw error;
    }
  }
}

/**
 * Heals the faults, undoes the preparations, and runs the repair steps; false if one failed. Faults from
 * which the stack must recover by itself stay. They are healed, too, if `all` is set (the recovery failed), or
 * if preparations are undone or repairs made next, because these need a stack without faults.
 */
async function restore(run: Run, timeline: Timeline, all: boolean): Promise<boolean> {
  const { plan } = run;
  const prepared = new Set(plan.prepare.map((step) => step.id));
  const everyFault = all || plan.prepare.length > 0 || plan.repair.length > 0;
  await timeline.over;
  await run.writing?.readBack('before-heal');
  startPhase(run, 'heal');
  await healOpen(
    run,
    ({ record, kind }) => !prepared.has(record.faultId) && (everyFault || kind.healAfter === 'recovery'),
  );
  if (plan.prepare.length > 0) {
    startPhase(run, 'undo-preparations');
    await healOpen(run, ({ record }) => prepared.has(record.faultId));
  }
  if (plan.repair.length > 0) {
    if (run.activeFaults.length > 0) return false;
    startPhase(run, 'repair');
    for (const step of plan.repair) {
      if (!(await takeStep(run, step))) {
        failRepair(run, step.id);
        return false;
      }
      settleRepair(run, step.id);
    }
  }
  return true;
}

/** Ends the writing after the heal: stops the writers, reads the rows back, and removes them. */
async function endWriting(run: Pick<Run, 'log' | 'signal' | 'writing'>): Promise<void> {
  const { writing, signal } = run;
  if (writing === undefined) return;
  if (!signal.aborted) startPhase(run, 'read-back');
  await writing.stop();
  // A stopped run has little time: its rows are removed without being judged.
  if (!signal.aborted) await writing.readBack('end');
  await writing.remove();
}

/** Logs the stack trace of a defect, also if the run was stopped for another reason before. */
function logDefect({ log, signal }: Pick<Run, 'log' | 'signal'>, error: unknown): void {
  const defect = error instanceof DrillError && error.code === 'harness' ? error.cause : error;
  if (!(defect instanceof Error) || defect instanceof DrillError || 'code' in defect) return;
  if (signal.aborted && defect === signal.reason) return;
  log.append({
    type: 'log',
    level: 'error',
    text: `firedrill broke: ${defect.stack ?? defect.message}`,
  });
}

function startPhase({ log }: Pick<Run, 'log'>, phase: PhaseName): void {
  log.append({ type: 'phase.started', phase });
}

function abortOf(error: unknown, signal: AbortSignal): NewEvent {
  const cause: unknown = signal.aborted ? signal.reason : asDrillError(error);
  const { code, hint } = cause instanceof DrillError ? cause : {};
  const broken = code === 'harness';
  return {
    type: 'run.aborted',
    reason: hint !== undefined ? `${messageOf(cause)}. ${hint}` : messageOf(cause),
    ...(code === 'refused' ? { refused: true } : {}),
    ...(broken ? { broken } : {}),
  };
}
