import type { Plan } from '../../core/plan.ts';
import type { Reporters } from '../../reporters/all.ts';
import { drawMoments } from '../../scenario/draw.ts';
import type { Ledger } from '../../engine/ledger.ts';
import { passGuards } from '../guard.ts';
import { loadAllPlans } from '../inputs.ts';
import { gravest, runOneDrill, seedFor } from '../one-drill.ts';
import type { Output } from '../output.ts';
import { reporting, type ReportingOptions } from '../reporting.ts';
import { userLedger } from '../run-folder.ts';
import type { Stop } from '../stop.ts';
import { terminalAsk } from '../terminal-ask.ts';

/** Options of `firedrill run`. */
export interface RunOptions extends ReportingOptions {
  readonly target?: string;
  readonly allowProduction: boolean;
  readonly confirm?: string;
  readonly repeat: number;
  /** Values of variables by name. */
  readonly var: Readonly<Record<string, string>>;
  /** Draws the moments of faults with a jitter; drawn itself by default. */
  readonly seed?: number;
  /** The release that is drilled. */
  readonly label?: string;
}

/**
 * Runs scenarios one after another. All files are read and checked before the
 * first one starts. Returns the exit code of the gravest outcome.
 */
export async function runCommand(
  args: readonly string[],
  options: RunOptions,
  stop: Stop,
  output: Output,
): Promise<number> {
  return reporting(options, { command: 'run', stop, output }, async (reporters) => {
    const plans = loadAllPlans(args, { target: options.target, variables: options.var });
    const seed = seedFor(plans, options.seed, output);
    const ledger = userLedger();
    const unlock = await passGuards(plans, { consent: options, command: 'run', output, ask: terminalAsk() });
    try {
      return { exitCode: await runAll(plans, seed, { options, stop, output, ledger, reporters }) };
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
    ...setting
  }: {
    readonly options: RunOptions;
    readonly stop: Stop;
    readonly output: Output;
    readonly ledger: Ledger;
    readonly reporters: Reporters;
  },
): Promise<number> {
  const { stop } = setting;
  const outcomes: number[] = [];
  for (let round = 0; round < options.repeat; round++) {
    for (const plan of plans) {
      if (stop.signal.aborted) break;
      const { exitCode } = await runOneDrill(drawMoments(plan, seed, round), {
        ...setting,
        out: options.out,
        label: options.label,
      });
      outcomes.push(exitCode);
    }
  }
  return gravest(outcomes, stop);
}
