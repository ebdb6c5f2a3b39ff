import { asDrillError, DrillError, messageOf } from '../core/errors.ts';
import { eventSchemaVersion, type NewEvent, type PhaseName } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';
import { awaitRecovery } from './await-recovery.ts';
import { logGate } from './gate-log.ts';
import { healOpen } from './heal.ts';
import { injectFault, takeStep } from './inject.ts';
import { failRepair, repairOwed, settleRepair } from './repair.ts';
import { createRun, type DrillDeps, type Run } from './run.ts';
import { followSteadyState, hasBurst } from './steady-state.ts';
import { startTimeline, type Timeline } from './timeline.ts';

/**
 * Runs one drill from the preparations to restored redundancy. Whatever
 * happens – a gate not met, a broken host, an abort – every fault that was
 * injected is healed before this resolves. All that happened is in the log;
 * the verdict is made from it, not here.
 *
 * Resolves also for drills that went wrong, and for those whose log broke.
 * @returns ids of the faults and preparations that are not proven healed, and of the repairs that are still owed
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
  /** A defect in one clean-up step must not skip the next ones. */
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
      await attempt(() => repairOwed(run));
      await attempt(() => endWriting(run));
    }),
  );
  // It may have broken in the heal or later: what was read back then is missing.
  if (log.broken.aborted && !cut) abort(log.broken.reason);
  log.append({ type: 'clock.anchor', wallMs: deps.clock.wallMs() });
  log.append({ type: 'run.ended' });
  return [...run.open, ...run.owed].map(({ record }) => record.faultId);
}

async function drill(run: Run): Promise<void> {
  const { plan } = run;
  if (plan.prepare.length > 0) {
    startPhase(run, 'prepare');
    for (const step of plan.prepare) if ((await injectFault(run, step)) !== 'effect') return;
  }
  startPhase(run, 'steady');
  const steady = followSteadyState(run);
  if (!(await steady.reach())) return;
  resolveRoles(run);

  startPhase(run, 'fault');
  const timeline = startTimeline(run, steady);
  try {
    await recoverFrom(run, timeline);
  } catch (error) {
    // Faults that are still to come, or that last for a time of their own, must not be waited for.
    timeline.stop(error);
    await timeline.over.catch((other: unknown) => {
      if (other !== error) run.log.append({ type: 'log', level: 'error', text: messageOf(other) });
    });
    throw error;
  }
  await timeline.over;
}

/** Waits for the recovery from the faults of a timeline, and for redundancy, with the heal between or after them. */
async function recoverFrom(run: Run, timeline: Timeline): Promise<void> {
  const { plan, world } = run;
  if (!(await timeline.injected)) return;
  startPhase(run, 'recovery');
  const back = await awaitRecovery(run, timeline);
  if (back.met && plan.recovery.until === 'redundancy') {
    startPhase(run, 'redundancy');
    const whole = await world.waitForGate(plan.redundancy, run.signal);
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
  logGate(run, 'redundancy', await world.waitForGate(plan.redundancy, run.signal));
}

function endBurst(run: Pick<Run, 'plan' | 'setBurst'>): void {
  if (hasBurst(run.plan)) run.setBurst(false);
}

/** Roles that no fault names are recorded where they are clear: checks compare them later. */
function resolveRoles({ plan, log, world }: Pick<Run, 'plan' | 'log' | 'world'>): void {
  for (const [role, condition] of Object.entries(plan.roles)) {
    try {
      log.append({ type: 'role.resolved', role, host: world.resolveRole(role, condition) });
    } catch (error) {
      if (plan.faults.some((fault) => 'role' in fault.on && fault.on.role === role)) throw error;
    }
  }
}

/**
 * Heals, undoes the preparations, takes the repair steps; false when one of those
 * failed. Faults that the stack is to mend itself are left to it, unless it was
 * given up (`all`), or what comes next wants a stack without faults.
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
    if (run.open.length > 0) return false;
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

/** Everything is healed, as far as it goes: the writers stop, what they wrote is read back and removed. */
async function endWriting(run: Pick<Run, 'log' | 'signal' | 'writing'>): Promise<void> {
  const { writing, signal } = run;
  if (writing === undefined) return;
  if (!signal.aborted) startPhase(run, 'read-back');
  await writing.stop();
  // A run that is stopped has little time: its rows are removed, and not judged.
  if (!signal.aborted) await writing.readBack('end');
  await writing.remove();
}

/** The log has the stack of a defect, also where the run was stopped for another reason before. */
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
  const { code, mend } = cause instanceof DrillError ? cause : {};
  const broken = code === 'harness';
  return {
    type: 'run.aborted',
    reason: mend !== undefined ? `${messageOf(cause)}. ${mend}` : messageOf(cause),
    ...(code === 'refused' ? { refused: true } : {}),
    ...(broken ? { broken } : {}),
  };
}
