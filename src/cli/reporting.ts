import { DrillError, ExitCode, exitCodeOf } from '../core/errors.ts';
import { splitNameValue } from '../core/name-value.ts';
import type { Plan } from '../core/plan.ts';
import { loadExtensions } from '../extension/load.ts';
import type { Reporters } from '../reporters/all.ts';
import { reporterKinds } from '../reporters/catalog.ts';
import { openReporters } from '../reporters/open.ts';
import type { FinishedRun, ReporterContext, ReporterKind } from '../reporters/reporter.ts';
import type { ReportingOutput } from './output.ts';
import { redactor } from './secrets.ts';
import type { Stop } from './stop.ts';

/** Options of commands that run drills. */
export interface ReportingOptions {
  readonly out: string;
  /** `--json`: short for `--reporter events`. */
  readonly json: boolean;
  readonly reporter: readonly string[];
}

/** The result of a command, for its reporters. */
export type Outcome = Pick<FinishedRun, 'exitCode' | 'table' | 'baseline'>;

/**
 * Runs `work` and reports its end to the reporters, even if it throws. Returns the exit code, which is `inconclusive`
 * instead of `pass` if a reporter could not write its file.
 * @throws DrillError `invalid-input` for an unknown reporter; and any error of `work`
 */
export async function reporting(
  options: ReportingOptions,
  {
    command,
    stop,
    output,
    plans,
  }: Pick<ReporterContext, 'command'> & {
    readonly stop: Stop;
    readonly output: ReportingOutput;
    /** The command's plans, whose extensions may bring reporters. Called only if a requested name may not be built in. */
    readonly plans: () => readonly Plan[];
  },
  work: (reporters: Reporters) => Promise<Outcome>,
): Promise<number> {
  const requested = [...(options.json ? ['events'] : []), ...options.reporter];
  const setting = {
    command,
    env: process.env,
    out: options.out,
    data: (text: string) => output.data(text),
    text: (text: string) => output.text(text),
    say: (line: string) => output.progress(line),
    workflowCommand: (line: string) => output.workflowCommand(line),
    secret: (text: string) => redactor.add(text),
  };
  const reporters = openReporters(requested, setting, reporterKindsFor(requested, plans));
  let outcome: Outcome;
  try {
    outcome = await work(reporters);
  } catch (error) {
    const why = error instanceof Error ? error : new Error(String(error));
    await reporters.runEnded({ exitCode: exitCodeAfter(error, stop), error: why });
    throw error;
  }
  await reporters.runEnded(outcome);
  return outcome.exitCode === ExitCode.pass && reporters.unwritten()
    ? ExitCode.inconclusive
    : outcome.exitCode;
}

/** The built-in reporters, and those of the plans' extensions if another name is requested. */
function reporterKindsFor(
  requested: readonly string[],
  plans: () => readonly Plan[],
): readonly ReporterKind[] {
  const isBuiltIn = (word: string): boolean =>
    reporterKinds.some(({ name }) => name === splitNameValue(word).name);
  // A word may also be a part of a value that has a comma. The plans are then read once more than necessary.
  const others = requested.flatMap((text) => text.split(',')).filter((word) => !isBuiltIn(word));
  if (others.length === 0) return reporterKinds;
  let own: readonly ReporterKind[];
  try {
    own = plans().flatMap(({ extensions }) => loadExtensions(extensions).reporters);
  } catch (error) {
    // A name without a dot is a mistake, and is reported without those of the extensions.
    if (others.some((word) => /^[a-z0-9-]+\.[a-z0-9.-]+(?:=|$)/.test(word))) throw error;
    return reporterKinds;
  }
  return [...reporterKinds, ...new Set(own)];
}

/** The exit code of a command that threw. The code of a stop outranks every other code except `notHealed`. */
export function exitCodeAfter(error: unknown, stop: Stop): number {
  const stopped = stop.exitCode();
  if (error instanceof DrillError && (stopped === undefined || error.code === 'heal-failed'))
    return exitCodeOf(error.code);
  return stopped ?? ExitCode.inconclusive;
}
