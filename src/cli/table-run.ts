import { DrillError, messageOf } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Summary } from '../core/summary.ts';
import type { RunMs } from '../core/time.ts';
import type { GateOutcome } from '../engine/state-observer.ts';
import type { TableDrill } from '../report/table.ts';

/** One drill of a table. */
export interface TableJob {
  /** Position in the whole table, from 1, not in the shard. */
  readonly number: number;
  /** Indices of the suite's rows that show this drill. */
  readonly rowIndices: readonly number[];
  /** The rows' numbers, for progress. */
  readonly label: string;
  readonly plan: Plan;
  /** Index of the repetition, from 0. */
  readonly round: number;
}

/** Dependencies of `runTable`. */
export interface TableDeps {
  /** Waits for the steady state of the drill's target. `sinceMs`: when the steady state began. Rejects when stopped. */
  readonly settle: (job: TableJob) => Promise<GateOutcome & { readonly sinceMs: RunMs }>;
  /**
   * Runs the drill and heals it. Resolves for failed drills, too. `steady`: the drill's last gate, after all heals and
   * undos, found the target in the steady state that `settle` waits for. Rejects with a DrillError `harness` if the drill
   * could not run at all, which ends the table.
   */
  readonly run: (job: TableJob) => Promise<{ readonly summary: Summary; readonly steady: boolean }>;
  /** The same clock as that of `sinceMs`. */
  readonly nowMs: () => RunMs;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** Saves the drills so far, after each drill, so that an interrupted table exists, too. */
  readonly keep: (drills: readonly TableDrill[]) => void;
}

/** The result of running a table. Drills are in the order of the jobs. */
export interface TableRun {
  readonly drills: readonly TableDrill[];
  /** Every drill ran, and the target returned to the steady state after the last one. */
  readonly complete: boolean;
}

/**
 * Runs drills one after another, each from the steady state. The table ends if the stack does not return to the steady
 * state, or if a fault is not proven healed. The remaining drills then record the reason. `backToSteadyMs` of a drill is the
 * time that the return took after it: 0 if the drill ended in the steady state.
 */
export async function runTable(jobs: readonly TableJob[], deps: TableDeps): Promise<TableRun> {
  const { signal, say, nowMs } = deps;
  const drills: TableDrill[] = [];
  let ended: { readonly index: number; readonly atMs: RunMs } | undefined;
  let stopped: string | undefined;
  let known = false;

  /** Waits for the steady state; true if it was reached. Sets `backToSteadyMs` of the drill before. */
  const settle = async (job: TableJob): Promise<boolean> => {
    if (known) return true;
    say('waiting for the steady state');
    try {
      const { met, unmet, sinceMs } = await deps.settle(job);
      if (!met) stopped = `not steady (${unmet.join('; ') || 'the unmet condition is unknown'})`;
      const before = ended === undefined ? undefined : drills[ended.index];
      if (met && ended !== undefined && before !== undefined)
        drills[ended.index] = { ...before, backToSteadyMs: Math.max(0, sinceMs - ended.atMs) };
      return met;
    } catch (error) {
      if (!signal.aborted) throw error;
      stopped = messageOf(signal.reason);
      return false;
    }
  };

  for (const [index, job] of jobs.entries()) {
    const { number, rowIndices, plan, round } = job;
    const drill = { number, rowIndices, name: plan.scenario.name, round, backToSteadyMs: null };
    if (signal.aborted) stopped ??= messageOf(signal.reason);
    if (stopped === undefined) say(`drill ${index + 1} of ${jobs.length}: row ${job.label}, ${drill.name}`);
    if (stopped !== undefined || !(await settle(job))) {
      drills.push({ ...drill, summary: null, notRun: stopped ?? null });
      continue;
    }
    let outcome: Awaited<ReturnType<TableDeps['run']>>;
    try {
      outcome = await deps.run(job);
    } catch (error) {
      // For example a full disk. The drills before this one keep their results.
      if (!(error instanceof DrillError && error.code === 'harness')) throw error;
      stopped = error.message;
      drills.push({ ...drill, summary: null, notRun: stopped });
      continue;
    }
    const { summary, steady } = outcome;
    known = steady;
    ended = { index, atMs: nowMs() };
    drills.push({ ...drill, summary, notRun: null, ...(steady ? { backToSteadyMs: 0 } : {}) });
    deps.keep(drills);
    say(`row ${job.label}, ${drill.name}: ${summary.verdict}${summary.healed ? '' : ', NOT HEALED'}`);
    if (!summary.healed) stopped = `a fault of ${drill.name} is not proven healed`;
  }
  const last = jobs.at(-1);
  const steady = stopped === undefined && !signal.aborted && last !== undefined && (await settle(last));
  if (stopped !== undefined) say(`the table ends here: ${stopped}`);
  return { drills, complete: steady };
}
