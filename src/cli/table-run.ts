import { DrillError, messageOf } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Summary } from '../core/summary.ts';
import type { GateOutcome } from '../engine/world.ts';
import type { TableDrill } from '../report/table.ts';

/** A drill that the table is to run. */
export interface TableJob {
  /** Its place in the whole table, from 1, whatever shard it is in. */
  readonly number: number;
  /** Indices of the suite's rows that show it. */
  readonly rowIndices: readonly number[];
  /** The rows' numbers, for progress. */
  readonly label: string;
  readonly plan: Plan;
  /** From 0. */
  readonly round: number;
}

/** What running a table needs from outside. */
export interface TableDeps {
  /** Waits until the drill's target is steady; `sinceMs` is when it began to be. Rejects when stopped. */
  readonly settle: (job: TableJob) => Promise<GateOutcome & { readonly sinceMs: number }>;
  /**
   * Runs the drill and heals it; resolves for drills that went wrong, too. `steady`: its last gate, after all was healed
   * and undone, saw the target in the steady state that `settle` waits for. Rejects with a DrillError `harness` where it
   * could not be run at all: that ends the table.
   */
  readonly run: (job: TableJob) => Promise<{ readonly summary: Summary; readonly steady: boolean }>;
  /** The clock of `sinceMs`. */
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** Takes what is known of the drills so far, each time that changes: a table that is cut off is there, too. */
  readonly keep: (drills: readonly TableDrill[]) => void;
}

/** What became of the drills of a table, in the order of the jobs. */
export interface TableRun {
  readonly drills: readonly TableDrill[];
  /** Every drill ran, and the target was steady again after the last. */
  readonly complete: boolean;
}

/**
 * Runs drills one after another, each from the steady state: what the stack does not
 * return to by itself, or a fault that is not proven healed, ends the table, and the
 * drills that are left say so. How long the return took is told with the drill before: 0 for one that ended with it.
 */
export async function runTable(jobs: readonly TableJob[], deps: TableDeps): Promise<TableRun> {
  const { signal, say, nowMs } = deps;
  const drills: TableDrill[] = [];
  let ended: { readonly index: number; readonly atMs: number } | undefined;
  let stopped: string | undefined;
  let known = false;

  /** True when the target is steady; fills in how long that took after the drill before. */
  const settle = async (job: TableJob): Promise<boolean> => {
    if (known) return true;
    say('waiting for the steady state');
    try {
      const { met, unmet, sinceMs } = await deps.settle(job);
      if (!met) stopped = `not steady (${unmet.join('; ') || 'nothing says what was missing'})`;
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
      // A disk without room for a run, say: the drills before it are not lost for that.
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
