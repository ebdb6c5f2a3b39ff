import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Plan } from '../../core/plan.ts';
import { type DrillError, ExitCode } from '../../core/errors.ts';
import type { Summary } from '../../core/summary.ts';
import { createSystemClock } from '../../engine/system-clock.ts';
import { awaitGate } from '../../engine/watch.ts';
import { createHost } from '../../hosts/catalog.ts';
import { type FailureTable, rowLine, type TableDrill } from '../../report/table.ts';
import type { Reporters } from '../../reporters/all.ts';
import { passGuards } from '../guard.ts';
import { loadWatchPlan } from '../inputs.ts';
import { showWait } from '../live/show-drill.ts';
import { gravest, runOneDrill, seedFor } from '../one-drill.ts';
import { type Output, tell } from '../output.ts';
import { type Outcome, reporting, type ReportingOptions } from '../reporting.ts';
import { makeRunFolder, newRunId, userLedger } from '../run-folder.ts';
import type { Stop } from '../stop.ts';
import { type LoadedSuite, jobsOf, loadSuite } from '../suite.ts';
import { tableRuns, writeTable } from '../table-folder.ts';
import { runTable, type TableJob } from '../table-run.ts';
import { terminalAsk } from '../terminal-ask.ts';

/** Options of `firedrill table`. */
export interface TableOptions extends ReportingOptions {
  readonly target?: string;
  readonly allowProduction: boolean;
  readonly confirm?: string;
  readonly repeat: number;
  readonly grep?: string;
  /** Draws the moments of faults with a jitter; drawn itself by default. */
  readonly seed?: number;
  /** The release that is drilled. */
  readonly label?: string;
  /** Values of variables by name. */
  readonly var: Readonly<Record<string, string>>;
}

/** Between drills the steady state need not hold longer: each drill waits for the whole of it once more. */
const settledForMs = 2000;

/**
 * Runs every row of a suite and prints the failure table. All files are read and
 * checked before the first drill starts. Returns the exit code of the gravest outcome.
 */
export async function tableCommand(
  arg: string,
  options: TableOptions,
  stop: Stop,
  output: Output,
): Promise<number> {
  return reporting(options, { command: 'table', stop, output }, async (reporters) => {
    const { target, repeat, grep } = options;
    const loaded = loadSuite(arg, { target, variables: options.var });
    const seed = seedFor(loaded.rows.flat(), options.seed, output);
    const jobs = jobsOf(loaded, { grep, repeat, seed });
    const unlock = await passGuards(
      jobs.map(({ plan }) => plan),
      { consent: options, command: 'table', output, ask: terminalAsk() },
    );
    try {
      return await runJobs(loaded, jobs, { options, stop, output, reporters });
    } finally {
      unlock();
    }
  });
}

async function runJobs(
  loaded: LoadedSuite,
  jobs: readonly TableJob[],
  {
    options,
    stop,
    output,
    reporters,
  }: {
    readonly options: TableOptions;
    readonly stop: Stop;
    readonly output: Output;
    readonly reporters: Reporters;
  },
): Promise<Outcome> {
  const ledger = userLedger();
  const clock = createSystemClock();
  const startedAt = new Date(clock.wallMs()).toISOString();
  const folder = makeRunFolder(options.out, newRunId(`table-${loaded.suite.name}`, clock.wallMs()));
  let unwritten: DrillError | undefined;
  const made = (drills: readonly TableDrill[], complete: boolean): FailureTable => {
    const endedAt = new Date(clock.wallMs()).toISOString();
    const table = tableOf(loaded, jobs, { drills, complete, startedAt, endedAt, label: options.label });
    unwritten = writeTable(folder, table);
    if (unwritten !== undefined) tell(unwritten, output);
    return table;
  };
  const codes: number[] = [];
  const { drills, complete } = await runTable(jobs, {
    settle: (job) => settle(job.plan, loaded.suite.settle?.within, stop.signal),
    run: async ({ plan }) => {
      const { summary, exitCode } = await runOneDrill(plan, {
        ledger,
        out: join(folder, tableRuns),
        label: options.label,
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
    keep: (drills) => made(drills, false),
  });
  const table = made(drills, complete);
  output.progress(`kept in ${folder}: table.html, table.md and the drills in ${tableRuns}`);
  const exitCode = gravest(
    complete && unwritten === undefined ? codes : [...codes, ExitCode.inconclusive],
    stop,
  );
  return { exitCode, table: { table, folder } };

  async function settle(plan: Plan, withinMs: number | undefined, signal: AbortSignal) {
    const watch = loadWatchPlan(plan.target.path);
    const gate = {
      require: watch.steady.require,
      forMs: Math.min(settledForMs, watch.steady.forMs),
      withinMs: withinMs ?? watch.steady.withinMs,
    };
    const hide = showWait(output.live, 'waiting for the steady state', gate.withinMs);
    try {
      const outcome = await awaitGate(watch, gate, { clock, createHost }, signal);
      return { ...outcome, sinceMs: clock.nowMs() - gate.forMs };
    } finally {
      hide();
    }
  }
}

/** Whether a drill ended with the gate that `settle` waits for: nothing is asked twice. */
function endedSteady(plan: Plan, { redundancyRestoredMs }: Summary): boolean {
  const { redundancy, recovery, target } = plan;
  if (redundancyRestoredMs === null || recovery.until === 'redundancy' || redundancy.forMs < settledForMs)
    return false;
  return isDeepStrictEqual(redundancy.require, loadWatchPlan(target.path).steady.require);
}

/** The table of what was run so far; rows that `--grep` left out are left out. */
function tableOf(
  { suite }: LoadedSuite,
  jobs: readonly TableJob[],
  run: {
    readonly drills: readonly TableDrill[];
    readonly complete: boolean;
    readonly startedAt: string;
    readonly endedAt: string;
    readonly label: string | undefined;
  },
): FailureTable {
  const { drills, complete, startedAt, endedAt, label } = run;
  return {
    schemaVersion: 1,
    name: suite.name,
    title: suite.title,
    target: [...new Set(jobs.map((job) => job.plan.target.name))].join(', '),
    ...(label === undefined ? {} : { label }),
    startedAt,
    endedAt,
    complete,
    rows: suite.rows.flatMap((row, index) => {
      if (!jobs.some((job) => job.rowIndices.includes(index))) return [];
      return [
        rowLine(
          row,
          drills.filter((drill) => drill.rowIndices.includes(index)),
        ),
      ];
    }),
  };
}
