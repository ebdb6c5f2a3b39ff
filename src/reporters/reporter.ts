import type { BaselineGate } from '../analysis/gate.ts';
import type { DrillEvent } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';
import type { Summary } from '../core/summary.ts';
import type { FailureTable } from '../report/table.ts';

/** A drill that has ended, with its reports written. */
export interface FinishedDrill {
  readonly plan: Plan;
  readonly summary: Summary;
  /** The run's folder. */
  readonly folder: string;
  /** Exit code of the command if this drill were its only one. */
  readonly exitCode: number;
}

/** A command that has ended. */
export interface FinishedRun {
  /** Finished drills, in the order in which they ran. */
  readonly drills: readonly FinishedDrill[];
  /** Exit code of the command. */
  readonly exitCode: number;
  /** Only for `table`. */
  readonly table?: { readonly table: FailureTable; readonly folder: string };
  /** Comparison of the drills of `run` with earlier runs; for `table` it is in the table. */
  readonly baseline?: BaselineGate;
  /** Why the command ended early: an invalid file, a refusal by a guard rail, or a defect. */
  readonly error?: Error;
}

/** Receives a command's events and results. If a method throws or rejects, that is reported once, the reporter gets no further calls, and the drill goes on. */
export interface Reporter {
  /** Each event of a drill when it is logged, including samples; a drill's first event is `run.started`. Must be cheap and do no I/O. */
  event?(event: DrillEvent): void;
  /** Called after the heal of a drill. */
  drillEnded?(drill: FinishedDrill): void | Promise<void>;
  /** Called once, even if the command fails. */
  runEnded?(run: FinishedRun): void | Promise<void>;
}

/** One kind of reporter: one file, one line in the catalog. */
export interface ReporterKind {
  readonly name: string;
  readonly describe: string;
  /** Kind of `=value` in one word; absent: the reporter takes no value. */
  readonly value?: string;
  /** Without a value it prints on stdout; only one reporter may. */
  readonly stdout?: true;
  /**
   * Creates the reporter for `--reporter name` or `--reporter name=value`.
   * @throws DrillError `invalid-input` if the value or the environment is invalid, before the drill starts
   */
  create(value: string | undefined, ctx: ReporterContext): Reporter;
}

/** A reporter's environment and outputs. It writes files itself. */
export interface ReporterContext {
  readonly command: 'run' | 'table';
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder of `--out`. */
  readonly out: string;
  /** Prints data for a program on stdout. */
  readonly data: (text: string) => void;
  /** Prints text for a person on stdout. Commands in backticks, such as `firedrill heal`, become what the user's shell runs. */
  readonly text: (text: string) => void;
  /** Prints a line for a person on stderr, with commands as in `text`. */
  readonly say: (line: string) => void;
  /** Prints a workflow command on stderr. Other lines are escaped, so that a CI runner does not execute them. */
  readonly workflowCommand: (line: string) => void;
  /** Registers a text to redact from all further output and files. */
  readonly secret: (text: string) => void;
  /** Aborts when the reporter's time is over: its pending work must end then. */
  readonly signal: AbortSignal;
}
