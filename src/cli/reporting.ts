import { DrillError, ExitCode, exitCodeOf } from '../core/errors.ts';
import type { Reporters } from '../reporters/all.ts';
import { openReporters } from '../reporters/open.ts';
import type { FinishedRun, ReporterContext } from '../reporters/reporter.ts';
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
  }: Pick<ReporterContext, 'command'> & { readonly stop: Stop; readonly output: ReportingOutput },
  work: (reporters: Reporters) => Promise<Outcome>,
): Promise<number> {
  const reporters = openReporters([...(options.json ? ['events'] : []), ...options.reporter], {
    command,
    env: process.env,
    out: options.out,
    data: (text) => output.data(text),
    say: (line) => output.progress(line),
    workflowCommand: (line) => output.workflowCommand(line),
    secret: (text) => redactor.add(text),
  });
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

/** The exit code of a command that threw. The code of a stop outranks every other code except `notHealed`. */
export function exitCodeAfter(error: unknown, stop: Stop): number {
  const stopped = stop.exitCode();
  if (error instanceof DrillError && (stopped === undefined || error.code === 'heal-failed'))
    return exitCodeOf(error.code);
  return stopped ?? ExitCode.inconclusive;
}
