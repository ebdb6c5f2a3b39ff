import { DrillError, ExitCode, messageOf } from '../core/errors.ts';

/** A request from outside to stop: aborts the signal once, then waits for the heal. */
export interface Stop {
  readonly signal: AbortSignal;
  /** The exit code that belongs to the signal received, or to a defect; undefined when there was none. */
  exitCode(): number | undefined;
  /** Takes the process's signal handlers off again. */
  dispose(): void;
}

/**
 * Listens for SIGINT, SIGTERM and SIGHUP, and for what nobody caught: firedrill's own defects heal first, too. Further
 * ones only say that the heal goes on.
 */
export function listenForStop(write: (line: string) => void): Stop {
  const controller = new AbortController();
  let code: number | undefined;
  const handler = (name: NodeJS.Signals): void => {
    if (code !== undefined) {
      write(`${name}: already stopping; healing comes first`);
      return;
    }
    code = name === 'SIGINT' ? ExitCode.interrupted : ExitCode.terminated;
    write(`${name}: stopping; what was broken is healed first`);
    controller.abort(new Error(`stopped by ${name}`));
  };
  const broke = (error: unknown): void => {
    write(`firedrill broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    if (code !== undefined) return;
    write('what was broken is healed first');
    code = ExitCode.inconclusive;
    controller.abort(new DrillError('harness', `firedrill broke: ${messageOf(error)}`));
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, handler);
  // Without these Node would end at once, and leave the faults where they are.
  process.on('uncaughtException', broke).on('unhandledRejection', broke);
  return {
    signal: controller.signal,
    exitCode: () => code,
    dispose() {
      for (const name of names) process.off(name, handler);
      process.off('uncaughtException', broke).off('unhandledRejection', broke);
    },
  };
}
