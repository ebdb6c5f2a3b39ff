import type { Gate } from '../analysis/gate.ts';
import type { DrillEvent } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';
import type { Summary } from '../core/summary.ts';
import type { FailureTable } from '../report/table.ts';

/** A drill that is over, its reports made. */
export interface FinishedDrill {
  readonly plan: Plan;
  readonly summary: Summary;
  /** The run's folder. */
  readonly folder: string;
  /** What the command would end with after this drill alone. */
  readonly exitCode: number;
}

/** A command that has run its drills. */
export interface FinishedRun {
  /** In the order in which they ran; of one that was cut off, those that were over. */
  readonly drills: readonly FinishedDrill[];
  /** Of the whole command. */
  readonly exitCode: number;
  /** Of `table`. */
  readonly table?: { readonly table: FailureTable; readonly folder: string };
  /** What the drills of `run` came to against earlier ones; that of `table` is in the table. */
  readonly baseline?: Gate;
  /** Why the command ended before its drills did: a wrong file, a guard rail that refused, a defect. */
  readonly error?: Error;
}

/** What a command tells while it runs drills. Each method may throw or reject: that is told once, the drill goes on as if nothing had been, and this reporter is told nothing more. */
export interface Reporter {
  /** Each event of a drill as it is logged, samples too; the first of a drill is `run.started`. Cheap, and without I/O. */
  event?(event: DrillEvent): void;
  /** After the heal. */
  drillEnded?(drill: FinishedDrill): void | Promise<void>;
  /** Once, however the command ends. */
  runEnded?(run: FinishedRun): void | Promise<void>;
}

/** One kind of reporter: one file, one line in the catalog. */
export interface ReporterKind {
  readonly name: string;
  readonly describe: string;
  /** What `=value` is, in a word; absent: it takes none. */
  readonly value?: string;
  /** Without a value it prints on stdout, which takes one of these at a time. */
  readonly stdout?: true;
  /**
   * `--reporter name` or `--reporter name=value`.
   * @throws DrillError `invalid-input` when value or environment will not do: before anything is touched
   */
  create(value: string | undefined, ctx: ReporterContext): Reporter;
}

/** What a reporter reaches the outside through; files it writes itself. */
export interface ReporterContext {
  readonly command: 'run' | 'table';
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder of `--out`. */
  readonly out: string;
  /** Prints on stdout. */
  readonly data: (text: string) => void;
  /** Prints a line on stderr. */
  readonly say: (line: string) => void;
  /** Prints a line on stderr that a CI runner obeys; it obeys none of the others. */
  readonly workflowCommand: (line: string) => void;
  /** From now on this is kept out of whatever is printed or kept. */
  readonly secret: (text: string) => void;
  /** Aborts when its time is over: what is under way has to end then. */
  readonly signal: AbortSignal;
}
