import { withCommandName } from '../cli/command-name.ts';
import { DrillError } from '../core/errors.ts';

/**
 * The same error. Commands in its message and its hint are what the shell of the calling project runs. The error itself is changed, so
 * that it keeps its class, its stack, and its identity.
 */
export function withHintForCaller<T>(error: T): T {
  if (!(error instanceof DrillError)) return error;
  const { message, hint } = error;
  return Object.assign(error, {
    message: withCommandName(message),
    ...(hint === undefined ? {} : { hint: withCommandName(hint) }),
  });
}
