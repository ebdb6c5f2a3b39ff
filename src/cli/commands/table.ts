import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { durationOf } from '../../analysis/gate.ts';
import { keptRun } from '../../analysis/kept-run.ts';
import type { Tolerance } from '../../analysis/tolerance.ts';
import type { Plan } from '../../core/plan.ts';
import { type DrillError, ExitCode } from '../../core/errors.ts';
import type { Summary } from '../../core/summary.ts';
import { type DurationMs, earlier } from '../../core/time.ts';
import { createSystemClock } from '../../engine/system-clock.ts';
import { awaitGate } from '../../engine/watch.ts';
import { createHost } from '../../hosts/catalog.ts';
import { isWorse } from '../../report/gate-text.ts';
import type { FailureTable, TableDrill } from '../../report/table.ts';
import { figuresOfTable } from '../../report/table-runs.ts';
import type { Reporters } from '../../reporters/all.ts';
import { type Baseline, printAlarmForecast, holdAgainst, readBaseline, type Upcoming } from '../baseline.ts';
import { passGuards } from '../guard.ts';
import { loadWatchPlan } from '../inputs.ts';
import { showWait } from '../live/show-drill.ts';
import { worst, hasJitter, runOneDrill, seedFor, seedForShard } from '../one-drill.ts';
import { type Output, type ReportingOutput, printError } from '../output.ts';
import { type Outcome, reporting, type ReportingOptions } from '../reporting.ts';
import { makeRunFolder, newRunId, userLedger } from '../run-folder.ts';
import { jobsOfShard, type Shard } from '../shards.ts';
import type { Stop } from '../stop.ts';
import { jobsOf, loadSuite } from '../suite.ts';
import { tableRuns, writeTable } from '../table-folder.ts';
import { runTable, type TableJob } from '../table-run.ts';
import { terminalAsk } from '../terminal-ask.ts';
import { tableOf, type MergedTable } from '../merged-table.ts';

/** Options of `firedrill table`. */
export interface TableOptions extends ReportingOptions {
  readonly target?: string;
  readonly allowProduction: boolean;
  readonly confirm?: string;
  readonly repeat: number;
  readonly grep?: string;
  /** Seed of the fault times, for faults with a jitter; random by default. */
  readonly seed?: number;
  /** The release under test. */
  readonly label?: string;
  /** Earlier runs to compare with: a path, or a label. */
  readonly baseline?: string;
  readonly tolerance: Tolerance;
  /** Runs only this part of the table. */
  readonly shard?: Shard;
  /** Runs every probe of the target, even if the drill does not use it. */
  readonly allProbes: boolean;
  /** Values of variables by name. */
  readonly var: Readonly<Record<string, string>>;
}

/** How long the steady state must hold between drills, ms. Each drill then waits for its full steady state. */
const settledForMs = 2000;

/**
 * Runs every row of a suite and prints the failure table. All files are read and checked before the first drill starts.
 * Returns the worst exit code.
 */
export async function tableCommand(
  arg: string,
  options: TableOptions,
  stop: Stop,
  output: ReportingOutput,
): Promise<number> {
  const { target, repeat, grep, shard, allProbes } = options;
  const load = () => loadSuite(arg, { target, variables: options.var, allProbes });
  const all = () => load().rows.flat();
  return reporting(options, { command: 'table', stop, output, plans: all }, async (reporters) => {
    const loaded = load();
    const plans = loaded.rows.flat();
    const seed = (shard === undefined ? seedFor : seedForShard)(plans, options.seed, output);
    const all = jobsOf(loaded, { grep, repeat, seed });
    const baseline = readBaseline(options, output);
    const weightOf = durationOf(baseline?.side.runs ?? []);
    const jobs = shard === undefined ? all : jobsOfShard(all, shard, weightOf);
    const whole: MergedTable = { loaded, all, seed: hasJitter(plans) ? seed : null };
    if (baseline !== undefined) printAlarmForecast(baseline, upcoming(whole, all), output);
    const unlock = await passGuards(
      jobs.map(({ plan }) => plan),
      { consent: options, command: 'table', output, ask: terminalAsk() },
    );
    try {
      return await runJobs(whole, jobs, { options, baseline, stop, output, reporters });
    } finally {
      unlock();
    }
  });
}

