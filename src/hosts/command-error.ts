import { DrillError } from '../core/errors.ts';
import type { FollowOutcome } from './follow-command.ts';
import type { Outcome } from './run-command.ts';

/** The outcomes that are no exit: the command's effect is not known. */
export type Broken =
  | Exclude<Outcome, { kind: 'exited' } | { kind: 'not-started' }>
  /** The connection over which it was run is gone. */
  | { readonly kind: 'lost'; readonly why: string };

/** The error for a command of which it is not known what became. */
export function commandError(
  host: string,
  argv: readonly string[],
  timeoutMs: number,
  outcome: Broken,
): DrillError {
  const what = `${host}: \`${argv.join(' ')}\``;
  switch (outcome.kind) {
    case 'timed-out':
      return new DrillError('host-unreachable', `${what} did not end within ${timeoutMs} ms`);
    case 'aborted':
      return new DrillError('host-unreachable', `${what} was cut short`);
    case 'overflow':
      return new DrillError('host-unreachable', `${what} wrote more than ${outcome.limitBytes} bytes`);
    case 'lost':
      return new DrillError(
        'host-unreachable',
        `${what} broke off, and what it did is not known: ${outcome.why}`,
      );
  }
}

/** The error for a followed command that did not end by itself. */
export function followError(
  host: string,
  argv: readonly string[],
  outcome: Exclude<FollowOutcome, { kind: 'exited' }> | { readonly kind: 'lost'; readonly why: string },
): DrillError {
  return new DrillError('host-unreachable', `${host}: \`${argv.join(' ')}\` ${followWords(outcome)}`);
}

function followWords(outcome: Parameters<typeof followError>[2]): string {
  switch (outcome.kind) {
    case 'not-started':
      return `was not started: ${outcome.message}`;
    case 'aborted':
      return 'is no longer followed';
    case 'lost':
      return `is no longer followed: ${outcome.why}`;
  }
}
