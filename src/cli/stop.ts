import { performance } from 'node:perf_hooks';
import { DrillError, ExitCode, messageOf } from '../core/errors.ts';

/** A stop request from outside. It aborts `signal` once; the drill then heals before the process ends. */
export interface Stop {
  readonly signal: AbortSignal;
  /** Aborts on a second Ctrl-C: running heals end, proven or not. */
  readonly abandonHeals: AbortSignal;
  /** The exit code for the received signal or for a defect; undefined if there was neither. */
  exitCode(): number | undefined;
  /** Removes the signal handlers. */
  dispose(): void;
}

/** A second SIGINT counts only this long after the first signal, ms. npm forwards a Ctrl-C that the terminal has already sent to every process. */
const secondAfterMs = 2000;

/**
 * Listens for SIGINT, SIGTERM, and SIGHUP, for the end of the wrapper that started this process, and for uncaught errors.
 * After each of them, faults are healed first. Further signals only print that the heal continues, except that a second
 * SIGINT ends the heal.
 *
 * @param nowMs a monotonic clock
 */
export function listenForStop(write: (line: string) => void, nowMs = (): number => performance.now()): Stop {
  const controller = new AbortController();
  const abandon = new AbortController();
  let code: number | undefined;
  let stoppedMs = Infinity;
  const handler = (name: NodeJS.Signals): void => {
    if (code !== undefined) {
      if (name !== 'SIGINT' || nowMs() - stoppedMs < secondAfterMs) {
        write(
          `${name}: already stopping; faults are healed first${name === 'SIGINT' ? ' (Ctrl-C after 2 s ends the heal)' : ''}`,
        );
      } else if (!abandon.signal.aborted) {
        write(
          'SIGINT: the heal ends now; open faults keep their undo records; run `firedrill heal` to continue',
        );
        abandon.abort(new Error('a second SIGINT'));
      }
      return;
    }
    stoppedMs = nowMs();
    code = name === 'SIGINT' ? ExitCode.interrupted : ExitCode.terminated;
    write(
      `${name}: stopping; faults are healed first${name === 'SIGINT' ? ' (Ctrl-C again ends the heal)' : ''}`,
    );
    controller.abort(new Error(`stopped by ${name}`));
  };
  const broke = (error: unknown): void => {
    write(`firedrill broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    if (code !== undefined) return;
    write('faults are healed first');
    code = ExitCode.inconclusive;
    controller.abort(new DrillError('harness', `firedrill broke: ${messageOf(error)}`));
  };
  /** The wrapper that started this process (bin/firedrill.mjs) has ended, so no user watches this drill. */
  const orphaned = (): void => {
    if (code !== undefined) return;
    stoppedMs = nowMs();
    code = ExitCode.terminated;
    write('the process that started firedrill has ended: stopping; faults are healed first');
    controller.abort(new Error('stopped: the process that started firedrill has ended'));
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, handler);
  const isOurs = process.listenerCount('message') + process.listenerCount('disconnect') === 0;
  process.on('disconnect', orphaned);
  // Without unref, the handler would keep this process alive as long as the wrapper. A program that listens on
  // the channel itself needs it: unref is final, and would end the program between two messages.
  if (isOurs) process.channel?.unref();
  // Without these handlers, Node would exit at once and leave the faults open.
  process.on('uncaughtException', broke).on('unhandledRejection', broke);
  return {
    signal: controller.signal,
    abandonHeals: abandon.signal,
    exitCode: () => code,
    dispose() {
      for (const name of names) process.off(name, handler);
      process.off('disconnect', orphaned);
      process.off('uncaughtException', broke).off('unhandledRejection', broke);
    },
  };
}
