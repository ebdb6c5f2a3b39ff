import { randomInt } from 'node:crypto';
import { DrillError, ExitCode, messageOf } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Summary } from '../core/summary.ts';
import { startControl } from '../engine/control.ts';
import { startPressure } from '../engine/pressure.ts';
import { runDrill } from '../engine/drill.ts';
import type { Ledger } from '../engine/ledger.ts';
import { createSystemClock } from '../engine/system-clock.ts';
import { createServer } from '../cloud/catalog.ts';
import { createHost } from '../hosts/catalog.ts';
import type { Reporters } from '../reporters/all.ts';
import type { FinishedDrill } from '../reporters/reporter.ts';
import { createNarrator } from './console.ts';
import { showDrill } from './live/show-drill.ts';
import { type Output, tell, tellNote } from './output.ts';
import { newRunId, openRun, type Reports, stopFilePath, writeReports } from './run-folder.ts';
import { withTargetsSecrets } from './inputs.ts';
import { learnSecrets } from './secrets.ts';
import type { Stop } from './stop.ts';
import { versions } from './versions.ts';

/** What running a drill needs of the command line. */
export interface DrillSetting {
  readonly ledger: Ledger;
  /** Folder in which the run's own is made. */
  readonly out: string;
  /** The release that is drilled: `--label`. */
  readonly label?: string | undefined;
  readonly stop: Stop;
  readonly output: Output;
  readonly reporters: Reporters;
}

/**
 * Runs one drill with its progress told, makes its reports, and tells the reporters: the one way for every
 * command that runs drills. What could not be written is told, too.
 * @throws DrillError `refused` while the target has open faults, `harness` when the disk has no room for a run: nothing was
 * touched; `heal-failed` when a fault is not proven healed and the log cannot be read, either
 */
export async function runOneDrill(
  plan: Plan,
  { ledger, out, label, stop, output, reporters }: DrillSetting,
): Promise<FinishedDrill> {
  refuseOpenFaults(plan, ledger);
  const clock = createSystemClock();
  const runId = newRunId(plan.scenario.name, clock.wallMs());
  for (const warning of learnSecrets(withTargetsSecrets(plan))) output.progress(`warning: ${warning}`);
  const { folder, log } = openRun(out, runId, clock);
  log.subscribe(createNarrator((line) => output.progress(line)));
  log.subscribe((event) => reporters.event(event));
  const hide = showDrill(output.live, log, clock);
  let unhealed: readonly string[];
  try {
    unhealed = await runDrill(
      plan,
      {
        runId,
        clock,
        log,
        ledger,
        createHost: (planned) => createHost(planned, (note) => tellNote(note, output)),
        createServer,
        versions: versions(),
        label,
        startControl,
        startPressure,
        stopFile: stopFilePath(),
        abandonHeals: stop.abandonHeals,
      },
      stop.signal,
    );
  } finally {
    hide();
    log.close();
  }
  const { summary, unwritten } = reportsOf(folder, unhealed, log.broken);
  const complaints = [
    ...(log.broken.aborted ? [log.broken.reason as DrillError] : []),
    ...unclosed(ledger, runId, unhealed),
    ...unwritten,
  ];
  for (const complaint of complaints) tell(complaint, output);
  if (!summary.healed && unhealed.length === 0)
    output.progress('all that was broken is healed, proven: only the log could not take it');
  // What is proven healed is known here, be the log on a disk that took no more.
  const code = drillExitCode({ ...summary, healed: unhealed.length === 0 });
  const exitCode = complaints.length === 0 ? code : gravestOf([code, ExitCode.inconclusive]);
  const finished = { plan, summary, folder, exitCode };
  await reporters.drillEnded(finished);
  return finished;
}

/** Reports, or why there is nothing to make them of: what is not healed outranks that, and a log that broke explains it. */
function reportsOf(folder: string, unhealed: readonly string[], broken: AbortSignal): Reports {
  try {
    return writeReports(folder);
  } catch (error) {
    const why: unknown = broken.aborted ? broken.reason : error;
    if (unhealed.length === 0) throw why;
    throw new DrillError('heal-failed', `${unhealed.join(', ')}: not proven healed; and ${messageOf(why)}`, {
      cause: why,
      mend: 'See them with `firedrill status`, undo them with `firedrill heal`.',
    });
  }
}

/** Faults of which nothing is left but their records, which could not be removed. */
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
              ? `${faultId} is made, but the record that it is owed could not be removed`
              : `nothing of ${faultId} is left, but its undo record could not be removed`,
            {
              mend: `Mend the disk of that record, then run \`firedrill heal\`: it ${repair === true ? 'makes the repair once more' : 'finds nothing to undo'}, and removes it.`,
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
    throw new DrillError('refused', `${torn.message}; ${which}`, { mend: torn.mend });
  }
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
  if (hasJitter(plans)) output.progress(`moments of faults are drawn with --seed ${seed}`);
  return seed;
}

/** Whether any moment is drawn. */
export function hasJitter(plans: readonly Plan[]): boolean {
  return plans.some((plan) => plan.faults.some((fault) => fault.jitterMs !== undefined));
}

/**
 * The seed for a shard: all shards have to draw from one.
 * @throws DrillError `invalid-input` where moments are drawn and none is given
 */
export function seedForShard(plans: readonly Plan[], given: number | undefined, output: Output): number {
  if (given === undefined && hasJitter(plans))
    throw new DrillError('invalid-input', '--shard: moments of faults are drawn, and there is no --seed', {
      mend: 'Give every shard the same --seed, the number of the CI run, say.',
    });
  return seedFor(plans, given, output);
}

/** The exit code of a drill that came out so. */
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

/** As `gravestOf`; a stop outranks all but what is not healed. */
export function gravest(codes: readonly number[], stop: Stop): number {
  const stopped = stop.exitCode();
  return stopped !== undefined && !codes.includes(ExitCode.notHealed) ? stopped : gravestOf(codes);
}

/** Not healed outranks all, then a failed verdict, then a guard rail, then an inconclusive one. */
export function gravestOf(codes: readonly number[]): number {
  for (const code of [ExitCode.notHealed, ExitCode.verdictFail, ExitCode.refused, ExitCode.inconclusive]) {
    if (codes.includes(code)) return code;
  }
  return ExitCode.pass;
}
