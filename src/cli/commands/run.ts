import { join } from 'node:path';
import { renderVerdictText } from '../../report/verdict-text.ts';
import { drawMoments } from '../../scenario/draw.ts';
import { loadAllPlans } from '../inputs.ts';
import { drillExitCode, gravest, runOneDrill, seedFor } from '../one-drill.ts';
import type { Output } from '../output.ts';
import { userLedger } from '../run-folder.ts';
import type { Stop } from '../stop.ts';

/** Options of `firedrill run`. */
export interface RunOptions {
  readonly target?: string;
  readonly out: string;
  readonly json: boolean;
  readonly repeat: number;
  /** Values of variables by name. */
  readonly var: Readonly<Record<string, string>>;
  /** Draws the moments of faults with a jitter; drawn itself by default. */
  readonly seed?: number;
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
  const outcomes: number[] = [];
  for (let round = 0; round < options.repeat; round++) {
    for (const plan of plans) {
      if (stop.signal.aborted) break;
      const drawn = drawMoments(plan, seed, round);
      const { summary, folder } = await runOneDrill(drawn, { ledger, out: options.out, stop, output });
      output.data(
        options.json
          ? `${JSON.stringify(summary)}\n`
          : `\n${renderVerdictText(summary)}\nreport: ${join(folder, 'report.md')}\n`,
      );
      outcomes.push(drillExitCode(summary));
    }
  }
  return gravest(outcomes, stop);
}
