import { durationOf } from '../../analysis/gate.ts';
import { type KeptRun, keptRun } from '../../analysis/kept-run.ts';
import type { Tolerance } from '../../analysis/tolerance.ts';
import { ExitCode } from '../../core/errors.ts';
import type { Plan } from '../../core/plan.ts';
import { isWorse } from '../../report/gate-text.ts';
import type { Reporters } from '../../reporters/all.ts';
import { createSystemClock } from '../../engine/system-clock.ts';
import { drawJitter } from '../../scenario/jitter.ts';
import type { Ledger } from '../../engine/ledger.ts';
import { type Baseline, printAlarmForecast, holdAgainst, readBaseline } from '../baseline.ts';
import { passGuards } from '../guard.ts';
import { loadAllPlans } from '../inputs.ts';
import { worst, runOneDrill, seedFor, seedForShard } from '../one-drill.ts';
import type { Output, ReportingOutput } from '../output.ts';
import { type Outcome, reporting, type ReportingOptions } from '../reporting.ts';
import { userLedger } from '../run-folder.ts';
import { ofShard, type Shard } from '../shards.ts';
import type { Stop } from '../stop.ts';
import { terminalAsk } from '../terminal-ask.ts';

/** Options of `firedrill run`. */
export interface RunOptions extends ReportingOptions {
  readonly target?: string;
  readonly allowProduction: boolean;
  readonly confirm?: string;
  readonly repeat: number;
  /** Earlier runs to compare with: a path, or a label. */
  readonly baseline?: string;
  readonly tolerance: Tolerance;
  /** Runs only this part of the drills. */
  readonly shard?: Shard;
  /** Runs every probe of the target, even if the drill does not use it. */
  readonly allProbes: boolean;
  /** Values of variables by name. */
  readonly var: Readonly<Record<string, string>>;
  /** Seed of the fault times, for faults with a jitter; random by default. */
  readonly seed?: number;
  /** The release under test. */
  readonly label?: string;
}

/**
 * Runs scenarios one after another. All files are read and checked before the first drill starts. Returns the worst exit
 * code.
 */
export async function runCommand(
  args: readonly string[],
  options: RunOptions,
  stop: Stop,
  output: ReportingOutput,
): Promise<number> {
  const { shard, target, allProbes } = options;
  const plans = () => loadAllPlans(args, { target, variables: options.var, allProbes });
  return reporting(options, { command: 'run', stop, output, plans }, async (reporters) => {
    const all = plans();
    const seed = (shard === undefined ? seedFor : seedForShard)(all, options.seed, output);
    const baseline = readBaseline(options, output);
    const weightOf = durationOf(baseline?.side.runs ?? []);
    const chosen = shard === undefined ? all : ofShard(all, shard, ({ scenario }) => weightOf(scenario.name));
    const ledger = userLedger();
    if (baseline !== undefined)
      printAlarmForecast(
        baseline,
        {
          scenarios: new Set(chosen.map(({ scenario }) => scenario.name)),
          figures: all.length,
          nowMs: createSystemClock().wallMs(),
        },
        output,
      );
    const unlock = await passGuards(chosen, { consent: options, command: 'run', output, ask: terminalAsk() });
    try {
      return await runAll(chosen, seed, {
        options,
        baseline,
        figuresInAll: shard === undefined ? undefined : all.length,
        stop,
        output,
        ledger,
        reporters,
      });
    } finally {
      unlock();
    }
  });
}

async function runAll(
  plans: readonly Plan[],
  seed: number,
  {
    options,
    baseline,
    figuresInAll,
    ...setting
  }: {
    readonly options: RunOptions;
    readonly baseline: Baseline | undefined;
    /** Number of figures of all shards; undefined without --shard. */
    readonly figuresInAll: number | undefined;
    readonly stop: Stop;
    readonly output: Output;
    readonly ledger: Ledger;
    readonly reporters: Reporters;
  },
): Promise<Outcome> {
  const { stop } = setting;
  const outcomes: number[] = [];
  const runs: KeptRun[] = [];
  for (let round = 0; round < options.repeat; round++) {
    for (const plan of plans) {
      if (stop.signal.aborted) break;
      const { summary, exitCode } = await runOneDrill(drawJitter(plan, seed, round), {
        ...setting,
        out: options.out,
        label: options.label,
      });
      outcomes.push(exitCode);
      runs.push(keptRun(summary));
    }
  }
  if (baseline === undefined) return { exitCode: worst(outcomes, stop) };
  const gate = holdAgainst(baseline, runs, new Map(), figuresInAll);
  if (isWorse(gate)) outcomes.push(ExitCode.verdictFail);
  return { exitCode: worst(outcomes, stop), baseline: gate };
}
