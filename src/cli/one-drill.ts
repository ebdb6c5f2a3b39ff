import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { DrillError, ExitCode } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Summary } from '../core/summary.ts';
import { startCanary } from '../engine/canary.ts';
import { runDrill } from '../engine/drill.ts';
import { openEventLog } from '../engine/event-log.ts';
import type { Ledger } from '../engine/ledger.ts';
import { createSystemClock } from '../engine/system-clock.ts';
import { createServer } from '../cloud/catalog.ts';
import { createHost } from '../hosts/catalog.ts';
import { createNarrator } from './console.ts';
import type { Output } from './output.ts';
import { learnSecrets, redactor } from './secrets.ts';
import { makeRunFolder, newRunId, stopFilePath, writeReports } from './run-folder.ts';
import type { Stop } from './stop.ts';
import { versions } from './versions.ts';

/** What running a drill needs of the command line. */
export interface DrillSetting {
  readonly ledger: Ledger;
  /** Folder in which the run's own is made. */
  readonly out: string;
  readonly stop: Stop;
  readonly output: Output;
}

/**
 * Runs one drill with its progress told, and makes its reports: the one way for every
 * command that runs drills.
 * @throws DrillError `refused` while the target has open faults
 */
export async function runOneDrill(
  plan: Plan,
  { ledger, out, stop, output }: DrillSetting,
): Promise<{ readonly summary: Summary; readonly folder: string }> {
  refuseOpenFaults(plan, ledger);
  const clock = createSystemClock();
  const runId = newRunId(plan.scenario.name, clock.wallMs());
  const folder = makeRunFolder(out, runId);
  for (const warning of learnSecrets(plan)) output.progress(`warning: ${warning}`);
  const log = openEventLog(join(folder, 'events.ndjson'), clock, { redactor });
  log.subscribe(createNarrator((line) => output.progress(line)));
  try {
    await runDrill(
      plan,
      {
        runId,
        clock,
        log,
        ledger,
        createHost,
        createServer,
        versions: versions(),
        startCanary,
        stopFile: stopFilePath(),
      },
      stop.signal,
    );
  } finally {
    log.close();
  }
  return { summary: writeReports(folder), folder };
}

function refuseOpenFaults(plan: Plan, ledger: Ledger): void {
  const left = ledger.list().filter((record) => record.target === plan.target.name);
  if (left.length === 0) return;
  throw new DrillError(
    'refused',
    `target ${plan.target.name} has ${left.length} open fault(s) from run ${left[0]?.runId ?? ''}`,
    {
      mend: 'See them with `firedrill status`, undo them with `firedrill heal`.',
    },
  );
}

/** Seeds that the command line draws are easy to type again. */
const maxSeed = 1_000_000;

/** The seed for the moments of faults with a jitter: as given, else drawn; told where it matters. */
export function seedFor(plans: readonly Plan[], given: number | undefined, output: Output): number {
  const seed = given ?? randomInt(maxSeed);
  if (plans.some((plan) => plan.faults.some((fault) => fault.jitterMs !== undefined)))
    output.progress(`moments of faults are drawn with --seed ${seed}`);
  return seed;
}

/** The exit code of a drill that came out so. */
export function drillExitCode(summary: Summary): number {
  if (!summary.healed) return ExitCode.notHealed;
  if (summary.refused === true) return ExitCode.refused;
  switch (summary.verdict) {
    case 'pass':
      return ExitCode.pass;
    case 'fail':
      return ExitCode.verdictFail;
    case 'inconclusive':
      return ExitCode.inconclusive;
  }
}

/** Not healed outranks all, then a failed verdict, then a guard rail, then an inconclusive one; a stop outranks all but the first. */
export function gravest(codes: readonly number[], stop: Stop): number {
  const stopped = stop.exitCode();
  if (stopped !== undefined && !codes.includes(ExitCode.notHealed)) return stopped;
  for (const code of [ExitCode.notHealed, ExitCode.verdictFail, ExitCode.refused, ExitCode.inconclusive]) {
    if (codes.includes(code)) return code;
  }
  return ExitCode.pass;
}
