import { join } from 'node:path';
import { ExitCode, DrillError } from '../../core/errors.ts';
import type { Plan } from '../../core/plan.ts';
import type { Summary } from '../../core/summary.ts';
import { runDrill } from '../../engine/drill.ts';
import { openEventLog } from '../../engine/event-log.ts';
import type { Ledger } from '../../engine/ledger.ts';
import { createSystemClock } from '../../engine/system-clock.ts';
import { createHost } from '../../hosts/catalog.ts';
import { renderVerdictText } from '../../report/verdict-text.ts';
import { createNarrator } from '../console.ts';
import { loadPlan, scenarioFiles } from '../inputs.ts';
import type { Output } from '../output.ts';
import { makeRunFolder, newRunId, userLedger, writeReports } from '../run-folder.ts';
import type { Stop } from '../stop.ts';
import { versions } from '../versions.ts';

/** Options of `firedrill run`. */
export interface RunOptions {
  readonly target?: string;
  readonly out: string;
  readonly json: boolean;
  readonly repeat: number;
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
  const plans = scenarioFiles(args).map((path) => loadPlan(path, options.target));
  const ledger = userLedger();
  const outcomes: number[] = [];
  for (let round = 0; round < options.repeat; round++) {
    for (const plan of plans) {
      if (stop.signal.aborted) break;
      const left = ledger.list().filter((record) => record.target === plan.target.name);
      if (left.length > 0) {
        throw new DrillError(
          'refused',
          `target ${plan.target.name} has ${left.length} open fault(s) from run ${left[0]?.runId ?? ''}`,
          {
            mend: 'See them with `firedrill status`, undo them with `firedrill heal`.',
          },
        );
      }
      const summary = await runOne(plan, ledger, options, { stop, output });
      outcomes.push(exitCodeOf(summary));
    }
  }
  const stopped = stop.exitCode();
  return stopped === undefined || outcomes.includes(ExitCode.notHealed) ? gravest(outcomes) : stopped;
}

async function runOne(
  plan: Plan,
  ledger: Ledger,
  options: RunOptions,
  { stop, output }: { stop: Stop; output: Output },
): Promise<Summary> {
  const clock = createSystemClock();
  const runId = newRunId(plan.scenario.name, clock.wallMs());
  const folder = makeRunFolder(options.out, runId);
  const log = openEventLog(join(folder, 'events.ndjson'), clock);
  log.subscribe(createNarrator((line) => output.progress(line)));
  try {
    await runDrill(plan, { runId, clock, log, ledger, createHost, versions: versions() }, stop.signal);
  } finally {
    log.close();
  }
  const summary = writeReports(folder);
  output.data(
    options.json
      ? `${JSON.stringify(summary)}\n`
      : `\n${renderVerdictText(summary)}\nreport: ${join(folder, 'report.md')}\n`,
  );
  return summary;
}

function exitCodeOf(summary: Summary): number {
  if (!summary.healed) return ExitCode.notHealed;
  switch (summary.verdict) {
    case 'pass':
      return ExitCode.pass;
    case 'fail':
      return ExitCode.verdictFail;
    case 'inconclusive':
      return ExitCode.inconclusive;
  }
}

/** Not healed outranks all, then a failed verdict, then an inconclusive one. */
function gravest(codes: readonly number[]): number {
  for (const code of [ExitCode.notHealed, ExitCode.verdictFail, ExitCode.inconclusive]) {
    if (codes.includes(code)) return code;
  }
  return ExitCode.pass;
}
