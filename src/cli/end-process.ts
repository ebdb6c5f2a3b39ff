import { ExitCode } from '../core/errors.ts';

/** A process whose work is done ends by itself; a handle that was left open gets this long to close, ms. */
const closeWithinMs = 5000;

/**
 * Ends the process with this exit code. Everything that it started has ended by now. A handle that is open all the same is a
 * defect: it is named, and must not keep the process alive. So is what throws from now on: it makes a pass `inconclusive`.
 */
export function endProcess(exitCode: number): void {
  process.exitCode = exitCode;
  const broke = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`firedrill broke after its work was done: ${text}\n`);
    if (exitCode === ExitCode.pass) process.exitCode = ExitCode.inconclusive;
  };
  process.on('uncaughtException', broke).on('unhandledRejection', broke);
  // An unreferenced timer fires only where something else keeps the process alive.
  setTimeout(() => {
    const open = [...new Set(process.getActiveResourcesInfo())].join(', ');
    process.stderr.write(`firedrill ends with handles left open: ${open}\n`);
    process.exit();
  }, closeWithinMs).unref();
}
