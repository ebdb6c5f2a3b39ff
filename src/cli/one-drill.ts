import { randomInt } from 'node:crypto';
import { DrillError, ExitCode, messageOf } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Summary } from '../core/summary.ts';
import { runDrill } from '../engine/drill.ts';
import type { Ledger } from '../engine/ledger.ts';
import { createServer } from '../cloud/catalog.ts';
import type { Reporters } from '../reporters/all.ts';
import type { FinishedDrill } from '../reporters/reporter.ts';
import { type Output, printError } from './output.ts';
import { recordRun } from './record-run.ts';
import { type Reports, stopFilePath, writeReports } from './run-folder.ts';
import { withTargetsSecrets } from './inputs.ts';
import type { Stop } from './stop.ts';

/** What the command line provides to a drill. */
export interface DrillSetting {
  readonly ledger: Ledger;
  /** Parent folder of the run's folder. */
  readonly out: string;
  /** The release under test: `--label`. */
  readonly label?: string | undefined;
  readonly stop: Pick<Stop, 'signal' | 'abandonHeals'>;
  readonly output: Output;
  readonly reporters: Reporters;
}

/** A drill that has ended, with what its summary does not have. */
export interface EndedDrill extends FinishedDrill {
  /** Ids of the faults that are not proven healed. It is right even if the log is incomplete. */
  readonly unhealed: readonly string[];
  /** Failures of firedrill or its disk. */
  readonly problems: readonly DrillError[];
}

/**
 * Runs one drill, prints its progress, makes its reports, and calls the reporters. Every command that runs drills uses
 * this function. Failed writes are reported, too.
 * @throws DrillError `refused` while the target has open faults; `harness` if the disk has no room for a run; in both
 * cases nothing was changed. `heal-failed` if a fault is not proven healed and the log cannot be read
 */
export async function runOneDrill(
  plan: Plan,
  { ledger, out, label, stop, output, reporters }: DrillSetting,
): Promise<EndedDrill> {
  refuseOpenFaults(plan, ledger);
  const recorded = await recordRun(
    { name: plan.scenario.name, secrets: withTargetsSecrets(plan), out, output },
    (deps) => {
      deps.log.subscribe((event) => reporters.event(event));
      return runDrill(
        plan,
        {
          ...deps,
          ledger,
          createServer,
          label,
          stopFile: stopFilePath(),
          abandonHeals: stop.abandonHeals,
        },
        stop.signal,
      );
    },
  );
  const { runId, folder, log, result: unhealed } = recorded;
  const { summary, unwritten } = reportsOf(folder, unhealed, log.broken);
  const problems = [
    ...(log.broken.aborted ? [log.broken.reason as DrillError] : []),
    ...unclosed(ledger, runId, unhealed),
    ...unwritten,
  ];
  for (const problem of problems) printError(problem, output);
  if (!summary.healed && unhealed.length === 0)
    output.progress('every fault is healed and proven; only the event log is incomplete');
  // `unhealed` is right even if the disk was full and the log is incomplete.
  const code = drillExitCode({ ...summary, healed: unhealed.length === 0 });
  const exitCode = problems.length === 0 ? code : worstExitCode([code, ExitCode.inconclusive]);
  const finished = { plan, summary, folder, exitCode };
  await reporters.drillEnded(finished);
  return { ...finished, unhealed, problems };
}

/** Makes the reports. On failure, an open fault is the more important error, and a broken log is the cause. */
function reportsOf(folder: string, unhealed: readonly string[], broken: AbortSignal): Reports {
  try {
    return writeReports(folder);
  } catch (error) {
    const why: unknown = broken.aborted ? broken.reason : error;
    if (unhealed.length === 0) throw why;
    throw new DrillError(
      'heal-failed',
      `${unhealed.join(', ')}: not proven healed, and there is no report: ${messageOf(why)}`,
      {
        cause: why,
        hint: 'List them with `firedrill status`; undo them with `firedrill heal`.',
      },
    );
  }
}

/** Errors for healed faults and done repairs whose records could not be removed. */
function unclosed(ledger: Ledger, runId: string, unhealed: readonly string[]): readonly DrillError[] {
  try {
    return ledger
      .list()
      .filter((record) => record.runId === runId && !unhealed.includes(record.faultId))
      .map(
        ({ faultId, repair }) =>
          new DrillError(
            'harness',
            repair === true
              ? `repair ${faultId} is done, but its record could not be removed`
              : `fault ${faultId} is healed, but its undo record could not be removed`,
            {
              hint: `Fix the disk with that record, then run \`firedrill heal\`: it ${repair === true ? 'repeats the repair' : 'finds nothing to undo'} and removes the record.`,
            },
          ),
      );
  } catch (error) {
    if (error instanceof DrillError) return [error];
    throw error;
  }
}

function refuseOpenFaults(plan: Plan, ledger: Ledger): void {
  const torn = ledger.unreadable().find(({ target }) => target === undefined || target === plan.target.name);
  if (torn !== undefined) {
    const which =
      torn.target === undefined
        ? `its fault may be on target ${plan.target.name}`
        : `its fault is on target ${torn.target}`;
    throw new DrillError('refused', `${torn.message}; ${which}`, { hint: torn.hint });
  }
  const left = ledger.list().filter((record) => record.target === plan.target.name);
  if (left.length === 0) return;
  throw new DrillError(
    'refused',
    `target ${plan.target.name} has ${left.length} open fault(s) from run ${left[0]?.runId ?? ''}`,
    {
      hint: 'List them with `firedrill status`; undo them with `firedrill heal`.',
    },
  );
}

/** Upper bound of generated seeds, which keeps them short to type. */
export const maxSeed = 1_000_000;

/** The seed for the jitter of faults: `given`, else a random one. It is printed if a plan has a jitter. */
export function seedFor(plans: readonly Plan[], given: number | undefined, output: Output): number {
  const seed = given ?? randomInt(maxSeed);
  if (hasJitter(plans)) output.progress(`fault times are random; to repeat them, pass --seed ${seed}`);
  return seed;
}

/** Whether any fault has a jitter. */
export function hasJitter(plans: readonly Plan[]): boolean {
  return plans.some((plan) => plan.faults.some((fault) => fault.jitterMs !== undefined));
}

/**
 * The seed for a shard. All shards need the same one.
 * @throws DrillError `invalid-input` if a fault has a jitter and no seed is given
 */
export function seedForShard(plans: readonly Plan[], given: number | undefined, output: Output): number {
  if (given === undefined && hasJitter(plans))
    throw new DrillError('invalid-input', '--shard needs --seed, because fault times are random (`jitter`)', {
      hint: 'Pass the same --seed to every shard, such as the number of the CI run.',
    });
  return seedFor(plans, given, output);
}

/** The exit code for a drill's summary. */
function drillExitCode(summary: Summary): number {
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

/** As `worstExitCode`, but the code of a stop outranks every code except `notHealed`. */
export function worst(codes: readonly number[], stop: Stop): number {
  const stopped = stop.exitCode();
  return stopped !== undefined && !codes.includes(ExitCode.notHealed) ? stopped : worstExitCode(codes);
}

/** The worst of the exit codes. Order: not healed, failed verdict, refused, inconclusive, pass. */
export function worstExitCode(codes: readonly number[]): number {
  for (const code of [ExitCode.notHealed, ExitCode.verdictFail, ExitCode.refused, ExitCode.inconclusive]) {
    if (codes.includes(code)) return code;
  }
  return ExitCode.pass;
}
