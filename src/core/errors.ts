/** Exit codes of the command line. docs/commands.md documents them. */
export const ExitCode = {
  pass: 0,
  verdictFail: 1,
  usage: 2,
  inconclusive: 3,
  notHealed: 4,
  refused: 5,
  interrupted: 130,
  terminated: 143,
} as const;

/** Error codes for programs; each maps to one exit code (`exitCodeOf`). */
export type DrillErrorCode =
  | 'invalid-input' // a file or an argument is wrong; nothing was changed
  | 'host-unreachable' // a command was not run on a host, or its outcome is unknown
  | 'fault-failed' // a fault could not be injected, or had no effect
  | 'heal-failed' // the heal is not proven
  | 'role-unresolved' // a role matches no host, or more than one
  | 'refused' // a guard rail refused it
  | 'stopped' // a limit or the stop file stopped the drill
  | 'lab' // the local lab or its machine is not usable
  | 'harness'; // a defect of firedrill, or its disk failed

/** A place in a file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const drillError = Symbol.for('firedrill.DrillError');

/**
 * A failure of firedrill, or a refused request. Failures of the stack under drill are returned as values and
 * never thrown.
 *
 * `message`: what was attempted on what, and what came back, with the limit and the observed value. Example:
 * `node-a: cannot SIGKILL nginx: it is PID 1 of its namespace`.
 *
 * `hint`: the command or the edit that fixes it; undefined if there is none. `printError` prints it on the next
 * line. Example: ``to kill the machine, use `power.cut` ``.
 *
 * `where`: the first wrong place of an input file; undefined for other errors. `message` names all of them.
 */
export class DrillError extends Error {
  readonly code: DrillErrorCode;
  readonly hint: string | undefined;
  readonly where: Place | undefined;
  /** Marks the errors of every copy of this class: an extension may have loaded its own copy of firedrill. */
  readonly [drillError] = true;

  /** True for errors of another copy of this class, too; for a subclass, only for its own instances. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === DrillError
      ? Object.hasOwn(Object(value), drillError)
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }

  constructor(
    code: DrillErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; where?: Place } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DrillError';
    this.code = code;
    this.hint = options.hint;
    this.where = options.where;
  }
}

/** The exit code that the command line uses for an error of this code. */
export function exitCodeOf(code: DrillErrorCode): number {
  switch (code) {
    case 'invalid-input':
      return ExitCode.usage;
    case 'heal-failed':
      return ExitCode.notHealed;
    case 'refused':
    case 'lab':
      return ExitCode.refused;
    case 'host-unreachable':
    case 'fault-failed':
    case 'role-unresolved':
    case 'stopped':
    case 'harness':
      return ExitCode.inconclusive;
  }
}

/** The error as a DrillError. Any other thrown value is a defect of firedrill: code `harness`. */
export function asDrillError(error: unknown): DrillError {
  if (error instanceof DrillError) return error;
  return new DrillError('harness', `firedrill broke: ${messageOf(error)}`, { cause: error });
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether the host gave no answer, so the command's outcome is unknown. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof DrillError && error.code === 'host-unreachable';
}
