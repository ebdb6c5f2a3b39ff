import { performance } from 'node:perf_hooks';
import { DrillError, ExitCode, messageOf } from '../core/errors.ts';

/** A request from outside to stop: aborts the signal once, then waits for the heal. */
export interface Stop {
  readonly signal: AbortSignal;
  /** Aborts on a second Ctrl-C: heals that are under way end, proven or not. */
  readonly abandonHeals: AbortSignal;
  /** The exit code that belongs to the signal received, or to a defect; undefined when there was none. */
  exitCode(): number | undefined;
  /** Takes the process's signal handlers off again. */
  dispose(): void;
}

/** A second SIGINT counts from this long after the first signal, ms: npm passes on a Ctrl-C that the terminal has sent to all. */
const secondAfterMs = 2000;

/**
 * Listens for SIGINT, SIGTERM and SIGHUP, for the end of the wrapper that started this process, and for what nobody caught:
 * firedrill's own defects heal first, too. Further signals only say that the heal goes on; but a second SIGINT ends it.
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
          'SIGINT: the heal ends now; faults that are not healed keep their undo records: `firedrill heal` goes on',
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
  /** The wrapper that started this process is gone (bin/firedrill.mjs): nobody sees this drill any more. */
  const orphaned = (): void => {
    if (code !== undefined) return;
    stoppedMs = nowMs();
    code = ExitCode.terminated;
    write('the process that started firedrill is gone: stopping; faults are healed first');
    controller.abort(new Error('stopped: the process that started firedrill is gone'));
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, handler);
  process.on('disconnect', orphaned);
  // A handler alone would keep this process alive for as long as the wrapper lives.
  process.channel?.unref();
  // Without these Node would end at once, and leave the faults where they are.
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
