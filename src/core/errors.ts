/** Exit codes of the command line, as documented in the README. */
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
  | 'host-unreachable' // a transport could not be used at all
  | 'fault-failed' // inject did not have the promised effect
  | 'heal-failed' // the heal is not proven
  | 'role-unresolved' // a role matches no host, or more than one
  | 'refused' // a guard rail refused it
  | 'stopped' // a limit or the stop file stopped the drill
  | 'lab' // the local lab or its machine is not usable
  | 'harness'; // a defect of firedrill, or its disk failed

/**
 * A failure of the harness or a refused request. Expected failures of the system under drill are returned
 * values, never errors.
 *
 * `message` names the host, the action, the limit, and the observed value; `hint` is the hint.
 */
export class DrillError extends Error {
  readonly code: DrillErrorCode;
  readonly hint: string | undefined;

  constructor(code: DrillErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DrillError';
    this.code = code;
    this.hint = options.hint;
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
