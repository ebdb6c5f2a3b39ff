import { commandWords, exitText } from '../core/command-words.ts';
import { DrillError } from '../core/errors.ts';
import { limitText } from '../core/format-duration.ts';
import type { DurationMs } from '../core/time.ts';
import type { FollowOutcome } from './follow-command.ts';
import type { Outcome } from './run-command.ts';
import type { NotRun } from './ssh-command.ts';

/** Outcomes without an exit code: the command's effect is unknown. */
export type Broken =
  | Exclude<Outcome, { kind: 'exited' } | { kind: 'not-started' }>
  /** The connection that carried the command broke. */
  | { readonly kind: 'lost'; readonly why: string };

/**
 * The error for a command whose outcome is unknown. The command may have acted: check for its effect
 * before it is run again. Example: `node-1: systemctl stop nginx did not end within 10 s, and its outcome is
 * unknown`.
 */
export function commandError(
  host: string,
  argv: readonly string[],
  timeoutMs: DurationMs,
  outcome: Broken,
): DrillError {
  const what = `${host}: ${commandWords(argv)}`;
  switch (outcome.kind) {
    case 'timed-out':
      return new DrillError(
        'host-unreachable',
        `${what} did not end within ${limitText(timeoutMs)}, and its outcome is unknown`,
      );
    case 'aborted':
      return new DrillError('host-unreachable', `${what} was cut short`);
    case 'overflow':
      return new DrillError(
        'host-unreachable',
        `${what} wrote more than ${outcome.limitBytes} bytes of output`,
      );
    case 'lost':
      return new DrillError(
        'host-unreachable',
        `${what} was interrupted, and its outcome is unknown: ${outcome.why}`,
      );
  }
}

/** A followed command that did not end by itself. */
type FollowBroken =
  Exclude<FollowOutcome, { kind: 'exited' }> | { readonly kind: 'lost'; readonly why: string };

/** The error for a followed command that did not end by itself. */
export function followError(host: string, argv: readonly string[], outcome: FollowBroken): DrillError {
  return new DrillError('host-unreachable', `${host}: ${commandWords(argv)} ${followText(outcome)}`);
}

function followText(outcome: FollowBroken): string {
  switch (outcome.kind) {
    case 'not-started':
      return `was not started: ${outcome.message}`;
    case 'not-run':
      return `was not run: ${exitText(outcome.exitCode, outcome.why)}`;
    case 'aborted':
      return 'is no longer followed';
    case 'lost':
      return `is no longer followed: ${outcome.why}`;
  }
}

/**
 * The error for a command that was sent over SSH and not run: sudo refused it, or the login ran something else.
 * It changed nothing on the host, so it may be sent again. `sshWords` is the ssh command for the hint.
 */
export function notRunError(
  host: string,
  argv: readonly string[],
  outcome: NotRun,
  sshWords: string,
): DrillError {
  const what = `${host}: ${commandWords(argv)}`;
  switch (outcome.kind) {
    case 'refused':
      return new DrillError(
        'host-unreachable',
        `${what} was not run: sudo printed: ${oneLine(outcome.why)}`,
        {
          hint: 'Allow the user to run commands as root without a password (NOPASSWD in sudoers), or log in as root.',
        },
      );
    case 'not-run':
      return new DrillError('host-unreachable', `${what} was not run by the login: ${oneLine(outcome.why)}`, {
        hint: `Run \`${sshWords} true\` to see the error. The user needs a login shell, no forced command, and a password that has not expired.`,
      });
  }
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
