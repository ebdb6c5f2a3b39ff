import { join } from 'node:path';
import { rtoRepeats } from '../../analysis/repeats.ts';
import type { Plan } from '../../core/plan.ts';
import type { Summary } from '../../core/summary.ts';
import { repeatsWords } from '../../report/repeats-text.ts';
import { plain } from '../../report/text.ts';
import { renderVerdictText } from '../../report/verdict-text.ts';
import { drawMoments } from '../../scenario/draw.ts';
import type { Ledger } from '../../engine/ledger.ts';
import { passGuards } from '../guard.ts';
import { loadAllPlans } from '../inputs.ts';
import { gravest, runOneDrill, seedFor } from '../one-drill.ts';
import type { Output } from '../output.ts';
import { userLedger } from '../run-folder.ts';
import type { Stop } from '../stop.ts';
import { terminalAsk } from '../terminal-ask.ts';

/** Options of `firedrill run`. */
export interface RunOptions {
  readonly target?: string;
  readonly out: string;
  readonly allowProduction: boolean;
  readonly confirm?: string;
  readonly json: boolean;
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
  const plans = loadAllPlans(args, { target: options.target, variables: options.var });
  const seed = seedFor(plans, options.seed, output);
  const ledger = userLedger();
  const unlock = await passGuards(plans, { consent: options, command: 'run', output, ask: terminalAsk() });
  try {
    return await runAll(plans, seed, { options, stop, output, ledger });
  } finally {
    unlock();
  }
}

async function runAll(
  plans: readonly Plan[],
  seed: number,
  {
    options,
    stop,
    output,
    ledger,
  }: {
    readonly options: RunOptions;
    readonly stop: Stop;
    readonly output: Output;
    readonly ledger: Ledger;
  },
): Promise<number> {
  const outcomes: number[] = [];
  const run = new Map<Plan, Summary[]>();
  for (let round = 0; round < options.repeat; round++) {
    for (const plan of plans) {
      if (stop.signal.aborted) break;
      const drawn = drawMoments(plan, seed, round);
      const { summary, folder, exitCode } = await runOneDrill(drawn, {
        ledger,
        out: options.out,
        label: options.label,
        stop,
        output,
      });
      const all = [...(run.get(plan) ?? []), summary];
      run.set(plan, all);
      const repeats = rtoRepeats(all);
      output.data(
        options.json
          ? `${JSON.stringify(repeats === null ? summary : { ...summary, repeats })}\n`
          : `\n${renderVerdictText(summary)}\nreport: ${join(folder, 'report.html')} (as text: report.md)\n`,
      );
      outcomes.push(exitCode);
    }
  }
  if (!options.json) {
    for (const [plan, summaries] of run) {
      const repeats = rtoRepeats(summaries);
      if (repeats === null) continue;
      output.data(
        `\nRTO of ${plain(plan.scenario.name)}\n${repeatsWords(repeats)
          .map((line) => `  ${line}\n`)
          .join('')}`,
      );
    }
  }
  return gravest(outcomes, stop);
}
