import { DrillError, messageOf } from '../core/errors.ts';
import type { DurationMs } from '../core/time.ts';
import {
  type CommandOptions,
  type CommandResult,
  type CommandRunner,
  describeFailure,
  runCommand,
} from './command.ts';

/** Progress of `lab up` and `lab down`, for the console. Each event names its step. */
export type LabEvent =
  /** `limitMs`: the time limit of the step, if there is one. */
  | { readonly step: string; readonly state: 'start'; readonly text: string; readonly limitMs?: DurationMs }
  /** `elapsedMs`: time since the start of the step. */
  | { readonly step: string; readonly state: 'done'; readonly text: string; readonly elapsedMs: DurationMs }
  | { readonly step: string; readonly state: 'info'; readonly text: string }
  /** A line of output of a command in the step; there may be many. */
  | { readonly step: string; readonly state: 'output'; readonly text: string }
  /** `done` of `of` parts of the step are done. */
  | { readonly step: string; readonly state: 'count'; readonly done: number; readonly of: number };

/** Context of all functions in this folder. */
export interface LabContext {
  readonly signal: AbortSignal;
  readonly report: (event: LabEvent) => void;
  readonly run: CommandRunner;
}

/** The context of real use: commands run on this machine. */
export function labContext(signal: AbortSignal, report: (event: LabEvent) => void): LabContext {
  return { signal, report, run: runCommand };
}

/** How long one step took. */
export interface StepTiming {
  readonly step: string;
  readonly startedMs: DurationMs;
  readonly elapsedMs: DurationMs;
}

/**
 * Reports the start and the end of each step, and records its duration in `timings` (offsets from the log's creation, on the
 * monotonic clock).
 */
export class StepLog {
  readonly timings: StepTiming[] = [];
  readonly #report: (event: LabEvent) => void;
  readonly #originMs = performance.now();

  constructor(report: (event: LabEvent) => void) {
    this.#report = report;
  }

  /** Runs one step. If `work` returns a sentence, the end of the step shows it. */
  async step<T>(step: string, text: string, work: () => Promise<T>): Promise<T> {
    const startedMs = performance.now() - this.#originMs;
    this.#report({ step, state: 'start', text });
    const result = await work();
    const elapsedMs = performance.now() - this.#originMs - startedMs;
    this.timings.push({ step, startedMs, elapsedMs });
    this.#report({ step, state: 'done', text: typeof result === 'string' ? result : text, elapsedMs });
    return result;
  }

  /** Milliseconds since the creation of this log. */
  elapsedMs(): DurationMs {
    return performance.now() - this.#originMs;
  }
}

/** Reports the output of a command as output of a step. */
export function settingsText(
  { report }: Pick<LabContext, 'report'>,
  step: string,
): Pick<CommandOptions, 'onLine'> {
  return { onLine: (text) => report({ step, state: 'output', text }) };
}

/** Runs a command that has to succeed. Throws DrillError `lab` with its output. */
export async function mustRun(
  context: LabContext,
  argv: readonly string[],
  options: Omit<CommandOptions, 'signal'> & { readonly hint?: string },
): Promise<CommandResult> {
  const { hint, ...limits } = options;
  const result = await context.run(argv, { ...limits, signal: context.signal });
  if (result.exitCode !== 0) {
    throw new DrillError('lab', describeFailure(argv, result), hint === undefined ? {} : { hint });
  }
  return result;
}

/** Whether a command starts and ends with exit code 0. */
export async function succeeds(
  context: Pick<LabContext, 'run' | 'signal'>,
  argv: readonly string[],
  timeoutMs = 15_000,
): Promise<boolean> {
  return (await context.run(argv, { timeoutMs, signal: context.signal })).exitCode === 0;
}

/** Wraps an error of the file system or a parser in a DrillError `lab`. */
export function labError(what: string, error: unknown, hint?: string): DrillError {
  return error instanceof DrillError
    ? error
    : new DrillError('lab', `${what}: ${messageOf(error)}`, {
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      });
}