/** The drills and figures of the whole table, even for a shard: the gate is judged again when the shards are merged. */
function upcoming({ loaded: { suite } }: MergedTable, all: readonly TableJob[]): Upcoming {
  const first = all.filter(({ round }) => round === 0);
  const figures = first.flatMap(({ rowIndices, number }) =>
    rowIndices.map((index) => `${number} ${suite.rows[index]?.figure ?? ''}`),
  );
  return {
    scenarios: new Set(first.map(({ plan }) => plan.scenario.name)),
    figures: new Set(figures).size,
    nowMs: createSystemClock().wallMs(),
  };
}

async function runJobs(
  whole: MergedTable,
  jobs: readonly TableJob[],
  {
    options,
    baseline,
    stop,
    output,
    reporters,
  }: {
    readonly options: TableOptions;
    readonly baseline: Baseline | undefined;
    readonly stop: Stop;
    readonly output: Output;
    readonly reporters: Reporters;
  },
): Promise<Outcome> {
  const { loaded } = whole;
  const { label, shard } = options;
  const ledger = userLedger();
  const clock = createSystemClock();
  const part = shard === undefined ? '' : `-${shard.index}of${shard.count}`;
  const startedAt = new Date(clock.wallMs()).toISOString();
  const folder = makeRunFolder(options.out, newRunId(`table-${loaded.suite.name}${part}`, clock.wallMs()));
  const figuresInAll = shard === undefined ? undefined : upcoming(whole, whole.all).figures;
  let unwritten: DrillError | undefined;
  const made = (drills: readonly TableDrill[], complete: boolean, isOver: boolean): FailureTable => {
    const endedAt = new Date(clock.wallMs()).toISOString();
    const run = { drills, complete, startedAt, endedAt, label, shard };
    const table = heldAgainst(tableOf(whole, jobs, run), drills, isOver ? baseline : undefined, figuresInAll);
    unwritten = writeTable(folder, table);
    if (unwritten !== undefined) printError(unwritten, output);
    return table;
  };
  const codes: number[] = [];
  const { drills, complete } = await runTable(jobs, {
    settle: (job) => settle(job.plan, loaded.suite.settle?.within, stop.signal),
    run: async ({ plan }) => {
      const { summary, exitCode } = await runOneDrill(plan, {
        ledger,
        out: join(folder, tableRuns),
        label,
        stop,
        output,
        reporters,
      });
      codes.push(exitCode);
      return { summary, steady: endedSteady(plan, summary) };
    },
    nowMs: () => clock.nowMs(),
    signal: stop.signal,
    say: (line) => output.progress(`== ${line}`),
    keep: (drills) => made(drills, false, false),
  });
  const table = made(drills, complete, true);
  if (table.baseline !== undefined && isWorse(table.baseline)) codes.push(ExitCode.verdictFail);
  output.progress(`saved in ${folder}: table.html, table.md, and the drills in ${tableRuns}`);
  const exitCode = worst(
    complete && unwritten === undefined ? codes : [...codes, ExitCode.inconclusive],
    stop,
  );
  return { exitCode, table: { table, folder } };

  async function settle(plan: Plan, withinMs: DurationMs | undefined, signal: AbortSignal) {
    const watch = loadWatchPlan(plan.target.path);
    const gate = {
      require: watch.steady.require,
      forMs: Math.min(settledForMs, watch.steady.forMs),
      withinMs: withinMs ?? watch.steady.withinMs,
    };
    const hide = showWait(output.live, 'waiting for the steady state', gate.withinMs);
    try {
      const outcome = await awaitGate(watch, gate, { clock, createHost }, signal);
      return { ...outcome, sinceMs: earlier(clock.nowMs(), gate.forMs) };
    } finally {
      hide();
    }
  }
}

/** The table, with the comparison of its drills with the baseline. */
function heldAgainst(
  table: FailureTable,
  drills: readonly TableDrill[],
  baseline: Baseline | undefined,
  figuresInAll: number | undefined,
): FailureTable {
  if (baseline === undefined) return table;
  const runs = drills.flatMap(({ summary }) => (summary === null ? [] : [keptRun(summary)]));
  const { rows, ...head } = table;
  return { ...head, baseline: holdAgainst(baseline, runs, figuresOfTable(table), figuresInAll), rows };
}

/** Whether a drill ended with the gate that `settle` waits for. Then `settle` is skipped. */
function endedSteady(plan: Plan, { redundancyRestoredMs }: Summary): boolean {
  const { redundancy, recovery, target } = plan;
  if (redundancyRestoredMs === null || recovery.until === 'redundancy' || redundancy.forMs < settledForMs)
    return false;
  return isDeepStrictEqual(redundancy.require, loadWatchPlan(target.path).steady.require);
}
